"""Exact money, units, instants and ids, against independent arithmetic."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core import money
from tokenworth.core.errors import InputError, InstantError, MoneyError, UnknownUnitError, UsageError
from tokenworth.core.exact import half_even
from tokenworth.core.ids import digest, sortable_id
from tokenworth.core.instants import format_instant, parse_instant
from tokenworth.core.units import UNITS, disjoint, unit


@pytest.mark.parametrize(
    ("text", "pico"),
    [("1", 1_000_000), ("0.000001", 1), ("2.50", 2_500_000), ("007", 7_000_000), ("0", 0), (3, 3_000_000), (Decimal("0.15"), 150_000)],
)
def test_rates_are_whole_pico_units(text: str | int | Decimal, pico: int) -> None:
    assert money.parse_rate(text) == pico


@pytest.mark.parametrize(
    "text",
    [
        "0.0000001",
        "-1",
        "NaN",
        "Infinity",
        "",
        "1,5",
        "1e3",
        "1_000",
        " 5",
        "+5",
        ".5",
        "5.",
        "٣",
        "\uff13",
        "abc",
        0.1,
        True,
        None,
        "9" * 30,
        "9" * 5000,
        f"0.{'1' * 5000}",
        Decimal("1e400"),
        Decimal("1e999999"),
        Decimal("1e-999999"),
    ],
)
def test_what_is_no_exact_rate_is_refused(text: object) -> None:
    with pytest.raises(MoneyError):
        money.parse_rate(text)  # type: ignore[arg-type]


def test_a_long_number_is_quoted_in_short() -> None:
    with pytest.raises(MoneyError, match=r"^rate 9{40}\.\.\. \(5000 characters\) is too large \(.*9223372036854 is the most\)$"):
        money.parse_rate("9" * 5000)


@given(st.decimals(0, 10**6, places=9))
def test_amounts_round_trip(value: Decimal) -> None:
    assert Decimal(money.format_amount(money.parse_amount(f"{value:f}"))) == value


@given(st.integers(0, 2**63 - 1), st.integers(1, 10**6))
def test_half_even_is_the_decimal_modules(value: int, step: int) -> None:
    quotient = (Fraction(value, step)).limit_denominator(10**7)
    expected = round(quotient)  # Python rounds Fractions half to even
    assert half_even(value, step) == expected * step


@given(st.integers(0, 2**63 - 1))
def test_a_posting_rounds_half_even(pico: int) -> None:
    assert money.to_nano(pico) == int((Decimal(pico) / 1000).quantize(Decimal(1), ROUND_HALF_EVEN))


@pytest.mark.parametrize(("pico", "nano"), [(499, 0), (500, 0), (501, 1), (1_499, 1), (1_500, 2), (2_500, 2), (2_501, 3)])
def test_ties_go_to_the_even_nano(pico: int, nano: int) -> None:
    assert money.to_nano(pico) == nano


@given(st.integers(0, 10**15), st.integers(1, 10**12).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_shares_add_up(total: int, split: tuple[int, int]) -> None:
    part, whole = split
    assert money.share(total, whole, whole) == total
    assert money.share(total, part, whole) == round(Fraction(total * part, whole))


@pytest.mark.parametrize(("listed", "pico", "rounded"), [("0.15", 150_000, False), ("0.0000005", 0, True), ("0.1428571428", 142_857, True)])
def test_published_rates_say_when_they_are_rounded(listed: str, pico: int, rounded: bool) -> None:
    assert money.round_rate(Decimal(listed), 1_000_000) == (pico, rounded)


def test_a_published_rate_does_not_depend_on_the_decimal_context() -> None:
    with localcontext(prec=2, rounding=ROUND_UP):
        assert money.round_rate(Decimal("0.12345650"), 1_000_000) == (123_456, True)
        assert money.round_rate(Decimal("14.5"), 1_000) == (14_500_000_000, False)


def test_five_million_small_events_are_worth_what_they_are() -> None:
    """$11.25 in all; rounded each to cents they would be nothing."""
    assert sum([money.to_nano(money.parse_rate("0.75") * 3)] * 5_000_000) == money.parse_amount("11.25")


def test_units_that_take_another_rate_refine_it() -> None:
    for each in UNITS.values():
        if each.billed_as:
            assert each.refines(UNITS[each.billed_as])
    with pytest.raises(UnknownUnitError, match="inptu"):
        unit("inptu")


TREES = (
    ("input", "input_audio", "cache_read", "cache_read_audio", "output", "reasoning", "output_audio"),
    ("input", "input_tool", "cache_write", "cache_write_5m", "cache_write_1h", "output", "citation"),
)


@given(st.sampled_from(TREES).flatmap(lambda tree: st.fixed_dictionaries({name: st.integers(0, 1_000) for name in tree})))
def test_disjoint_gives_back_the_leaves(leaves: dict[str, int]) -> None:
    """Add leaves up as providers do, each count holding all that refines it, and take them apart again."""
    counts = {name: sum(leaves[other] for other in leaves if other == name or UNITS[other].refines(UNITS[name])) for name in leaves}
    if leaves.get("reasoning") and leaves.get("output_audio"):
        # spoken reasoning has no unit: whether the two overlap cannot be told
        with pytest.raises(UsageError, match="may overlap"):
            disjoint(counts)
    elif leaves.get("input_tool") and any(leaves.get(f"cache_write{life}") for life in ("", "_5m", "_1h")):
        with pytest.raises(UsageError, match="may overlap"):
            disjoint(counts)
    else:
        assert disjoint(counts) == {name: count for name, count in leaves.items() if count}


@given(st.integers(0, 50), st.integers(0, 50))
def test_more_inside_than_outside_is_refused(outside: int, inside: int) -> None:
    if inside > outside:
        with pytest.raises(UsageError, match=rf"cache_read \({inside}\) exceed input \({outside}\)"):
            disjoint({"input": outside, "cache_read": inside})
    else:
        assert sum(disjoint({"input": outside, "cache_read": inside}).values()) == outside


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
        ("2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00.000001Z"),
        (date(2024, 2, 29), "2024-02-29T00:00:00Z"),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "1969-12-31T23:59:59Z"),
    ],
)
def test_instants(text: str | date, shown: str) -> None:
    assert format_instant(parse_instant(text)) == shown
    assert parse_instant(shown) == parse_instant(text)


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "yesterday", "2026-13-01", "", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(InstantError):
        parse_instant(text)


def test_ids_sort_by_time_and_are_the_published_form() -> None:
    """The ULID specification's example, 01ARZ3NDEKTSV4RRFFQ69G5FAV, was made in this millisecond."""
    at = parse_instant("2016-07-30T23:54:10.259Z")
    entropy = bytes.fromhex("d6764c61efb99302bd5b")
    assert sortable_id(at, entropy) == "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert sortable_id(at, b"\xff" * 10) < sortable_id(at + 1_000, bytes(10))
    assert len(sortable_id(at, b"\xff" * 10)) == 26
    with pytest.raises(InputError):
        sortable_id(at, b"")


def test_digest_is_sha256() -> None:
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
