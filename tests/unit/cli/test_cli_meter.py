"""`tokenworth meter`: JSON lines for programs, tables for people, an exit code for both."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tokenworth.cli.meter import command

GOOD = json.dumps(
    {
        "provider": "anthropic",
        "api": "messages",
        "model": "claude-sonnet-4-5",
        "at": "2026-01-31",
        "payload": {"input_tokens": 10, "output_tokens": 4, "server_tool_use": {"web_search_requests": 3}},
    }
)
ANSWER = {
    "line": 1,
    "provider": "anthropic",
    "model": "claude-sonnet-4-5",
    "counts": {"input": 10, "output": 4, "web_search": 3},
    # 10 x $3 and 4 x $15 a million, 3 x $10 a thousand
    "list_cost_usd": "0.03009",
    "prices": [
        {"unit": "input", "count": 10, "usd_per_million": "3", "usd": "0.00003"},
        {"unit": "output", "count": 4, "usd_per_million": "15", "usd": "0.00006"},
        {"unit": "web_search", "count": 3, "usd_per_million": "10000", "usd": "0.03"},
    ],
    "source": "genai-prices 0.2.3 anthropic/claude-sonnet-4-5",
}


def test_json_of_standard_input() -> None:
    done = CliRunner().invoke(command, ["--json"], input=GOOD)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == ANSWER


def test_a_bad_line_is_a_line_and_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "usage.jsonl"
    file.write_bytes(GOOD.encode() + b"\n\xff\n" + GOOD.encode())
    done = CliRunner().invoke(command, [str(file), "--json"])
    first, bad, last = map(json.loads, done.stdout.splitlines())
    assert done.exit_code == 1
    assert (first, last) == (ANSWER, ANSWER | {"line": 3})
    assert bad["line"] == 2
    assert set(bad["error"]) == {"code", "what", "mend"}
    assert bad["error"]["code"] == "bad_json"


@pytest.mark.parametrize("source", ["-", None])
def test_tables_end_with_the_same_total(source: str | None) -> None:
    done = CliRunner().invoke(command, [source] if source else [], input=f"{GOOD}\n{GOOD}\nnot json\n")
    assert done.exit_code == 1
    totals = [row.split() for row in done.stdout.splitlines() if row.strip().startswith("total")]
    assert totals == [["total", "2", "20", "8", "0.06018"], ["total", "0.06018"]]
    assert "line 3: not JSON" in done.stderr
    assert "1 lines failed" in done.stderr


def test_a_file_that_is_not_there_is_said() -> None:
    done = CliRunner().invoke(command, ["nowhere.jsonl"])
    assert done.exit_code == 2
    assert "nowhere.jsonl" in done.stderr
