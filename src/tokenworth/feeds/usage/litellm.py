"""Rows of LiteLLM's spend log (table LiteLLM_SpendLogs of 1.106), from its database, its API or a file.

`request_id` names a row. LiteLLM takes the provider's response id for it, which some providers repeat (BerriAI/litellm#28376) or leave out
(#39749): a repeat with other contents is refused by the ledger, and a row without one here. Its times are UTC, also where a database writes
them without an offset.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UsageError
from tokenworth.feeds.usage.cells import Cells
from tokenworth.flows.elsewhere.reported import Read, Reported
from tokenworth.measure.usage import litellm
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import DEFAULT_TIER

FEED = SOURCE = "litellm"
CUSTOMERS = ("end_user", "team_id", "organization_id", "user", "api_key")
"""Columns that may hold our customer's id; LiteLLM calls `end_user` a customer."""
CALLS = frozenset(
    {
        "",
        "completion",
        "text_completion",
        "embedding",
        "responses",
        "anthropic_messages",
        "generate_content",
        "generate_content_stream",
    }
)
"""Kinds of calls that use tokens; LiteLLM begins those of its asynchronous functions with an `a`."""
NO_CALLS = frozenset({"get_responses", "list_input_items", "delete_responses", "cancel_responses"})
"""Calls that only look at an answer: some versions log its tokens once more (BerriAI/litellm#17814)."""
NO_IDS = ("", "None", "null")
TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")
FAILURE = "failure"


def read(number: int, values: Mapping[str, Any], *, customer: str = "end_user") -> Read:
    """Read a row; `customer` names the column with our customer's id."""
    cells = Cells(values, utc=True)
    id_ = "" if values.get("request_id") in NO_IDS else cells.text("request_id", need=True)
    if not id_ and not cells.problems:
        cells.wrong("missing_field", "the row has no request_id", "without one it cannot be told from a repeat of itself", "request_id")
    call = cells.text("call_type")
    if not cells.problems and (call in NO_CALLS or call.removeprefix("a") in NO_CALLS):
        return Read(number, SOURCE, id_)
    if call not in CALLS and call.removeprefix("a") not in CALLS:
        cells.wrong("unknown_call", f"call_type {call} is not known to use tokens alone", "leave the row out, or charge it otherwise", "call_type")
    found = _reported(cells, id_, customer)
    problems = tuple(cells.problems)
    return Read(number, SOURCE, id_, None if problems else found, problems)


def _reported(cells: Cells, id_: str, customer: str) -> Reported:
    at = cells.instant("startTime", need=True)
    ended = cells.instant("endTime") or at
    first = cells.instant("completionStartTime") or ended
    metadata = cells.object("metadata")
    failed = FAILURE in (cells.text("status"), metadata.get("status"))
    usage = _usage(cells, metadata, failed=failed)
    counts = dict(usage.counts) if usage else {}
    return Reported(
        source=SOURCE,
        id=id_,
        customer=cells.text(customer, need=True),
        feed=FEED,
        at=at,
        ended=max(ended, at),
        counts=counts,
        asked=tuple(name for name in [cells.text("model_group")] if name),
        served=tuple(name for name in [_model(cells)] if name),
        tier=_tier(metadata),
        first_token=max(first - at, 0),
        failed=failed and not counts,
        from_cache=cells.flag("cache_hit") if cells.values.get("cache_hit") != "None" else False,
    )


def _model(cells: Cells) -> str:
    """Return the model's name as the provider has it; LiteLLM puts the provider before some."""
    model, provider = cells.text("model"), cells.text("custom_llm_provider")
    if not (model or cells.has("model_group")):
        cells.wrong("missing_field", "neither model_group nor model is named", "a use is of a product", "model")
    return model.removeprefix(f"{provider}/") if provider else model


def _usage(cells: Cells, metadata: Mapping[str, Any], *, failed: bool) -> Usage | None:
    """Return disjoint counts: of the usage object that the metadata keeps, else of the columns and what was added to them."""
    columns = {name: count for name in TOTALS if (count := cells.count(name)) is not None}
    whole = metadata.get("usage_object")
    if not isinstance(whole, Mapping) or not any(whole.get(name) is not None for name in TOTALS):
        added = metadata.get("additional_usage_values")
        whole = {**(added if isinstance(added, Mapping) else {}), **columns}
        # zero is what the columns hold where nothing was told
        if not any(columns.values()):
            if not failed:
                cells.wrong("no_usage", "the row has no usage", "have LiteLLM ask for usage in streams, or estimate it", "total_tokens")
            return None
    try:
        for name, count in columns.items():
            if count and whole.get(name) not in (None, count):
                cells.wrong("bad_usage", f"{name} is {count}, but {whole[name]} in the usage object", "check the row", name)
        return litellm.usage(whole)
    except UsageError as error:
        cells.wrong(error.code, error.what, error.mend, "metadata")
        return None


def _tier(metadata: Mapping[str, Any]) -> str:
    """Return the service tier that the provider says it served."""
    whole = metadata.get("usage_object")
    told = whole.get("service_tier") if isinstance(whole, Mapping) else None
    return told if isinstance(told, str) and told not in ("", "standard", "auto") else DEFAULT_TIER
