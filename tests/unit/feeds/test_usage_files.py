"""Files record by record, with the line of what is wrong."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.events import START, draft, settled
from tokenworth.core.errors import InputError
from tokenworth.core.instants import parse_instant
from tokenworth.feeds.usage.files import UsageFile
from tokenworth.flows.elsewhere.reported import Read
from tokenworth.store.events_text import write_csv, write_jsonl
from tokenworth.store.lake.parquet import write_parquet

HEADER = "source,id,at,customer,product,input,output"
AT = "2026-03-01T10:00:00+09:00"


def read(path: Path, text: str | bytes, **how: str) -> list[Read]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(UsageFile(path, **how).read())


def wrong(reads: list[Read]) -> list[tuple[int, str]]:
    return [(each.number, problem.code) for each in reads for problem in each.problems]


def test_rows_of_a_csv(tmp_path: Path) -> None:
    first, second = read(tmp_path / "u.csv", f'\ufeff{HEADER}\r\ngw,1,{AT},ada,chat,10,2\r\ngw,2,{AT},ada,"chat",,0\r\n')
    assert first.found is not None
    assert second.found is not None
    assert (first.number, first.found.at, first.found.counts) == (2, parse_instant("2026-03-01T01:00:00Z"), {"input": 10, "output": 2})
    # a zero that is stated is a count, an empty cell is none
    assert (second.number, second.found.counts) == (3, {})


CSV: dict[str, tuple[str | bytes, list[tuple[int, str]]]] = {
    "an empty file": ("", [(1, "bad_header")]),
    "a column twice": ("id,id\n1,2\n", [(1, "bad_header")]),
    "more cells, fewer cells": (f"{HEADER}\ngw,1,{AT},ada,chat,1,2,3\ngw,2\n", [(2, "bad_csv"), (3, "bad_csv")]),
    "a quote that does not end": (f'{HEADER}\ngw,1,{AT},"ada,chat,1,2\n', [(2, "bad_csv")]),
    "other bytes": (HEADER.encode() + b"\ngw,1,\xff", [(2, "bad_encoding")]),
    "a column that nobody knows": (f"{HEADER},prce\ngw,1,{AT},ada,chat,1,2,3\n", [(2, "unknown_field")]),
    "lines after a cell with a line break": (
        f'{HEADER}\ngw,1,{AT},ada,"chat",1,"\n"\ngw,2,{AT},ada,chat,x,2\n',
        [(3, "bad_usage"), (4, "bad_usage")],
    ),
    "numbers that are none": (f"{HEADER}\ngw,1,{AT},ada,chat,1.5,2\ngw,2,{AT},ada,chat,-1,2\n", [(2, "bad_usage"), (3, "bad_usage")]),
}


@pytest.mark.parametrize("case", CSV)
def test_what_is_wrong_in_a_csv_has_its_line(tmp_path: Path, case: str) -> None:
    text, expected = CSV[case]
    assert wrong(read(tmp_path / "u.csv", text)) == expected


def test_json_lines(tmp_path: Path) -> None:
    good = {"source": "gw", "id": "1", "at": AT, "customer": "ada", "product": "chat", "counts": {"input": 3}}
    lines = [json.dumps(good), "", "{", "[]", '{"id": 1, "id": 2}', json.dumps(good | {"id": "2", "counts": {"input": "x"}})]
    found = read(tmp_path / "u.jsonl", "\n".join(lines))
    assert found[0].found is not None
    assert wrong(found) == [(3, "bad_json"), (4, "bad_json"), (5, "duplicate_key"), (6, "bad_usage")]


def test_spans_that_a_collector_wrote(tmp_path: Path) -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "tokenworth.customer": "ada"}
    pairs = [{"key": name, "value": {"stringValue": value}} for name, value in attributes.items()]
    counts = [{"key": f"gen_ai.usage.{name}_tokens", "value": {"intValue": "7"}} for name in ("input", "output")]
    span = {
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "startTimeUnixNano": str(START * 1000),
        "endTimeUnixNano": str(START * 1000),
        "attributes": pairs + counts,
    }
    line = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span, {**span, "spanId": "c" * 16}]}]}]})
    found = read(tmp_path / "u.jsonl", f'{line}\n[]\n{{"resourceSpans": 1}}\n', form="otlp")
    assert [each.found.id[-16:] for each in found if each.found] == ["b" * 16, "c" * 16]
    assert wrong(found) == [(2, "bad_json"), (3, "invalid_json")]


def test_parquet_has_rows(tmp_path: Path) -> None:
    names = ["source", "id", "at", "customer", "product", "input"]
    aware = pa.array([START, START, None], pa.timestamp("us", tz="Asia/Tokyo"))
    columns = [["gw"] * 3, ["1", "2", "3"], aware, ["ada"] * 3, ["chat"] * 3, [5, -5, 5]]
    path = tmp_path / "u.parquet"
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), path)
    found = list(UsageFile(path).read())
    assert found[0].found is not None
    assert found[0].found.at == START
    assert wrong(found) == [(2, "bad_usage"), (3, "missing_field")]
    # a time without a zone may be of any day
    pq.write_table(pa.table(dict(zip(names, [*columns[:2], pa.array([START] * 3, pa.timestamp("us")), *columns[3:]], strict=True))), path)
    assert [code for _, code in wrong(list(UsageFile(path).read()))].count("bad_instant") == 3
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match="is no Parquet"):
        list(UsageFile(path).read())


@pytest.mark.parametrize(("name", "write"), [("e.csv", write_csv), ("e.jsonl", write_jsonl), ("e.parquet", write_parquet)])
def test_what_is_exported_can_be_imported(tmp_path: Path, name: str, write: object) -> None:
    event = settled(draft(1), 5, counts={"input": 4, "cache_write_1h": 2, "output": 1}, first_token=7)
    write([event], tmp_path / name)  # type: ignore[operator]
    (found,) = UsageFile(tmp_path / name, source="old ledger").read()
    assert found.problems == ()
    assert found.found is not None
    assert (found.found.id, found.found.counts, found.found.at, found.found.ended) == (event.id, event.counts, event.at, event.ended)
    assert (found.found.product, found.found.served, found.found.first_token) == ("chat", ("m",), 7)


def test_a_file_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.csv, \.jsonl"):
        read(tmp_path / "u.xlsx", b"")
    with pytest.raises(InputError, match="cannot be read"):
        list(UsageFile(tmp_path / "absent.csv").read())


def test_how_far_it_is_is_told(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text("\n".join([HEADER, *(f"gw,{number},{AT},ada,chat,1,2" for number in range(5_000))]), encoding="utf-8")
    told: list[float] = []
    assert len(list(UsageFile(tmp_path / "u.csv").read(told.append))) == 5_000
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) > 3
