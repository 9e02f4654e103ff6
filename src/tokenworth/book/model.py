"""The typed parts of a book. Rates are pico-units per unit, amounts nano-units, instants UTC microseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tokenworth.capture.policy import STANDARD, Policy
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
    """Who makes the tokens: `kind` is `openai` (any OpenAI-compatible base URL), `fleet` (the same, on GPUs of one's own) or `simulated`."""

    id: str
    kind: str
    base_url: str = ""
    api_key_env: str = ""
    """Name of the environment variable with the key; never the key."""
    timeout: int = 600
    """Seconds without a byte after which the supplier has failed."""
    speed: int = 1
    """Of a simulated supplier: how many times faster than the trace it answers; 0 answers at once."""
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


@dataclass(frozen=True, slots=True)
class Product:
    """What a customer asks for by name."""

    id: str
    model: str
    description: str = ""
    hold_percentile: int = 0
    """Hold for the output that this percentage of recent answers do not pass; 0 for all that a request allows."""
    broken_off_free: bool = False
    """Whether a stream that the supplier broke off is charged nothing."""


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
    customers: Mapping[str, DemoCustomer] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """The text of each file by its name, so that the version that was in force can be kept whole."""
