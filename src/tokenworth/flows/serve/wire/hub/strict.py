"""Reading a request field by field: what nobody reads cannot be translated, and is named."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tokenworth.flows.exact_json import decode
from tokenworth.flows.serve.refusal import Refusal, bad_request


def untranslatable(param: str) -> Refusal:
    """Return the refusal of what the supplier's format cannot say."""
    what = f"`{param}` cannot be translated without loss into what the supplier of this model speaks. Leave it out, or ask for another model."
    return bad_request(what, param, code="untranslatable_field")


class Taker:
    """An object of a request, whose fields are taken one by one; `close` refuses what is left. `path` is where it stands in the body."""

    def __init__(self, values: Any, path: str = "") -> None:
        """Take over an object; Refusal (400) where it is none."""
        if not isinstance(values, Mapping):
            raise bad_request(f"`{path}` must be an object.", path)
        self._left = {name: value for name, value in values.items() if value is not None}
        self.path = path

    def at(self, name: str) -> str:
        """Return where a field stands."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether a field is there, not null, and not taken yet."""
        return name in self._left

    def take(self, name: str, *kinds: type) -> Any:
        """Return a field of one of these types, None where it is absent; Refusal (400) where it is of another."""
        value = self._left.pop(name, None)
        if value is not None and kinds and not (isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)):
            raise bad_request(f"`{self.at(name)}` must be of another type.", self.at(name))
        return value

    def text(self, name: str) -> str:
        """Return a text, empty where it is absent."""
        value: str = self.take(name, str) or ""
        return value

    def inner(self, name: str) -> "Taker | None":
        """Return an object inside this one."""
        value = self.take(name)
        return None if value is None else Taker(value, self.at(name))

    def listed(self, name: str) -> Iterator["Taker"]:
        """Yield the objects of a list."""
        for at, value in enumerate(self.take(name, list) or ()):
            yield Taker(value, f"{self.at(name)}.{at}")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.take(name, list) or []
        if not all(isinstance(one, str) for one in value):
            raise bad_request(f"`{self.at(name)}` must be a list of texts.", self.at(name))
        return tuple(value)

    def drop(self, *names: str) -> None:
        """Pass over fields that say nothing to the supplier."""
        for name in names:
            self._left.pop(name, None)

    def neutral(self, **values: Any) -> None:
        """Pass over fields that say what holds without them too."""
        for name, value in values.items():
            if name in self._left and self._left[name] == value:
                del self._left[name]

    def close(self) -> None:
        """Refuse what is left."""
        for name in self._left:
            raise untranslatable(self.at(name))


def read_json(text: str, path: str) -> dict[str, Any]:
    """Return the object that a text is, an empty one of an empty text; Refusal (400) where it is none."""
    try:
        found = decode((text or "{}").encode())
    except orjson.JSONDecodeError:
        raise untranslatable(path) from None
    if not isinstance(found, dict):
        raise untranslatable(path)
    return found


def split_data_url(url: str) -> tuple[str, str] | None:
    """Return media type and base64 of a data URL; None of any other."""
    head, comma, data = url.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        return None
    return head.removeprefix("data:").removesuffix(";base64"), data


def data_url(media_type: str, data: str) -> str:
    """Return base64 as a data URL."""
    return f"data:{media_type};base64,{data}"
