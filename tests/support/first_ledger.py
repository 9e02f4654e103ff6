"""What the ledger `ledger_v1.sql` in tests/golden went through, in commands that the first version knew too."""

from pathlib import Path

from tests.support.events import START, done, draft, failed, open_ledger, settled
from tokenworth.book.build import digest_files
from tokenworth.capture.commands import Expire, Grant, Hold, OpenAccount, Release, Settle, Source
from tokenworth.store.sqlite.books import apply_book
from tokenworth.store.sqlite.directory import Registry

MINUTE = 60_000_000
BOOK = {"book.toml": "# made by a test"}
COMMANDS = (
    # ada: given credits first, then two paid lots; the second settlement and the open hold cross lots
    OpenAccount("ada", "credits", "USD", START),
    Grant("gift", "ada", 300, Source.PROMOTIONAL, 0, START),
    Grant("invoice-1", "ada", 1_000, Source.PAID, 333, START),
    Grant("invoice-2", "ada", 5_000, Source.PAID, 2_000, START),
    Hold(draft(1), 200, START + MINUTE, "first", "a"),
    Settle(settled(draft(1), 150, counts={"input": 12, "output": 3}, cost=70, first_token=9)),
    Hold(draft(2), 900, START + MINUTE),
    Settle(settled(draft(2), 901, alarm="estimated", cost=10**10 + 7)),
    Hold(draft(3), 400, START + 60 * MINUTE, "third", "c"),
    # bob: a charge beyond all credits, repaid by the next grant, and once more by credits that a release frees
    OpenAccount("bob", "credits", "USD", START),
    Grant("bob-1", "bob", 100, Source.PAID, 50, START),
    Hold(draft(4, "bob"), 100, START + MINUTE),
    Settle(settled(draft(4, "bob"), 170, cost=80)),
    Grant("bob-2", "bob", 500, Source.PAID, 101, START),
    Hold(draft(5, "bob"), 200, START + 60 * MINUTE),
    Hold(draft(6, "bob"), 230, START + MINUTE),
    Settle(settled(draft(6, "bob"), 300)),
    Release(failed(draft(5, "bob"))),
    # cleo: a released request, one that was lost, one for nothing, and debt that stays
    OpenAccount("cleo", "credits", "USD", START),
    Grant("cleo-1", "cleo", 1_000, Source.GOODWILL, 0, START),
    Hold(draft(7, "cleo"), 100, START + MINUTE, "seventh", "g"),
    Release(failed(draft(7, "cleo"))),
    Hold(draft(8, "cleo"), 100, START + MINUTE),
    Expire(START + 2 * MINUTE),
    Hold(draft(9, "cleo"), 10, START + 60 * MINUTE),
    Settle(settled(draft(9, "cleo"), 0)),
    Hold(draft(10, "cleo"), 1_000, START + 60 * MINUTE),
    Settle(settled(draft(10, "cleo"), 1_040, cost=3)),
    # dan: everything in an open hold
    OpenAccount("dan", "credits", "USD", START),
    Grant("dan-1", "dan", 7, Source.INCLUDED, 0, START),
    Hold(draft(11, "dan"), 7, START + 60 * MINUTE),
)


def fill(path: Path) -> None:
    """Make the ledger, with customers, keys and a book."""
    registry = Registry(path, clock=lambda: START, entropy=bytes)
    for name in ("ada", "bob"):
        registry.add_customer(name, "payg")
    registry.revoke_key(registry.add_key("ada")[0].id)
    apply_book(registry.db, digest_files(BOOK), BOOK, START)
    registry.close()
    with open_ledger(path) as ledger:
        for command in COMMANDS:
            done(ledger.submit_now([command]))
