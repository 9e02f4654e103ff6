"""One table against its schema: the typed table, with stand-ins where fields are wrong, and what is wrong."""

import tomllib
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tokenworth.book.explain import explain
from tokenworth.book.schema import Table


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field. `path` leads to it from the table, empty where the whole is no table."""

    code: str
    what: str
    mend: str
    path: tuple[str | int, ...]

    @property
    def field(self) -> str:
        """The field of the table that is wrong."""
        return str(self.path[0]) if self.path else ""


def validate(schema: type[Table], fields: Any) -> tuple[Table, list[Fault]]:
    """Return the table that fields make, and their faults. A wrong field has its default, a required one the example of its documentation."""
    try:
        return schema.model_validate(fields), []
    except ValidationError as error:
        faults = [Fault(*explain(detail, schema), detail["loc"]) for detail in error.errors(include_url=False)]
    kept = fields if isinstance(fields, dict) else {}
    wrong = {fault.field for fault in faults}
    return schema.model_validate(_stand_ins(schema) | {name: value for name, value in kept.items() if name not in wrong}), faults


def _stand_ins(schema: type[Table]) -> dict[str, Any]:
    """Return a valid value for each required field."""
    required = {info.alias or name: info for name, info in schema.model_fields.items() if info.is_required()}
    return {name: tomllib.loads(f"it = {(info.examples or [])[0]}")["it"] for name, info in required.items()}
