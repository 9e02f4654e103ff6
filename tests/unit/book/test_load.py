"""From files to a book and back, and what cannot even be read."""

from pathlib import Path

import pytest

from tokenworth.book.guard import check_margins
from tokenworth.book.load import examine, examine_folder, load, load_files
from tokenworth.book.model import DemoGrant, Model
from tokenworth.book.schema import Trace
from tokenworth.book.starter import STARTER, starter_files, write_starter
from tokenworth.core.errors import BookError, InputError, Problem
from tokenworth.core.instants import parse_instant
from tokenworth.feeds.traces import TRACES

SHOP = {
    "a.toml": """
[book]
name = "Shop"
[suppliers.sim]
kind = "simulated"
speed = 0
[models.m]
supplier = "sim"
name = "m-1"
context = 300000
max_output = 4000
[[models.m.cost]]
from = 2026-01-01
input = "1"
output = "4"
""",
    "b.toml": """
products.chat = { model = "m", description = "Talk" }
plans.payg = { card = "standard", credit_price = "0.01" }
[[cards.standard.rates]]
product = "chat"
from = 2026-01-01
input = "200"
cache_read = "as input"
output = "800.000001"
loss_leader = "a reason"
[customers.t1]
plan = "payg"
[[cards.standard.rates]]
product = "chat"
from = 2026-01-01
above = 1000
input = "400"
cache_read = "40"
output = "1600"
[[customers.t1.grants]]
source = "paid"
amount = "100"
paid = "1"
""",
}
NO_PLANS = SHOP["b.toml"].replace('plans.payg = { card = "standard", credit_price = "0.01" }', "").split("[customers")[0]


def test_a_book_is_typed_and_exact() -> None:
    book = load_files(SHOP)
    terms = book.cards["standard"].terms("chat", "default", parse_instant("2026-01-01"))
    assert [(step.above, step.rates["cache_read"], step.rates["reasoning"]) for step in terms.steps] == [
        (0, 200_000_000, 800_000_001),
        (1000, 40_000_000, 1_600_000_000),
    ]
    assert terms.source == "standard@2026-01-01 chat/default"
    assert book.loss_leaders == {terms.source: "a reason"}
    assert book.costs.terms("m", "default", parse_instant("2026-01-01")).rate("output") == 4_000_000
    assert (book.unit, book.currency, book.plans["payg"].credit_price) == ("credits", "USD", 10_000_000)
    assert book.customers["t1"].grants == (DemoGrant("paid", 100 * 10**9, 10**9),)
    assert (book.suppliers["sim"].speed, book.models["m"].input_allowance) == (0, 512)


def test_rows_of_a_card_may_stand_in_several_files() -> None:
    at = SHOP["b.toml"].rindex("[[cards.standard.rates]]")
    first, later = SHOP["b.toml"][:at], SHOP["b.toml"][at:]
    row, grants = later.split("[[customers")
    files = {
        "a.toml": SHOP["a.toml"],
        "b.toml": f"{first}[[customers{grants}".replace('loss_leader = "a reason"', ""),
        "c.toml": f"\n\n{row.replace('400', '4')}",
    }
    book = load_files(files)
    terms = book.cards["standard"].terms("chat", "default", parse_instant("2026-01-01"))
    assert [step.above for step in terms.steps] == [0, 1000]
    (problem,) = (p for p in check_margins(book, book.costs, parse_instant("2026-06-01")).problems if p.code == "below_cost")
    assert (problem.file, files["c.toml"].split("\n")[problem.line - 1]) == ("c.toml", 'input = "4"')


def test_the_id_is_that_of_the_contents() -> None:
    book = load_files(SHOP)
    assert load_files(book.files).id == book.id
    assert load_files({name: text.replace("\n", "\r\n") for name, text in reversed(SHOP.items())}).id == book.id
    assert load_files(SHOP | {"c.toml": "# nothing"}).id != book.id


def test_problems_of_a_folder_name_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SHOP["a.toml"].replace('name = "Shop"', "nam = 1"))
    (tmp_path / "b.toml").write_text(SHOP["b.toml"])
    (tmp_path / "notes.txt").write_text("not read")
    with pytest.raises(BookError) as caught:
        load(tmp_path)
    assert {(p.file, p.code) for p in caught.value.problems} == {
        (str(tmp_path / "a.toml"), "missing_field"),
        (str(tmp_path / "a.toml"), "unknown_field"),
    }


def test_what_cannot_be_read_says_how_to_begin(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BookError, match="tokenworth init"):
            load(folder)
    with pytest.raises(BookError, match="missing_book"):
        load_files({"a.toml": ""})


def test_a_byte_order_mark_is_no_part_of_a_book(tmp_path: Path) -> None:
    for name, text in SHOP.items():
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert load(tmp_path) == load_files(SHOP)


def test_what_cannot_be_read_hides_no_other_files_problems(tmp_path: Path) -> None:
    for name, text in SHOP.items():
        (tmp_path / name).write_text(text.replace("max_output = 4000", "max_output = 0"))
    (tmp_path / "bytes.toml").write_bytes(b"# one\n# two \xff\n")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "link.toml").symlink_to("nowhere")
    problems = examine_folder(tmp_path)[1]
    assert [(p.file, p.line, p.code) for p in problems] == [
        ("a.toml", 11, "bad_value"),
        ("bytes.toml", 2, "unreadable"),
        ("folder.toml", 1, "unreadable"),
        ("link.toml", 1, "unreadable"),
    ]
    assert [p.mend for p in problems if "UTF-8" in p.mend] == ["save the file as UTF-8"]


@pytest.mark.parametrize(
    ("files", "codes"),
    [
        ({"a.toml": ""}, {"missing_book"}),
        ({"a.toml": '[book]\nname = "x"\n'}, {"no_products", "no_cards", "no_plans"}),
        ({"a.toml": SHOP["a.toml"], "b.toml": NO_PLANS}, {"no_plans"}),
    ],
)
def test_a_book_that_sells_nothing_says_what_it_lacks(files: dict[str, str], codes: set[str]) -> None:
    found = [problem for problem in examine(files)[1] if problem.severity == "error"]
    assert {problem.code for problem in found} == codes
    assert all(problem.mend for problem in found)


def test_a_price_list_is_asked_though_other_things_are_wrong() -> None:
    files = {
        "a.toml": SHOP["a.toml"].replace('name = "m-1"', 'name = "m-1"\nlist_price = "a/b"\ntiers = ["flex"]'),
        "b.toml": SHOP["b.toml"].replace('model = "m"', 'model = "mm"'),
    }
    asked = []

    def refuse(model: Model, currency: str) -> Problem:
        asked.append((model.list_price, currency))
        return Problem("unknown_list_price", "it is not there", "name another")

    assert [(p.file, p.line, p.code) for p in examine(files, refuse)[1]] == [("a.toml", 10, "unknown_list_price"), ("b.toml", 2, "unknown_model")]
    assert asked == [("a/b", "USD")]


def test_a_number_of_thousands_of_digits_is_said_in_short() -> None:
    for digits in ("9" * 5000, f'"{"9" * 5000}"'):
        (problem,) = examine(SHOP | {"b.toml": SHOP["b.toml"].replace('"200"', digits)})[1]
        assert len(str(problem)) < 300
        assert problem.line == 7
        assert "sys." not in str(problem)


def test_the_starter_is_a_book_without_problems(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "book")
    assert [path.name for path in written] == list(STARTER)
    book = load(tmp_path / "book")
    assert (len(book.customers), set(book.products), len(book.plans)) == (16, {"chat", "code", "agent"}, 2)
    assert {supplier.kind for supplier in book.suppliers.values()} == {"simulated"}
    assert book.files == starter_files()


def test_the_starters_real_supplier_is_valid_once_its_comment_marks_are_gone() -> None:
    lines = starter_files()["suppliers.toml"].split("\n")
    start = lines.index("# [suppliers.openai]")
    lines[start : start + 5] = [line.removeprefix("# ") for line in lines[start : start + 5]]
    book = load_files(starter_files() | {"suppliers.toml": "\n".join(lines)})
    assert (book.suppliers["openai"].api_key_env, book.suppliers["openai"].timeout) == ("OPENAI_API_KEY", 600)


def test_a_starter_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("")
    with pytest.raises(InputError, match="mine"):
        write_starter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


def test_the_traces_of_the_schema_are_those_that_ship() -> None:
    assert set(Trace.__args__) == set(TRACES)  # type: ignore[attr-defined]
