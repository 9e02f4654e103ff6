"""The command line: parse, call a flow, render. Each command is a file, imported when it is called."""

import sys
from importlib import import_module
from typing import NoReturn

import click

from tokenworth.cli.failure import BAD_INPUT, report
from tokenworth.core.errors import TokenworthError

COMMANDS = {
    "init": "write a commented starter book",
    "check": "validate a book and show its margins",
    "serve": "run the gateway on a book",
    "apply": "put a book in force; running gateways follow",
    "demo": "replay a real trace through the gateway and print the statement",
    "simulate": "answer like an OpenAI-compatible supplier, from a real trace",
    "meter": "provider usage payloads -> disjoint counts and list cost",
    "export": "usage events as Parquet, CSV or JSON lines; the journal as beancount or CSV",
    "import": "usage that happened elsewhere, from CSV, JSON lines or Parquet",
    "customers": "add and list customers",
    "keys": "add, list and revoke API keys",
    "grants": "give credits and list grants",
    "ledger": "verify, balance, statement, promises, trial-balance and history",
}

MODULES = {"import": "import_"}
"""Of commands whose names Python keeps for itself."""


class Lazy(click.Group):
    """A group whose commands are modules of this package, each with a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return names in the order in which an operator meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
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
