"""How a command says that it failed: one message on stderr, as JSON where the command prints JSON, and an exit code."""

import dataclasses
import json
import os
import sys
from contextlib import suppress

import click

from tokenworth.core.errors import FilesError, InputError, TokenworthError

BAD_INPUT, FAILED = 2, 1


def report(error: Exception, *, as_json: bool) -> int:
    """Say what went wrong and return the exit code: 2 for bad input, 1 for the rest. A reader that went away needs no words."""
    if isinstance(error, OSError):
        _give_up_stdout()
        if isinstance(error, BrokenPipeError):
            return FAILED
    click.echo(json.dumps({"error": _data(error)}) if as_json else _text(error), err=True)
    return BAD_INPUT if isinstance(error, InputError | click.ClickException) else FAILED


def _text(error: Exception) -> str:
    match error:
        case FilesError():
            return str(error)
        case click.UsageError() if error.ctx:
            return f"{error.ctx.get_usage()}\nerror: {error.format_message()} [usage]"
    told = _data(error)
    mend = f" ({told['mend']})" if told["mend"] else ""
    return f"error: {told['what']}{mend} [{told['code']}]"


def _data(error: Exception) -> dict[str, object]:
    match error:
        case FilesError():
            problems = [dataclasses.asdict(problem) for problem in error.problems]
            return {"code": error.code, "what": error.told, "mend": "mend each of them", "problems": problems}
        case TokenworthError():
            return {"code": error.code, "what": error.what, "mend": error.mend}
        case click.ClickException():
            return {"code": "usage", "what": error.format_message(), "mend": "see --help"}
        case OSError():
            where = f"{error.filename}: " if error.filename else "the output cannot be written: "
            return {"code": "io", "what": f"{where}{error.strerror or error}", "mend": ""}
    return {"code": "aborted", "what": "aborted", "mend": ""}


def _give_up_stdout() -> None:
    """Let what is still buffered go nowhere: at its end Python would try to write it again, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
