"""One kernel: the price of a Python int and of an Ibis column are the same to the last pico-unit."""

from typing import Any

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenworth.core.exact import INT64_MAX
from tokenworth.core.money import to_grain
from tokenworth.core.units import MAX_COUNT, UNITS
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import Terms, compile_terms
from tokenworth.price.kernel import price
from tokenworth.price.rate import charge, rate_frame
from tokenworth.price.schedule import Form, Schedule

NAMES = ("input", "cache_read", "cache_write_1h", "output", "reasoning", "request")
counts = st.fixed_dictionaries({name: st.one_of(st.just(0), st.integers(0, 5_000), st.integers(0, MAX_COUNT)) for name in NAMES})
# six rates and two steps of six differences, at MAX_COUNT, stay inside the bound that compile proves
rates = st.fixed_dictionaries({name: st.one_of(st.integers(0, 3_000), st.integers(0, INT64_MAX // MAX_COUNT // 30)) for name in NAMES})
tables = st.tuples(rates, st.dictionaries(st.integers(1, 2 * MAX_COUNT), rates, max_size=2)).map(lambda t: {0: t[0]} | t[1])
minimums = st.one_of(st.just(0), st.integers(0, 10**12))
forms = st.one_of(
    st.builds(Form, minimum=minimums),
    st.builds(Form, packages=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3_000)), minimum=minimums),
    st.builds(Form, st.just(True), st.dictionaries(st.sampled_from(NAMES[3:]), st.integers(1, 3_000)), minimums),
)


def compiled(steps: dict[int, dict[str, int]], form: Form) -> Terms:
    """Compile rates; where steps are marginal what is not input has the rates of the first."""
    same = {name: n for name, n in steps[0].items() if UNITS[name].direction != "input"} if form.marginal else {}
    return compile_terms(currency="credits", since=0, source="a test", steps={above: row | same for above, row in steps.items()}, form=form)


plain = st.builds(compiled, tables, st.just(Form()))
terms = st.builds(compiled, tables, forms)


def columns(events: list[dict[str, int]], under: Terms) -> list[dict[str, int]]:
    """Rate rows through Ibis on DuckDB, with the schedule's numbers as columns of each row."""
    form = under.schedule
    flat: dict[str, Any] = {f"n_{name}": [event[name] for event in events] for name in NAMES}
    flat |= {f"r_{name}": [form.base[name]] * len(events) for name in NAMES}
    # one cell, so what a cell may have is a column where this one has it
    flat |= {f"p_{name}": [size] * len(events) for name, size in form.packages.items()}
    flat["least"] = [form.minimum or 0] * len(events)
    stepped = form.marginal or form.steps
    for k, (above, differences) in enumerate(stepped):
        flat[f"above_{k}"] = [above] * len(events)
        flat |= {f"d{k}_{name}": [differences[name]] * len(events) for name in NAMES}
    flat["row"] = list(range(len(events)))
    table = ibis.duckdb.connect().create_table("t", obj=pa.table({name: pa.array(v, pa.int64()) for name, v in flat.items()}))
    steps = tuple((table[f"above_{k}"], {n: table[f"d{k}_{n}"] for n in NAMES}) for k in range(len(stepped)))
    packages = {name: table[f"p_{name}"] for name in form.packages}
    whole, marginal = ((), steps) if form.marginal else (steps, ())
    frame = Schedule({n: table[f"r_{n}"] for n in NAMES}, whole, marginal, packages, table["least"])
    given_counts = {n: table[f"n_{n}"] for n in NAMES}
    out = table.mutate(pico=price(given_counts, frame), posting=rate_frame(given_counts, frame)).order_by("row")
    return list(out.select("pico", "posting").to_pyarrow().to_pylist())


@settings(max_examples=60)
@given(st.lists(counts, min_size=1, max_size=40), terms)
def test_int_and_column_agree_to_the_last_pico(events: list[dict[str, int]], under: Terms) -> None:
    for event, row in zip(events, columns(events, under), strict=True):
        scalar = charge(Usage({name: n for name, n in event.items() if n}), under)
        assert row == {"pico": scalar.pico, "posting": scalar.nano * 1000}


@settings(max_examples=200)
@given(counts, plain)
def test_price_is_the_naive_sum_at_the_step_that_applies(event: dict[str, int], under: Terms) -> None:
    """Against the reading of a price page: find the step by total input, then multiply and add."""
    size = sum(n for name, n in event.items() if UNITS[name].direction == "input")
    step = max((s for s in under.steps if s.above < size or s.above == 0), key=lambda s: s.above)
    assert price(event, under.schedule) == sum(n * step.rates[name] for name, n in event.items())


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 60), min_size=1), terms)
def test_price_is_that_of_tokens_one_by_one(event: dict[str, int], under: Terms) -> None:
    """Against a reading token by token: each at the rate of its step, counts up to whole packages, and no less than the least."""
    form, steps = under.form, sorted(under.steps, key=lambda step: step.above)
    prompt = [name for name in ("cache_read", "cache_write_1h", "input") for _ in range(event.get(name, 0))]
    if form.marginal:
        pico = sum([step for step in steps if step.above <= place][-1].rates[name] for place, name in enumerate(prompt))
        billed = [name for name in event if UNITS[name].direction != "input"]
    else:
        pico, billed = 0, list(event)
    reached = [step for step in steps if step.above < len(prompt) or step.above == 0][-1].rates
    for name in billed:
        size = form.packages.get(name, 1)
        pico += -(-event[name] // size) * size * reached[name]
    found = charge(Usage({name: n for name, n in event.items() if n}), under)
    assert found.pico == max(pico, form.minimum)
    assert sum(line.pico for line in found.lines) == found.pico
    assert all(line.count * line.rate == line.pico for line in found.lines)


@given(st.lists(st.integers(0, INT64_MAX // 4), min_size=1, max_size=50))
def test_rounding_on_columns_is_the_rounding_on_ints(values: list[int]) -> None:
    table = ibis.duckdb.connect().create_table("t", obj=pa.table({"x": pa.array(values, pa.int64()), "row": list(range(len(values)))}))
    out = table.mutate(y=to_grain(table.x)).order_by("row").y.to_pyarrow().to_pylist()
    assert out == [to_grain(value) for value in values]
