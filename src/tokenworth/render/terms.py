"""What a customer agreed to: its plan's terms beside its own."""

import json

import click

from tokenworth.book.model import Book
from tokenworth.capture.policy import Policy
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.money import format_amount
from tokenworth.render.tables import Column, print_table
from tokenworth.store.sqlite.directory import Customer

ALL = "all"
"""An overdraft without an end."""


def show_terms(customer: Customer, book: Book, *, as_json: bool) -> None:
    """Print the terms of a customer's plan in a book, and those that hold for it."""
    policy = book.plans[customer.plan].policy
    theirs, mine = _terms(policy), _terms(customer.own.over(policy))
    if as_json:
        click.echo(json.dumps({"id": customer.id, "plan": customer.plan, "terms": mine, "of_plan": theirs}, indent=2))
        return
    rows = [[name, theirs.get(name, ""), value, "own" if theirs.get(name) != value else ""] for name, value in mine.items()]
    print_table("", [Column("term"), Column(f"plan {customer.plan}", number=True), Column(customer.id, number=True), Column("")], rows)


def _terms(policy: Policy) -> dict[str, str]:
    budgets = {f"budget of {budget.subject} by the {budget.window}": format_amount(budget.limit) for budget in policy.budgets}
    overdraft = ALL if policy.overdraft == INT64_MAX else format_amount(policy.overdraft)
    return {"credit line": format_amount(policy.credit_line), "overdraft": overdraft, "time zone": policy.zone} | budgets
