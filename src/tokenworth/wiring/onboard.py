"""Customers of a book with their keys and grants: what the demo starts with, and what the commands do one by one."""

from pathlib import Path

from tokenworth.book.model import Book
from tokenworth.capture.commands import Grant, OpenAccount, Reason, Refused, Result, Source
from tokenworth.core.errors import InputError
from tokenworth.store.sqlite.books import apply_book
from tokenworth.store.sqlite.directory import Customer, Registry
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.wiring.clock import entropy, now

MENDS = {
    Reason.BAD_AMOUNT: "a grant is more than 0, and no balance passes 9223372036 units",
    Reason.UNKNOWN_CUSTOMER: "add it: tokenworth customers add CUSTOMER --plan PLAN",
    Reason.CONFLICT: "give it another id, or repeat it as it was",
}
"""What to do about refusals of the ledger that a person can meet."""


def registry(database: Path, *, create: bool = True) -> Registry:
    """Open the registry of customers and keys with this process's clock and randomness; InputError where the file is absent and not to be made."""
    if not create and not database.exists():
        mend = "name it with --db; `tokenworth serve` or `customers add` make it"
        raise InputError(f"there is no ledger at {database}", mend=mend, code="no_ledger")
    return Registry(database, clock=now, entropy=entropy)


def add_customer(database: Path, book: Book, customer: str, plan: str) -> Customer:
    """Add a customer on a plan of the book, with an account in the book's unit; InputError where the plan is unknown."""
    if plan not in book.plans:
        raise InputError(f"there is no plan {plan} in {book.name}", mend=f"use one of {', '.join(book.plans)}")
    directory = registry(database)
    try:
        made = directory.add_customer(customer, plan)
    finally:
        directory.close()
    with SqliteLedger(database, clock=now) as ledger:
        accept(ledger.submit_now([OpenAccount(customer, book.unit, book.currency, now())]))
    return made


def accept(results: list[Result]) -> list[Result]:
    """Return results; InputError where one of them is a refusal."""
    for result in results:
        if isinstance(result, Refused):
            raise InputError(result.detail, mend=MENDS.get(result.reason, ""), code=result.reason)
    return results


def need_account(reader: Reader, customer: str) -> None:
    """InputError where the ledger has no account of a customer."""
    if all(account.customer != customer for account in reader.accounts()):
        mend = f"see `tokenworth customers list`, or add it: tokenworth customers add {customer} --plan PLAN"
        raise InputError(f"there is no customer {customer}", mend=mend, code=Reason.UNKNOWN_CUSTOMER)


def onboard(book: Book, database: Path) -> dict[str, str]:
    """Apply a book, add its demo customers with their grants, and return a fresh key's secret for each."""
    directory = registry(database)
    secrets = {}
    commands: list[OpenAccount | Grant] = []
    try:
        apply_book(directory.db, book.id, book.files, now())
        for customer in book.customers.values():
            directory.add_customer(customer.id, customer.plan)
            secrets[customer.id] = directory.add_key(customer.id)[1]
            commands.append(OpenAccount(customer.id, book.unit, book.currency, now()))
            for number, given in enumerate(customer.grants, start=1):
                id_ = f"{customer.id}-{number}"
                commands.append(Grant(id_, customer.id, given.amount, Source(given.source), given.paid, now()))
    finally:
        directory.close()
    with SqliteLedger(database, clock=now) as ledger:
        accept(ledger.submit_now(commands))
    return secrets
