"""The typed parts of a book. Rates are pico-units per unit, amounts nano-units, instants UTC microseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tokenworth.capture.policy import STANDARD, Policy
from tokenworth.core.instants import SECOND
from tokenworth.price.card import Card


@dataclass(frozen=True, slots=True)
class Fleet:
    """GPUs of one's own. What is empty or zero was not said."""

    gpu: str
    gpus: int
    gpu_hour: int
    """Nano-units of the book's currency."""
    engine: str = ""
    precision: str = ""
    interactivity: int = 0
    """Output tokens a second and user."""
    prefill: int = 0
    """Input tokens a second and GPU."""
    decode: int = 0
    """Output tokens a second and GPU."""
    utilisation: int = 0
    """Share of the time, in billionths."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """Who makes the tokens.

    `kind` is `openai` (any OpenAI-compatible base URL), `anthropic` (Anthropic's API, or one like it), `fleet` (as openai, on GPUs of one's own) or
    `simulated`.
    """

    id: str
    kind: str
    base_url: str = ""
    api_key_env: str = ""
    """Name of the environment variable with the key; never the key."""
    timeout: int = 600
    """Seconds without a byte after which the supplier has failed."""
    speed: int = 1
    """Of a simulated supplier: how many times faster than the trace it answers; 0 answers at once."""
    speaks: tuple[str, ...] = ()
    """Of an OpenAI-compatible supplier: the wire formats that it speaks, where they are not chat completions and embeddings."""
    concurrency: int = 0
    """Requests that it takes at once; 0 for no limit."""
    tokens_per_minute: int = 0
    """Input and output that it takes; 0 for no limit."""
    fleet: Fleet | None = None
    """Of kind fleet: its GPUs."""


@dataclass(frozen=True, slots=True)
class Model:
    """A supplier's model."""

    id: str
    supplier: str
    name: str
    """What the supplier calls it."""
    list_price: str
    """`provider/model` in the price list; empty where `cost` is in the book."""
    context: int
    """Context window in tokens."""
    max_output: int
    trace: str = ""
    """Of a simulated supplier's model: which shipped trace it draws from."""
    tokenizer: str = ""
    """What counts tokens that the supplier did not: o200k, cl100k or bytes; empty for the best that is installed."""
    input_allowance: int = 512
    """Tokens that the supplier may add to what the request's bytes can hold (templates, tool preambles)."""
    tiers: tuple[str, ...] = ()
    """Service tiers that are passed on to the supplier; others are the operator's own promise."""
    quality: int | None = None
    """Its score, on the operator's own scale."""
    regions: frozenset[str] = frozenset()
    """Where it keeps data; empty where that is not said."""
    modalities: frozenset[str] = frozenset()
    """What prompts may hold; empty for anything."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a model of a product's mix must be; each rule that is None or empty asks nothing."""

    min_quality: int | None = None
    regions: frozenset[str] = frozenset()
    max_cost: Mapping[str, int] = field(default_factory=dict)
    """Pico-units of currency by unit."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How the models of a mix are asked: at most `attempts` of them; spans are microseconds, 0 for never."""

    attempts: int = 3
    first_byte: int = 0
    """After which the next one is asked, of a stream without a byte."""
    hedge_after: int = 0
    """After which a second one is asked beside the first."""


ANY, ORDERLY = Rules(), Asking()


@dataclass(frozen=True, slots=True)
class Product:
    """What a customer asks for by name. `model` serves it, or the models of `mix`, by weight."""

    id: str
    model: str
    description: str = ""
    hold_percentile: int = 0
    """Hold for the output that this percentage of recent answers do not pass; 0 for all that a request allows."""
    broken_off_free: bool = False
    """Whether a stream that the supplier broke off is charged nothing."""
    mix: Mapping[str, int] = field(default_factory=dict)
    rules: Rules = ANY
    asking: Asking = ORDERLY

    @property
    def weights(self) -> Mapping[str, int]:
        """Weights by model; a product of one model is a mix of one."""
        return self.mix or {self.model: 1}


RANKS = {"flex": 0, "default": 1, "priority": 2}
"""Service tiers, the least first. Their order is this, never that of their names."""
PATIENCE = {"flex": 300, "default": 30, "priority": 5}
"""Seconds that a request of a tier may wait, where the book does not say."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What a service tier promises; spans are microseconds, 0 for no promise."""

    id: str
    patience: int
    """How long a request may wait for a supplier's capacity."""
    reserved: int = 0
    """Per cent of each supplier's capacity that is kept for it."""
    first_token: int = 0
    tokens_per_second: int = 0
    broken: str = ""
    """Tier at whose rates a request is charged whose promise was broken; empty for its own."""


STANDARD_TIERS = {name: Tier(name, seconds * SECOND) for name, seconds in PATIENCE.items()}


@dataclass(frozen=True, slots=True)
class Rates:
    """The most of a key: requests and tokens a minute, streams at once; 0 is no limit."""

    requests: int = 0
    tokens: int = 0
    streams: int = 0


UNLIMITED = Rates()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a customer subscribes to: a card, and credits that come with a fee. `fee` is per month, in the book's currency."""

    id: str
    card: str
    fee: int = 0
    included: int = 0
    """Credits that come with the fee."""
    credit_price: int = 0
    """What one credit costs when bought on this plan, in nano-units of the currency."""
    policy: Policy = STANDARD
    """What an account on this plan agrees to."""
    rates: Rates = UNLIMITED
    """What each of its keys may ask for."""


@dataclass(frozen=True, slots=True)
class DemoGrant:
    """Credits that a demo customer starts with."""

    source: str
    amount: int
    paid: int


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A customer of the demo; real ones live in the database."""

    id: str
    plan: str
    share: int = 1
    """Weight of this customer in the trace."""
    grants: tuple[DemoGrant, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """A whole book. `unit` is what cards and the ledger count in, `currency` what money is in; both may be the same."""

    id: str
    """Digest of its files."""
    name: str
    unit: str
    currency: str
    suppliers: Mapping[str, Supplier]
    models: Mapping[str, Model]
    products: Mapping[str, Product]
    cards: Mapping[str, Card]
    plans: Mapping[str, Plan]
    costs: Card
    """Costs that the book states itself, by (model id, tier); they override the price list."""
    loss_leaders: Mapping[str, str] = field(default_factory=dict)
    """Reason by `Terms.source` of cells that may be sold below cost."""
    tiers: Mapping[str, Tier] = field(default_factory=lambda: STANDARD_TIERS)
    """All service tiers, those too of which the book says nothing."""
    customers: Mapping[str, DemoCustomer] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """The text of each file by its name, so that the version that was in force can be kept whole."""
