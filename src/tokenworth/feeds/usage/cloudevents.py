"""CloudEvents 1.0 as structured JSON, one event or a batch (CloudEvents JSON event format, 1.0.2).

`source` and `id` name the use, `time` is its own time, `subject` the customer, `data` the rest, with the fields of our rows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tokenworth.core.errors import InputError, Problem
from tokenworth.feeds.usage import rows
from tokenworth.feeds.usage.cells import Cells
from tokenworth.flows.elsewhere.reported import Read

FEED = "cloudevents"
ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
TYPE = "tokenworth.usage"
"""The `type` of events that tell of usage; others are no use at all."""
JSON_TYPES = ("", "application/json")


def parse(body: bytes, *, batch: bool) -> list[Any]:
    """Return the events of a message, not looked into; InputError where it is no JSON of that kind."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}", mend="send CloudEvents in JSON's structured mode", code="invalid_json") from None
    if isinstance(content, list) is not batch:
        kind, other = ("a list of events", BATCH) if isinstance(content, list) else ("one event", ONE)
        raise InputError(f"the body is {kind}", mend=f"its content type is {other}", code="invalid_json")
    return content if batch else [content]


def read(events: list[Any]) -> Iterator[Read]:
    """Yield what each event tells."""
    for number, event in enumerate(events, start=1):
        yield read_one(number, event)


def read_one(number: int, event: Any) -> Read:
    """Read one event: the attributes that name it, then its data."""
    if not isinstance(event, Mapping):
        return Read(number, problems=(Problem("invalid_json", "the event is not an object", "send CloudEvents in JSON's structured mode"),))
    cells = Cells(event)
    source, id_, kind = cells.text("source", need=True), cells.text("id", need=True), cells.text("type", need=True)
    if event.get("specversion") != "1.0":
        cells.wrong("bad_specversion", "specversion is not 1.0", "send CloudEvents 1.0", "specversion")
    if kind and kind != TYPE and not cells.problems:
        return Read(number, source, id_)
    data = _data(cells)
    customer = cells.text("subject") or data.get("customer")
    if "customer" in data and customer != data["customer"]:
        cells.wrong("bad_field", "subject and data.customer differ", "name the customer once", "subject")
    for name in ("id", "source", "at"):
        if name in data:
            cells.wrong("unknown_field", f"data has {name}, which the event itself has", "leave it out", f"data.{name}")
    values = {**data, "source": source, "id": id_, "customer": customer, "at": event.get("time")}
    found = rows.read(number, values, feed=FEED)
    told = {each.field for each in cells.problems}
    unread = not told.isdisjoint(("data", "datacontenttype"))
    places = {"customer": "subject", "at": "time", "id": "id", "source": "source"}
    mine = [_at(each, places.get(each.field) or f"data.{each.field}") for each in found.problems]
    # of data that cannot be read nothing more is to be said
    mine = [each for each in mine if each.field not in told and not (unread and each.field.startswith("data."))]
    problems = (*cells.problems, *mine)
    return Read(number, source, id_, None if problems else found.found, problems)


def _data(cells: Cells) -> Mapping[str, Any]:
    if cells.text("datacontenttype").partition(";")[0].strip() not in JSON_TYPES or "data_base64" in cells.values:
        cells.wrong("bad_field", "the data is not JSON", "send data as a JSON object", "datacontenttype")
        return {}
    data = cells.object("data")
    if not data and not cells.problems:
        cells.wrong("missing_field", "data is missing", "it names the product and what was used", "data")
    return data


def _at(problem: Problem, field: str) -> Problem:
    what = problem.what.replace("at ", "time ", 1) if field == "time" else problem.what
    return Problem(problem.code, what, problem.mend, field=field)
