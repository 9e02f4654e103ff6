"""What rows say in text: counts of events, drafts of holds, files of books, and the name of a top-up that is asked for."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.book.build import digest_files
from tokenworth.capture.events import Status
from tokenworth.capture.lots import LotState
from tokenworth.core.errors import LedgerError
from tokenworth.store.ledger.codec import event_value
from tokenworth.store.ledger.proof import queries
from tokenworth.store.ledger.proof.queries import Ask
from tokenworth.store.ledger.proof.report import Findings
from tokenworth.store.ledger.proof.sums import Sums


def check_counts(ask: Ask, findings: Findings) -> None:
    """Each event's counts are whole numbers by name."""
    for id_, counts in ask(queries.COUNTS):
        found = _mapping(counts)
        if found is None or not all(type(n) is int and n >= 0 for n in found.values()):
            findings.say(f"event {id_}: its counts are not counts: {counts[:40]}")


def check_draft(id_: str, customer: str, draft: str, findings: Findings) -> None:
    """An open hold's draft is an event of its id and customer, which is what is stored where nobody settles."""
    try:
        event = event_value(orjson.loads(draft))
    except (ValueError, TypeError, IndexError, LedgerError):
        findings.say(f"hold {id_}: its draft is no event")
        return
    if (event.id, event.customer, event.status) != (id_, customer, Status.OPEN):
        findings.say(f"hold {id_} of {customer}: its draft is the event {event.id} of {event.customer}, {event.status}")


def check_pending(ask: Ask, sums: Sums) -> None:
    """The top-up that an account waits for is a pending lot of it."""
    for customer, name in ask(queries.PENDING):
        lot = sums.lots.get(name)
        if lot is None or (lot.customer, lot.state) != (customer, LotState.PENDING):
            sums.findings.say(f"account {customer}: waits for {name}, which is no pending lot of it")


def check_books(ask: Ask, findings: Findings) -> None:
    """A book's files are those of its digest."""
    for id_, files in ask(queries.BOOKS):
        found = _mapping(files)
        if found is None or not all(isinstance(text, str) for text in found.values()) or digest_files(found) != id_:
            findings.say(f"book {id_}: its files are not those of its digest")


def _mapping(text: str) -> Mapping[str, Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
