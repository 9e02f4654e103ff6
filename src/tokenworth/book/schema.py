"""The tables of a book and their fields. A field's description is its documentation, its first example the mend where it is missing."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from tokenworth.book.fields import Amount, Currency, EnvironmentName, Instant, ListPrice, Packages, Rate, Subject, UnitName, Url, Words, ZoneName
from tokenworth.core.units import MAX_COUNT, UNITS

Tier = Literal["flex", "default", "priority"]
BurnDown = Literal["priority", "expiry", "source", "paid-first", "oldest", "newest"]
Modality = Literal["text", "image", "audio", "video"]
Trace = Literal["azure2023-conv", "azure2023-code", "mooncake-conversation"]


class Table(BaseModel):
    """A table of a book: types are not coerced, unknown fields are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, validate_default=False)


class BookTable(Table):
    """`[book]`: what the business is called and counts in."""

    name: Words = Field(description="Shown to operators and as owner of the products.", examples=['"My AI product"'])
    unit: UnitName = Field("credits", description="What cards and the ledger count in: credits, or the currency.")
    currency: Currency = Field("USD", description="What money is in: three capitals.")


class SupplierTable(Table):
    """`[suppliers.ID]`: who makes the tokens."""

    kind: Literal["openai", "anthropic", "fleet", "simulated"] = Field(
        description="`openai`: any OpenAI-compatible base URL. `anthropic`: Anthropic's API, or one like it. `fleet`: GPUs of your own behind an "
        "engine that speaks as `openai` does. `simulated`: answers from a trace, needs no key.",
        examples=['"openai"'],
    )
    base_url: Url | None = Field(None, description="Of all kinds but simulated: the address before `/chat/completions` or `/messages`.")
    api_key_env: EnvironmentName | None = Field(None, description="Of all kinds but simulated: name of the environment variable that holds the key.")
    timeout: int | None = Field(None, ge=1, le=86_400, description="Of all kinds but simulated: seconds without a byte after which it has failed.")
    speaks: list[Literal["chat", "responses", "embeddings"]] = Field(
        [],
        description="Of kinds openai and fleet: the wire formats that it speaks, chat and embeddings where none are stated; others become the first.",
    )
    speed: int | None = Field(None, ge=0, description="Of kind simulated: times faster than measured; 0 answers at once.")
    concurrency: int | None = Field(None, ge=1, le=MAX_COUNT, description="Requests that it takes at once; others wait. None: no limit.")
    tokens_per_minute: int | None = Field(None, ge=60, le=MAX_COUNT, description="Input and output that it takes a minute. None: no limit.")
    gpu: Words | None = Field(None, description="Of kind fleet: which GPUs it has.")
    gpus: int | None = Field(None, ge=1, description="Of kind fleet: how many.")
    gpu_hour: Amount | None = Field(None, description="Of kind fleet: what an hour of one costs, in the book's currency.")
    engine: Words | None = Field(None, description="Of kind fleet: what serves, as the measured points name it; the one that takes least if absent.")
    precision: Words | None = Field(None, description="Of kind fleet: of the weights: bf16, fp8, fp4, int4.")
    interactivity: int | None = Field(None, ge=1, description="Of kind fleet: output tokens a second that each user is to get.")
    prefill: int | None = Field(None, ge=1, description="Of kind fleet: input tokens a second and GPU while it prefills, if you measured it.")
    decode: int | None = Field(None, ge=1, description="Of kind fleet: output tokens a second and GPU while it decodes, if you measured it.")
    utilisation: Amount | None = Field(None, description="Of kind fleet: share of its time that works, up to 1, if you measured it.")


class Rates(Table):
    """Rates by unit, per million; the fields, one a unit, are added below."""

    def stated(self) -> dict[str, int | str]:
        """Return what the row states: pico-units by unit, or the name of the unit whose rate it shares."""
        return {name: value for name in UNITS if (value := getattr(self, name, None)) is not None}


if TYPE_CHECKING:
    UnitRates = Rates
else:
    _UNIT_FIELDS = {
        name: (Rate | None, Field(None, description=f'Per million of {name}: a quoted decimal, or "as UNIT".', examples=['"1.50"'])) for name in UNITS
    }
    UnitRates = create_model("UnitRates", __base__=Rates, **_UNIT_FIELDS)


class DatedRow(UnitRates):
    """What rows of cards and of costs share."""

    since: Instant = Field(alias="from", description="Effective date, or a time with offset.", examples=["2026-01-01"])
    tier: Tier = Field("default", description="Service tier.")
    above: int = Field(0, ge=0, le=MAX_COUNT, description="Long-context row: holds for requests of more input tokens than this.")
    marginal: bool = Field(False, description="Of a long-context row: it holds for the input above only, not for the whole request; it rates input.")
    minimum: Amount = Field(0, description="The least that a request costs.")
    packages: Packages = Field({}, description="Sizes by unit: counts that are billed in whole packages, the last one begun.")


class CostRow(DatedRow):
    """`[[models.ID.cost]]`: what the supplier bills from a date on, in the book's currency per million; it overrides the list price."""


class RateRow(DatedRow):
    """`[[cards.ID.rates]]`: what a product costs from a date on, in the card's unit per million."""

    product: str = Field(description="Which product.", examples=['"chat"'])
    loss_leader: Words | None = Field(None, description="Why this may be sold below cost.")


class ModelTable(Table):
    """`[models.ID]`: a supplier's model."""

    supplier: str = Field(description="Id of the supplier.", examples=['"openai"'])
    name: Words = Field(description="What the supplier calls it.", examples=['"gpt-5.4-mini"'])
    list_price: ListPrice | None = Field(None, description="`provider/model` in the price list of genai-prices.")
    context: int = Field(ge=1, le=MAX_COUNT, description="Context window in tokens.", examples=["128000"])
    max_output: int = Field(ge=1, le=MAX_COUNT, description="Most tokens of one answer.", examples=["16384"])
    trace: Trace | None = Field(None, description="Of a simulated supplier's model: the shipped trace that it draws from.")
    input_allowance: int | None = Field(None, ge=0, le=MAX_COUNT, description="Tokens that the supplier may add to a prompt.")
    tokenizer: Literal["o200k", "cl100k", "bytes"] | None = Field(
        None,
        description="What counts the tokens that the supplier did not: a vocabulary of OpenAI's (the extra `tokenizer`), or four bytes a token. "
        "None: o200k where it is installed.",
    )
    tiers: list[Literal["flex", "priority"]] = Field(
        [], description="Service tiers that are passed on to the supplier, who bills them; others are your own promise."
    )
    quality: int | None = Field(None, ge=0, le=MAX_COUNT, description="Its score on a scale of your own, which products' `min_quality` looks at.")
    regions: list[Words] = Field([], description="Where it keeps data, in words of your own, such as `eu`; products' `regions` look at them.")
    modalities: list[Modality] | None = Field(None, min_length=1, description="What prompts may hold. None: anything.")
    cost: list[CostRow] = Field([], description="What it costs, instead of the list price.")


class MixRow(Table):
    """`[[products.ID.mix]]`: a model that may serve it."""

    model: str = Field(description="Id of the model.", examples=['"gpt-mini"'])
    weight: int = Field(1, ge=0, le=MAX_COUNT, description="Its share of conversations, in proportion; 0: only where no other answers.")


class MaxCost(UnitRates):
    """`[products.ID.max_cost]`: the most that a model of its mix may cost; one that costs more at the time of a request is left out."""


class ProductTable(Table):
    """`[products.ID]`: what a customer asks for by name."""

    model: str | None = Field(None, description="Id of the model that serves it; or name several in its mix.", examples=['"gpt-mini"'])
    description: str = Field("", description="For people.")
    mix: list[MixRow] = Field([], description="Models that serve it, by weight.")
    min_quality: int | None = Field(None, ge=0, le=MAX_COUNT, description="The least `quality` of a model of its mix.")
    regions: list[Words] = Field([], description="A model of its mix keeps data in these regions only.")
    max_cost: MaxCost | None = Field(None, description="The most that a model of its mix may cost, per million of a unit.")
    attempts: int = Field(3, ge=1, le=10, description="How many models are asked at most, one after another, before the client gets its first byte.")
    first_byte: int | None = Field(
        None,
        ge=1,
        le=86_400,
        description="Seconds without a first byte of a stream after which the next model is asked. None: the supplier's timeout.",
    )
    hedge_after: int | None = Field(
        None,
        ge=1,
        le=86_400_000,
        description="Milliseconds without a first byte after which a second model is asked too; the first to answer serves.",
    )
    hold_percentile: int | None = Field(
        None,
        ge=50,
        le=99,
        description="Hold for the output that so many in a hundred of the product's recent answers do not pass, where that is less than the request "
        "allows; what is beyond is the plan's `beyond_hold`. None: hold for all that the request allows.",
    )
    broken_off: Literal["charged", "free"] = Field(
        "charged", description="What was delivered of a stream that the supplier broke off: charged, or not. Its cost is recorded either way."
    )


class TierTable(Table):
    """`[tiers.flex]`, `[tiers.default]`, `[tiers.priority]`: what a service tier promises, and how long its requests may wait."""

    patience: int | None = Field(
        None, ge=1, le=86_400, description="Seconds that a request may wait for a supplier's capacity. None: flex 300, default 30, priority 5."
    )
    reserved: int = Field(0, ge=0, le=100, description="Per cent of each supplier's capacity that is kept for it.")
    first_token: int | None = Field(None, ge=1, le=86_400_000, description="Promise: milliseconds to the first token.")
    tokens_per_second: int | None = Field(None, ge=1, le=MAX_COUNT, description="Promise: output tokens a second after the first.")
    broken: Tier | None = Field(None, description="Tier at whose rates a request is charged whose promise was broken. None: its own.")


class CardTable(Table):
    """`[cards.ID]`: a rate card."""

    unit: str | None = Field(None, description="What its rates count in; the book's unit.")
    rates: list[RateRow] = Field([], description="Dated rates.")


class TopUpTable(Table):
    """`[plans.ID.top_up]`: a grant that is asked for by itself; it counts once it is confirmed as paid."""

    below: Amount = Field(description="Ask when what is left falls below this, in the book's unit.", examples=['"100"'])
    amount: Amount = Field(description="How much to ask for.", examples=['"1000"'])
    paid: Amount = Field(description="What will be paid for it, in the book's currency.", examples=['"10"'])


class BudgetRow(Table):
    """`[[plans.ID.budgets]]`: the most that may be spent in a window, what is held included."""

    subject: Subject = Field(
        description="Whose spending: `account`, one `key:ID` or `project:NAME`, or each one for itself: `key:*`, `project:*`.", examples=['"account"']
    )
    window: Literal["hour", "day", "month"] = Field(description="Calendar period in the plan's time zone.", examples=['"day"'])
    limit: Amount = Field(description="In the book's unit.", examples=['"500"'])


class PlanTable(Table):
    """`[plans.ID]`: what a customer subscribes to."""

    card: str = Field(description="Id of the rate card.", examples=['"standard"'])
    fee: Amount = Field(0, description="Per month, in the book's currency.")
    included: Amount = Field(0, description="Units that come with the fee each month.")
    credit_price: Amount | None = Field(None, description="Currency per credit when bought on this plan.")
    burn_down: list[BurnDown] = Field(
        ["priority", "expiry", "source", "oldest"],
        min_length=1,
        description="Order in which grants are used: the first of these that tells two apart decides. `source` takes what was given before what "
        "was paid for, `paid-first` the reverse.",
    )
    beyond_hold: Literal["overdraft", "capped"] = Field(
        "overdraft", description="What a charge beyond its hold does: take free credits and then become debt, or be waived."
    )
    overdraft: Amount | None = Field(None, description="The most debt that charges beyond their holds may make; the rest is waived. None: all of it.")
    credit_line: Amount = Field(0, description="What requests may spend beyond all credits.")
    postpaid: bool = Field(
        False,
        description="Nothing is held: a request that could be paid when it comes is served, and charged when it ends. "
        "Requests at once may pass what is there.",
    )
    time_zone: ZoneName = Field("UTC", description="IANA name; hours, days and months of budgets are of this zone.")
    low_balance: list[Amount] = Field([], description="Tell the operator, once each, when what is left falls below these.")
    top_up: TopUpTable | None = Field(None, description="A grant that is asked for by itself.")
    requests_per_minute: int | None = Field(None, ge=1, le=MAX_COUNT, description="Of each key.")
    tokens_per_minute: int | None = Field(None, ge=1, le=MAX_COUNT, description="Of each key: input and output, at first as many as were held for.")
    concurrent_streams: int | None = Field(None, ge=1, le=MAX_COUNT, description="Of each key: streams open at once.")
    budgets: list[BudgetRow] = Field([], description="What may be spent in an hour, a day or a month.")


class GrantRow(Table):
    """`[[customers.ID.grants]]`: credits that a demo customer starts with."""

    source: Literal["paid", "included", "promotional", "goodwill"] = Field(description="Where they come from.", examples=['"paid"'])
    amount: Amount = Field(description="How many, in the book's unit.", examples=['"1000"'])
    paid: Amount = Field(0, description="What was paid for all of them, in the book's currency.")


class CustomerTable(Table):
    """`[customers.ID]`: a customer of the demo; real ones live in the database."""

    plan: str = Field(description="Id of the plan.", examples=['"payg"'])
    share: int = Field(1, ge=0, description="Weight in the demo's traffic.")
    grants: list[GrantRow] = Field([], description="Credits to start with.")


SECTIONS: dict[str, type[Table]] = {
    "suppliers": SupplierTable,
    "models": ModelTable,
    "products": ProductTable,
    "tiers": TierTable,
    "cards": CardTable,
    "plans": PlanTable,
    "customers": CustomerTable,
}
"""The tables that are keyed by id."""

ROWS: dict[tuple[type[Table], Any], type[Table]] = {
    (ModelTable, "cost"): CostRow,
    (ProductTable, "mix"): MixRow,
    (CardTable, "rates"): RateRow,
    (PlanTable, "budgets"): BudgetRow,
    (CustomerTable, "grants"): GrantRow,
}
"""The tables inside tables."""
