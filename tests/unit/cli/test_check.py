"""`tokenworth init` and `tokenworth check` as an operator meets them: exit codes, places, a table that lines up."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tokenworth.cli import cli

AT = "2026-11-23"


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, args)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert run("init", str(tmp_path / "book")).exit_code == 0
    return tmp_path / "book"


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


def test_the_starter_passes(folder: Path) -> None:
    result = run("check", str(folder), "--at", AT)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Worst: chat at flex, output, margin 26.0 %." in result.stdout
    assert "Loss leader agent at flex: brings batch work to idle hours" in result.stdout


def test_columns_line_up(folder: Path) -> None:
    lines = run("check", str(folder), "--at", AT).stdout.split("\n")
    table = [line for line in lines if line.startswith((" chat", " code", " agent"))]
    assert len(table) == 20
    assert len({line.index("%") for line in table}) == 1
    assert len({tuple(at for at, sign in enumerate(line) if sign == ".") for line in table}) == 1


def test_every_starter_margin_is_sensible_but_the_one_that_says_why(folder: Path) -> None:
    data = json.loads(run("check", str(folder), "--at", AT, "--json").stdout)
    assert data["good"]
    for row in data["rows"]:
        if row["loss_leader"]:
            assert float(row["margin"]) < 0
        else:
            assert 0.25 <= float(row["margin"]) <= 0.6


def test_below_cost_is_exit_1_with_file_and_line(folder: Path) -> None:
    edit(folder, "cards.toml", 'output = "900"', 'output = "90"')
    result = run("check", str(folder), "--at", AT)
    line = (folder / "cards.toml").read_text().split("\n").index('output = "90"') + 1
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{folder}/cards.toml:{line}: cards.standard.rates[0].output: chat at default, output: brings 0.72 USD")
    assert "BELOW COST" in result.stdout


def test_an_invalid_book_is_exit_2_with_all_problems(folder: Path) -> None:
    edit(folder, "cards.toml", 'input = "150"\ncache', "input = 150.5\ncache")
    edit(folder, "products.toml", '"gpt-mini"', '"gpt-mni"')
    result = run("check", str(folder))
    assert result.exit_code == 2
    assert [line.rpartition(" ")[2] for line in result.stderr.strip().split("\n")] == ["[float]", "[unknown_model]"]
    assert "did you mean gpt-mini?" in result.stderr
    assert json.loads(run("check", str(folder), "--json").stdout)["problems"][0]["code"] == "float"


def test_unknown_costs_are_exit_2_and_told_with_all_else(folder: Path) -> None:
    edit(folder, "suppliers.toml", "moonshotai/kimi-k2.6", "moonshotai/kimi-k2.99")
    edit(folder, "products.toml", '"sonnet"', '"sonet"')
    for command in ("check", "serve"):
        result = run(command, str(folder))
        assert (result.exit_code, "[unknown_model]" in str(result.stderr) + str(result.exception)) == (2 if command == "check" else 1, True)
        assert "[unknown_model]" in str(result.stderr) + str(result.exception)
        assert "kimi-k2.99" in str(result.stderr) + str(result.exception)


def test_init_refuses_to_overwrite(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run("init", str(folder)).exit_code != 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_no_folder_is_exit_2(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "nowhere"))
    assert (result.exit_code, "tokenworth init" in result.stderr) == (2, True)
