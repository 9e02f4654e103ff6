"""Groups whose commands are imported when they are called, so that help and other commands need not wait for them."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Lazily(NamedTuple):
    """Where a command stands, `module` or `module:name` in this package, and what it does in a line."""

    where: str
    help: str


class LazyGroup(click.Group):
    """A group of commands that are imported one by one."""

    def __init__(self, *, lazily: Mapping[str, Lazily], **more: Any) -> None:
        """Take the commands by name, in the order in which an operator meets them."""
        super().__init__(**more)
        self.lazily = lazily

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return names in their order."""
        del ctx
        return list(self.lazily)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module."""
        del ctx
        if cmd_name not in self.lazily:
            return None
        module, _, name = self.lazily[cmd_name].where.partition(":")
        command: click.Command = getattr(import_module(f"tokenworth.cli.{module}"), name or "command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in self.lazily.items()])
