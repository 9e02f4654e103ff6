"""The command line: parse, call a flow, render. Each command is a file, imported when it is called."""

import sys
from typing import NoReturn

import click

from tokenworth.cli.failure import BAD_INPUT, report
from tokenworth.cli.lazy import Lazily, LazyGroup
from tokenworth.core.errors import TokenworthError

COMMANDS = {
    "init": Lazily("init", "write a commented starter book"),
    "check": Lazily("check", "validate a book and show its margins"),
    "serve": Lazily("serve", "run the gateway on a book"),
    "apply": Lazily("apply", "put a book in force; running gateways follow"),
    "demo": Lazily("demo", "replay a real trace through the gateway and print the statement"),
    "simulate": Lazily("simulate", "answer like an OpenAI-compatible supplier, from a real trace"),
    "meter": Lazily("meter", "provider usage payloads -> disjoint counts and list cost"),
    "export": Lazily("export", "usage events as Parquet, CSV or JSON lines; the journal as beancount or CSV"),
    "import": Lazily("import_", "usage that happened elsewhere, from CSV, JSON lines or Parquet"),
    "customers": Lazily("customers", "add and list customers"),
    "keys": Lazily("keys", "add, list and revoke API keys"),
    "grants": Lazily("grants", "give credits and list grants"),
    "ledger": Lazily("ledger", "verify, balance, statement, promises, trial-balance and history"),
    "cost": Lazily("cost", "what a token costs to make on GPUs: frontiers, fleets, generations"),
}


@click.group(cls=LazyGroup, lazily=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tokenworth")
def cli() -> None:
    """Tokenworth: measure, price and capture, for whoever sells AI by the token."""


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 where all is well, 2 for bad input, 1 for the rest."""
    given = sys.argv[1:] if args is None else args
    sys.exit(_run(given))


def _run(args: list[str]) -> int:
    try:
        try:
            # of a command that has no exit code of its own: None
            return cli.main(args=args, prog_name="tokenworth", standalone_mode=False) or 0
        finally:
            # a full disk shows here, not after the exit code is said
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD_INPUT
    except (TokenworthError, click.ClickException, click.Abort, OSError) as error:
        return report(error, as_json="--json" in args)
