"""What pydantic found wrong with a field, in the words of the book: code, what, mend."""

from typing import get_args

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tokenworth.book.fields import kind
from tokenworth.book.schema import Table
from tokenworth.book.suggest import did_you_mean
from tokenworth.core.units import UNITS

NEAR_UNITS = 3
WRONG_TYPE = {"string_type": "text", "int_type": "a whole number", "list_type": "a list", "bool_type": "true or false"}


def explain(detail: ErrorDetails, schema: type[Table]) -> tuple[str, str, str]:
    """Return the stable code, what is wrong and the mend of one finding about a table of a schema."""
    loc, context = detail["loc"], detail.get("ctx", {})
    name = str(loc[-1]) if loc else ""
    found = detail["type"]
    match found:
        case "extra_forbidden":
            said = _unknown(name, schema)
        case "missing":
            said = "missing_field", f"{name} is missing", _example(name, schema)
        case "literal_error":
            said = "bad_value", f"{detail['input']!r} is not known here", did_you_mean(detail["input"], _choices(schema, loc))
        case "model_type" | "model_attributes_type":
            said = "wrong_type", f"{kind(detail['input'])} where a table is expected", "write { field = value, ... } or a table of its own"
        case "int_type" if str(detail["input"]).isdigit():
            said = "wrong_type", "a whole number stands without quotes", f"write {name} = {detail['input']}"
        case _ if found in WRONG_TYPE:
            said = "wrong_type", f"{kind(detail['input'])} where {WRONG_TYPE[found]} is expected", _example(name, schema)
        case _ if "mend" in context:
            said = found, str(context["what"]), str(context["mend"])
        case _:
            said = "bad_value", f"{detail['input']!r} {detail['msg'].removeprefix('Input ')}", _documentation(name, schema)
    return said


def _field(name: str, table: type[Table]) -> FieldInfo | None:
    return next((info for key, info in table.model_fields.items() if name in (key, info.alias)), None)


def _unknown(name: str, table: type[Table]) -> tuple[str, str, str]:
    known = [info.alias or key for key, info in table.model_fields.items()]
    # in a row of rates every other key is a unit, so the nearest is more use than the list
    is_rates = "input" in known
    code = "unknown_unit" if is_rates else "unknown_field"
    what = f"{name} is neither a field nor a unit" if is_rates else f"there is no field {name}"
    mend = did_you_mean(name, known)
    if is_rates and not mend.startswith("did"):
        mend = f"units are {', '.join(UNITS)}"
    return code, what, mend


def _example(name: str, table: type[Table]) -> str:
    info = _field(name, table)
    if info is None:
        return ""
    example = f"write {name} = {info.examples[0]}" if info.examples else ""
    return ": ".join(part for part in (example, _documentation(name, table)) if part)


def _documentation(name: str, table: type[Table]) -> str:
    info = _field(name, table)
    text = (info.description or "") if info else ""
    return (text[:1].lower() + text[1:]).rstrip(".") if text[1:2].islower() else text.rstrip(".")


def _choices(schema: type[Table], loc: tuple[str | int, ...]) -> list[str]:
    """Return the values of the Literal at `loc`, also inside a list or beside None."""
    name = next(part for part in reversed(loc) if isinstance(part, str))
    info = _field(name, schema)
    pending, found = [info.annotation if info else None], []
    while pending:
        for part in get_args(pending.pop()):
            found.append(part) if isinstance(part, str) else pending.append(part)
    return found
