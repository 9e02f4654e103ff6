"""OpenAI's embeddings: to suppliers that speak them, all passes through but the model's name. There is no output to bill."""

from collections.abc import Mapping
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire import fields, openai
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.format import Bridge, Format
from tokenworth.flows.serve.wire.tap import Asked, Tap
from tokenworth.flows.serve.wire.unpriceable import check_fields
from tokenworth.flows.serve.wire.whole import WholeTap

API = "embeddings"
PATH = "/embeddings"


def parse(raw: bytes) -> Ask:
    """Parse a body once; Refusal (400) names the field that is missing, of the wrong kind, or without a worst case."""
    body = fields.read_body(raw)
    product = fields.product(body)
    given = body.get("input")
    if not given or not isinstance(given, str | list):
        raise bad_request("`input` must be text, tokens, or a list of either.", "input", code="missing_required_parameter")
    check_fields(body)
    inputs = given if isinstance(given, list) and not _is_tokens(given) else [given]
    return Ask(
        api=API,
        body=body,
        size=len(raw),
        product=product,
        tier=fields.tier(body),
        stream=False,
        output_limit=0,
        choices=1,
        text_only=all(isinstance(one, str) or _is_tokens(one) for one in inputs),
        prompt_fields=("input",),
        prompts=len(inputs),
        prompt_tokens=sum(len(one) for one in inputs if _is_tokens(one)),
    )


def supplier_body(ask: Ask, model: Model) -> dict[str, Any]:
    """Return the request as the supplier gets it: untouched but for the model's name and the tier."""
    body = {**ask.body, "model": model.name}
    if "service_tier" in body and body["service_tier"] not in model.tiers:
        del body["service_tier"]
    return body


def _is_tokens(one: Any) -> bool:
    return isinstance(one, list) and bool(one) and all(type(token) is int for token in one)


class EmbeddingTap(WholeTap):
    """An answer in one piece, the only kind."""

    field = "data"

    def __init__(self, asked: Asked) -> None:
        """Start to read the answer to a request."""
        super().__init__()
        self._product = asked.ask.product

    def _read_whole(self, content: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        if content.get("usage"):
            self.usage = content["usage"]
        if "model" in content:
            content["model"] = self._product
        return None, content


def make_tap(asked: Asked) -> Tap:
    """Return the reader of an answer."""
    return EmbeddingTap(asked)


FORMAT = Format(API, PATH, parse, openai.error, openai.last_event)
SAME = Bridge(API, PATH, supplier_body, make_tap, openai.refused)
