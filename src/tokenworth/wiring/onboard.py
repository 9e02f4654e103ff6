"""Customers of a book with their keys and grants: what the demo starts with, and what the commands do one by one."""

from contextlib import closing

from tokenworth.book.load import load_files
from tokenworth.book.model import Book
from tokenworth.capture.commands import Grant, OpenAccount, Reason, Refused, Result, Source
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
    _need_plan(book, plan)
    with closing(open_registry(database)) as directory:
        _need_unit(database, book, customer)
        made = directory.add_customer(customer, plan)
    with open_ledger(database) as ledger:
        accept(ledger.submit_now([OpenAccount(customer, book.unit, book.currency, now(), book.plans[plan].policy)]))
    return made


def move_customer(database: Where, book: Book, customer: str, plan: str) -> Customer:
    """Put a customer on another plan of the book, whose policy holds from now on; InputError where either is unknown, or units differ."""
    _need_plan(book, plan)
    with closing(open_registry(database, create=False)) as directory:
        _need_unit(database, book, customer)
        moved = directory.move_customer(customer, plan)
    with open_ledger(database) as ledger:
        accept(ledger.submit_now([OpenAccount(customer, book.unit, book.currency, now(), book.plans[plan].policy)]))
    return moved


def last_served(database: Where) -> Book | None:
    """Return the book that was served last with an existing ledger, None where none was."""
    with closing(open_registry(database, create=False)) as directory:
        version = latest(directory.db)
    return None if version is None else load_files(version.files)


def agree(book: Book, database: Where) -> int:
    """Give every account the policy of its customer's plan in a book; return how many had another."""
    with closing(open_registry(database)) as directory:
        plans = {customer.id: customer.plan for customer in directory.customers()}
    with open_reader(database) as reader:
        policies = dict(reader.policies())
    wanted = {name: book.plans[plan].policy for name, plan in plans.items() if plan in book.plans}
    changed = [
        OpenAccount(name, book.unit, book.currency, now(), policy) for name, policy in wanted.items() if name in policies and policies[name] != policy
    ]
    with open_ledger(database) as ledger:
        for start in range(0, len(changed), BATCH):
            accept(ledger.submit_now(changed[start : start + BATCH]))
    return len(changed)


def _need_plan(book: Book, plan: str) -> None:
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
            directory.add_customer(customer.id, customer.plan)
            secrets[customer.id] = directory.add_key(customer.id)[1]
            commands.append(OpenAccount(customer.id, book.unit, book.currency, now(), book.plans[customer.plan].policy))
            for number, given in enumerate(customer.grants, start=1):
                id_ = f"{customer.id}-{number}"
                commands.append(Grant(id_, customer.id, given.amount, Source(given.source), given.paid, now()))
    finally:
        directory.close()
    with open_ledger(database) as ledger:
        accept(ledger.submit_now(commands))
    return secrets
