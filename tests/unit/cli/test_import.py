"""`tokenworth import`: a file is recorded once, whole or not at all, and what is wrong with it is said at once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tokenworth.book.starter import write_starter
from tokenworth.cli import main
from tokenworth.wiring.ledgers import open_reader, verify

Shell = Callable[..., tuple[int, str, str]]
HEADER = "source,id,at,customer,product,input,output"
AT = "2026-03-01T10:00:00Z"
GOOD = [HEADER, f"gw,1,{AT},acme,chat,1000,200", f"gw,2,{AT},acme,code,10,20"]
LEDGER = Path("tokenworth.db")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run commands in a folder with the starter book and a customer with credits; returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    write_starter(tmp_path / "shop")

    def run(line: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as done:
            main(line.split(" "))
        said = capsys.readouterr()
        return int(done.value.code or 0), said.out, said.err

    run("customers add acme --plan payg --book shop")
    run("grants add acme 5000 --source paid --paid 50")
    return run


def answer(shell: Shell, line: str, code: int = 0) -> Any:
    got, out, err = shell(f"{line} --json")
    assert got == code, err
    return json.loads(out)


def write(*lines: str) -> None:
    Path("u.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def stored() -> list[tuple[str, int]]:
    with open_reader(LEDGER) as reader:
        return [(event.product, event.charge) for event in reader.read()]


def test_a_file_counts_once(shell: Shell) -> None:
    write(*GOOD)
    told = answer(shell, "import u.csv --book shop")
    # 1,000 x 150 + 200 x 900 and 10 x 400 + 20 x 2,000 a million
    assert (told["accepted"], told["charged"], told["unit"]) == (2, "0.374", "credits")
    assert sorted(stored()) == [("chat", 330_000_000), ("code", 44_000_000)]
    again = answer(shell, "import u.csv")
    assert (again["accepted"], again["duplicate"], again["charged"]) == (0, 2, "0")
    assert shell("import u.csv")[1] == "0 uses recorded, 0 credits charged\n2 were known already\n"
    assert verify(LEDGER).problems == []


BAD = [
    f"gw,3,{AT},acme,cht,1,1",
    "gw,4,2026-03-01,acme,chat,1,1",
    f"gw,5,{AT},nobody,chat,1,1",
    f"gw,1,{AT},acme,chat,1000,201",
    f"gw,6,{AT},acme,chat,,",
]
PROBLEMS = [
    ("unknown_product", 4, "product"),
    ("bad_instant", 5, "at"),
    ("unknown_customer", 6, "customer"),
    ("idempotency_key_reused", 7, "id"),
    ("no_usage", 8, "counts"),
]


def test_nothing_of_a_bad_file_is_recorded_unless_it_is_asked_for(shell: Shell) -> None:
    write(*GOOD, *BAD)
    code, out, err = shell("import u.csv --book shop")
    assert (code, out) == (2, "")
    assert [line.split(" ")[0] for line in err.splitlines()] == [f"u.csv:{line}:" for _, line, _ in PROBLEMS]
    assert stored() == []
    code, out, err = shell("import u.csv --book shop --json")
    error = json.loads(err)["error"]
    assert (code, error["code"], [(each["code"], each["line"], each["field"]) for each in error["problems"]]) == (2, "bad_files", PROBLEMS)
    assert all(each["file"] == "u.csv" for each in error["problems"])
    told = answer(shell, "import u.csv --book shop --partial", code=1)
    assert (told["accepted"], told["refused"], len(told["problems"])) == (2, 5, 5)
    assert len(stored()) == 2
    code, out, err = shell("import u.csv --partial")
    assert (code, out) == (1, "0 uses recorded, 0 credits charged\n2 were known already\n5 were left out\n")
    assert len(err.splitlines()) == 5


def test_a_use_that_is_recorded_with_other_contents_makes_a_file_bad(shell: Shell) -> None:
    write(*GOOD)
    answer(shell, "import u.csv --book shop")
    write(HEADER, f"gw,7,{AT},acme,chat,1,1", f"gw,2,{AT},acme,code,10,21")
    code, _, err = shell("import u.csv")
    assert (code, "u.csv:3: id: " in err, len(stored())) == (2, True, 2)


def test_a_dry_run_changes_nothing(shell: Shell) -> None:
    write(*GOOD, BAD[0])
    before = LEDGER.read_bytes()
    told = answer(shell, "import u.csv --book shop --dry-run", code=1)
    assert (told["accepted"], told["refused"], told["charged"], told["dry_run"]) == (2, 1, "0.374", True)
    assert LEDGER.read_bytes() == before


def test_without_a_book_or_a_source_it_says_what_is_missing(shell: Shell) -> None:
    write(*GOOD)
    code, _, err = shell("import u.csv")
    assert (code, "--book DIR" in err) == (2, True)
    write(HEADER.removeprefix("source,"), f"1,{AT},acme,chat,1,1")
    assert shell("import u.csv --book shop")[0] == 2
    assert answer(shell, "import u.csv --book shop --source gw")["accepted"] == 1


def test_rows_of_litellm(shell: Shell) -> None:
    shell("customers add team-1 --plan payg --book shop")
    golden = Path(__file__).parent.parent.parent / "golden" / "litellm_spend_logs.jsonl"
    Path("log.jsonl").write_bytes(golden.read_bytes())
    told = answer(shell, "import log.jsonl --book shop --format litellm --customer team_id --partial", code=1)
    # claude is asked for under no name of the book's, an embedding is not sold, one response id repeats
    assert (told["accepted"], told["refused"]) == (3, 3)
    assert sorted((each["line"], each["code"]) for each in told["problems"]) == [
        (2, "unknown_product"),
        (4, "unknown_product"),
        (5, "idempotency_key_reused"),
    ]
