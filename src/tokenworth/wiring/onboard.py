"""Customers of a book with their keys and grants: what the demo starts with, and what the commands do one by one."""

from contextlib import closing

from tokenworth.book.model import Book
from tokenworth.capture.commands import Grant, OpenAccount, Reason, Refused, Result, Source
from tokenworth.core.errors import InputError
from tokenworth.core.ids import ID_MEND
from tokenworth.store.sqlite.books import apply_book
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
    """Add a customer on a plan of the book, with an account in the book's unit; InputError where the plan is unknown."""
    _need_plan(book, plan)
    with closing(open_registry(database)) as directory:
        made = directory.add_customer(customer, plan)
    with open_ledger(database) as ledger:
        accept(ledger.submit_now([OpenAccount(customer, book.unit, book.currency, now(), book.plans[plan].policy)]))
    return made


def move_customer(database: Where, book: Book, customer: str, plan: str) -> Customer:
    """Put a customer on another plan of the book, whose policy holds from now on; InputError where either is unknown."""
    _need_plan(book, plan)
    with closing(open_registry(database, create=False)) as directory:
        moved = directory.move_customer(customer, plan)
    with open_ledger(database) as ledger:
        accept(ledger.submit_now([OpenAccount(customer, book.unit, book.currency, now(), book.plans[plan].policy)]))
    return moved


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


def accept(results: list[Result]) -> list[Result]:
    """Return results; InputError where one of them is a refusal."""
    for result in results:
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
