"""Keys of the operator's own machines; an index of events from elsewhere, whose ids are in no order of time, and one of a customer's keys."""

from tokenworth.store.migrations.script import write

revision = "0004"
down_revision = "0003"

INDEXES = """
CREATE INDEX api_key_of ON api_key (customer);
CREATE INDEX event_imported ON event (at) WHERE id >= 'imp_';
"""

SQLITE = """
CREATE TABLE operator_key (
    id      TEXT PRIMARY KEY,
    scope   TEXT NOT NULL,
    name    TEXT NOT NULL,
    digest  TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TRIGGER operator_key_added AFTER INSERT ON operator_key BEGIN UPDATE key_version SET total = total + 1; END;
CREATE TRIGGER operator_key_changed AFTER UPDATE ON operator_key BEGIN UPDATE key_version SET total = total + 1; END;
"""

POSTGRESQL = """
CREATE TABLE operator_key (
    id      text COLLATE "C" PRIMARY KEY,
    scope   text NOT NULL,
    name    text NOT NULL,
    digest  text COLLATE "C" NOT NULL UNIQUE,
    created bigint NOT NULL,
    revoked bigint NOT NULL DEFAULT 0
);
CREATE TRIGGER operator_key_changed AFTER INSERT OR UPDATE ON operator_key FOR EACH STATEMENT EXECUTE FUNCTION count_key_change();
"""


def upgrade() -> None:
    """Add the table and the index; what is there is not touched."""
    write(sqlite=SQLITE + INDEXES, postgresql=POSTGRESQL + INDEXES)
