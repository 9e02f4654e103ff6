"""Customers of a book with their keys and grants: what the demo starts with, and what the commands do one by one."""

from contextlib import closing

from tokenworth.book.load import load_files
from tokenworth.book.model import Book
from tokenworth.capture.commands import Grant, OpenAccount, Reason, Refused, Result, Source
from tokenworth.capture.policy import Own, Policy
from tokenworth.core.errors import InputError
from tokenworth.core.ids import ID_MEND
from tokenworth.core.money import format_amount
from tokenworth.store.sqlite.books import apply_book, latest
from tokenworth.store.sqlite.directory import Customer
from tokenworth.wiring.clock import now
from tokenworth.wiring.ledgers import AnyReader, Where, open_ledger, open_reader, open_registry

BATCH = 500
"""Accounts in one commit."""

MENDS = {
    Reason.BAD_ID: ID_MEND,
    Reason.BAD_AMOUNT: "a grant is more than 0, and no balance passes 9223372036 units",
    Reason.UNKNOWN_CUSTOMER: "add it: tokenworth customers add CUSTOMER --plan PLAN",
    Reason.CONFLICT: "give it another id, or repeat it as it was",
}
"""What to do about refusals of the ledger that a person can meet."""


def add_customer(database: Where, book: Book, customer: str, plan: str) -> Customer:
    """Add a customer on a plan of the book, with an account in the book's unit; InputError where the plan is unknown, or the account in another."""
    need_plan(book, plan)
    with closing(open_registry(database)) as directory:
        _need_unit(database, book, customer)
        made = directory.add_customer(customer, plan)
    _open(database, book, made)
    return made


def move_customer(database: Where, book: Book, customer: str, plan: str) -> Customer:
    """Put a customer on another plan of the book, whose policy holds from now on; InputError where either is unknown, or units differ."""
    need_plan(book, plan)
    with closing(open_registry(database, create=False)) as directory:
        _need_unit(database, book, customer)
        moved = directory.move_customer(customer, plan)
    _open(database, book, moved)
    return moved


def give_terms(database: Where, book: Book, customer: str, own: Own) -> Customer:
    """Give a customer terms of its own beside its plan's, which hold from now on; InputError where they cannot be."""
    with closing(open_registry(database, create=False)) as directory:
        known = directory.customer(customer)
        need_plan(book, known.plan)
        _need_unit(database, book, customer)
        # refused before anything is changed
        own.over(book.plans[known.plan].policy)
        limited = directory.put_terms(customer, own)
    _open(database, book, limited)
    return limited


def last_served(database: Where) -> Book | None:
    """Return the book that was served last with an existing ledger, None where none was."""
    with closing(open_registry(database, create=False)) as directory:
        version = latest(directory.db)
    return None if version is None else load_files(version.files)


def agree(book: Book, database: Where) -> int:
    """Give every account the terms of its customer, by its plan in a book; return how many had others."""
    with closing(open_registry(database)) as directory:
        wanted = {customer.id: terms(book, customer) for customer in directory.customers() if customer.plan in book.plans}
    with open_reader(database) as reader:
        policies = dict(reader.policies())
    changed = [
        OpenAccount(name, book.unit, book.currency, now(), policy) for name, policy in wanted.items() if name in policies and policies[name] != policy
    ]
    with open_ledger(database) as ledger:
        for start in range(0, len(changed), BATCH):
            accept(ledger.submit_now(changed[start : start + BATCH]))
    return len(changed)


def terms(book: Book, customer: Customer) -> Policy:
    """Return what a customer agreed to: its plan's policy, with its own terms."""
    return customer.own.over(book.plans[customer.plan].policy)


def _open(database: Where, book: Book, customer: Customer) -> None:
    with open_ledger(database) as ledger:
        accept(ledger.submit_now([OpenAccount(customer.id, book.unit, book.currency, now(), terms(book, customer))]))


def need_plan(book: Book, plan: str) -> None:
    """InputError where a book has no such plan."""
    if plan not in book.plans:
        raise InputError(f"there is no plan {plan} in {book.name}", mend=f"use one of {', '.join(book.plans)}")


def _need_unit(database: Where, book: Book, customer: str) -> None:
    """InputError where a customer's account is in another unit or currency than the book: before anything is changed."""
    with open_reader(database) as reader:
        other = next((each for each in reader.of_other_units(book.unit, book.currency) if each[0] == customer), None)
    if other is not None:
        what = f"{customer} has an account in {other[1]} and {other[2]}, {book.name} is in {book.unit} and {book.currency}"
        raise InputError(what, mend="name a book of the account's unit and currency, or add a customer of another id", code=Reason.CONFLICT)


def accept(results: list[Result]) -> list[Result]:
    """Return results; InputError where one of them is a refusal."""
    for result in results:
        if isinstance(result, Refused) and result.reason is Reason.INSUFFICIENT_CREDITS:
            what = f"{format_amount(result.needed)} are not free, {format_amount(result.available)} are available"
            raise InputError(what, mend="take less", code=result.reason)
        if isinstance(result, Refused):
            raise InputError(result.detail, mend=MENDS.get(result.reason, ""), code=result.reason)
    return results


def need_account(reader: AnyReader, customer: str) -> None:
    """InputError where the ledger has no account of a customer."""
    if not reader.has_account(customer):
        mend = f"see `tokenworth customers list`, or add it: tokenworth customers add {customer} --plan PLAN"
        raise InputError(f"there is no customer {customer}", mend=mend, code=Reason.UNKNOWN_CUSTOMER)


def onboard(book: Book, database: Where) -> dict[str, str]:
    """Apply a book, add its demo customers with their grants, and return a fresh key's secret for each."""
    directory = open_registry(database)
    secrets = {}
    commands: list[OpenAccount | Grant] = []
    try:
        apply_book(directory.db, book.id, book.files, now())
        for customer in book.customers.values():
            added = directory.add_customer(customer.id, customer.plan)
            secrets[customer.id] = directory.add_key(customer.id)[1]
            commands.append(OpenAccount(customer.id, book.unit, book.currency, now(), terms(book, added)))
            for number, given in enumerate(customer.grants, start=1):
                id_ = f"{customer.id}-{number}"
                commands.append(Grant(id_, customer.id, given.amount, Source(given.source), given.paid, now()))
    finally:
        directory.close()
    with open_ledger(database) as ledger:
        accept(ledger.submit_now(commands))
    return secrets
