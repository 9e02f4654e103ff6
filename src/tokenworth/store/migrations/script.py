"""The SQL of a run of revisions, written by Alembic."""

from io import StringIO

from alembic import command, op
from alembic.config import Config

from tokenworth.store.migrations import HEAD

START = "CREATE TEMPORARY TABLE alembic_version (version_num VARCHAR(32));\nINSERT INTO alembic_version VALUES ('{}');\n\n"
END = "DROP TABLE alembic_version;\n"
"""Alembic's own table lasts as long as the script: the version stands where each engine finds it with one plain query."""


def upgrade_script(dialect: str, since: int, until: int = HEAD) -> str:
    """Return the SQL from one version to another; `dialect` is sqlite or postgresql, `since` 0 for an empty database.

    It is to be run in one transaction, and leaves it to the caller to note the version.
    """
    written = StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", "tokenworth.store:migrations")
    config.attributes["dialect"] = dialect
    start, end = f"{since:04}", f"{until:04}"
    command.upgrade(config, f"{start}:{end}" if since else end, sql=True)
    return (START.format(start) if since else "") + written.getvalue() + END


def write(**scripts: str) -> None:
    """Write a revision's SQL for the dialect at hand, as it is: Alembic's `execute` would look for parameters in it."""
    context = op.get_context()
    context.impl.static_output(scripts[context.dialect.name])
