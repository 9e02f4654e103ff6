"""A hold is enough: no usage within the bounds is priced above the worst case, and the worst case is within the bounds itself."""

from hypothesis import assume, given
from hypothesis import strategies as st

from tokenworth.core.units import UNITS
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import Terms, compile_terms
from tokenworth.price.rate import charge
from tokenworth.price.schedule import Form
from tokenworth.price.worst import Bounds, worst

NAMES = ("input", "cache_read", "cache_write_1h", "output", "reasoning", "input_audio", "request")
rates = st.fixed_dictionaries({name: st.integers(0, 100_000_000) for name in NAMES})
tables = st.tuples(rates, st.dictionaries(st.integers(1, 2_000), rates, max_size=3)).map(lambda t: {0: t[0]} | t[1])


def marginal(steps: dict[int, dict[str, int]]) -> dict[int, dict[str, int]]:
    """Rate what is not input the same in every step."""
    return {above: row | {name: n for name, n in steps[0].items() if UNITS[name].direction != "input"} for above, row in steps.items()}


def compiled(steps: dict[int, dict[str, int]], form: Form) -> Terms:
    return compile_terms(currency="credits", since=0, source="a test", steps=marginal(steps) if form.marginal else steps, form=form)


minimums = st.one_of(st.just(0), st.integers(0, 10**10))
packages = st.dictionaries(st.sampled_from(NAMES[:-1]), st.integers(1, 700), max_size=4)
forms = st.one_of(
    st.builds(Form, minimum=minimums),
    st.builds(
        Form, marginal=st.just(True), packages=st.dictionaries(st.sampled_from(["output", "reasoning"]), st.integers(1, 700)), minimum=minimums
    ),
    st.builds(Form, packages=packages, minimum=minimums),
)
terms = st.builds(compiled, tables, forms)
whole = st.builds(compiled, tables, st.builds(Form, minimum=minimums))
bounds = st.builds(Bounds, st.integers(0, 3_000), st.integers(0, 500), st.sampled_from([frozenset({"text"}), frozenset({"text", "audio"})]))
parts = st.lists(st.integers(0, 1_000), min_size=len(NAMES), max_size=len(NAMES))


def scaled(names: list[str], weights: list[int], most: int) -> dict[str, int]:
    """Split at most `most` over names by weight, rounding down."""
    total = sum(weights) or 1
    return {name: most * weight // total for name, weight in zip(names, weights, strict=True)}


@given(terms, bounds, parts, st.integers(0, 100))
def test_actual_is_at_most_the_worst_case(under: Terms, within: Bounds, weights: list[int], percent: int) -> None:
    into = [n for n in NAMES if UNITS[n].direction == "input" and UNITS[n].modality in within.modalities]
    out = [n for n in NAMES if UNITS[n].direction == "output"]
    counts = scaled(into, weights[: len(into)], within.input_tokens * percent // 100)
    counts |= scaled(out, weights[-len(out) :], within.output_tokens) | {"request": 1}
    actual = charge(Usage({name: n for name, n in counts.items() if n}), under)
    assert actual.nano <= worst(under, within).nano


@given(terms, bounds)
def test_the_worst_case_can_happen(under: Terms, within: Bounds) -> None:
    """Not merely an upper bound: it is itself a usage within the bounds."""
    found = worst(under, within)
    usage = found.usage
    assert charge(usage, under).pico <= found.pico
    assert under.form.packages or charge(usage, under).pico == found.pico
    assert usage.input_tokens <= within.input_tokens
    assert usage.output_tokens <= within.output_tokens


@given(whole, st.integers(1, 2_999), st.integers(0, 500))
def test_a_step_that_can_be_reached_is_held_for(under: Terms, size: int, output: int) -> None:
    """A hold that ignores the long-context step reserves half of the cost."""
    step = max((s for s in under.steps if s.above < size or s.above == 0), key=lambda s: s.above)
    assume(step.above)
    assert worst(under, Bounds(size, output)).pico >= size * step.rates["input"] + output * step.rates["output"]
