"""Events say at which tier they were served and charged, how long they waited, and what else was tried; keys have a tier of their own."""

from tokenworth.store.migrations.script import write

revision = "0005"
down_revision = "0004"

COLUMNS = """
ALTER TABLE event ADD COLUMN served_tier  {text} NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN charged_tier {text} NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN promise      {text} NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN queued       {number} NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN streamed     {number} NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN wasted       {number} NOT NULL DEFAULT 0 CHECK (wasted >= 0);
ALTER TABLE event ADD COLUMN attempts     {text} NOT NULL DEFAULT '';
ALTER TABLE api_key ADD COLUMN tier       {text} NOT NULL DEFAULT '';
"""

SQLITE_DRAFTS = """
-- the new fields stand between project and charge
UPDATE hold SET draft = json_array(
    draft ->> 0, draft ->> 1, draft ->> 2, draft ->> 3, draft ->> 4, draft ->> 5, draft ->> 6, draft ->> 7, draft ->> 8, draft ->> 9,
    draft ->> 10, draft ->> 11, draft ->> 12, draft ->> 13, draft ->> 14, draft ->> 15, draft ->> 16, draft ->> 17,
    draft ->> 18, draft ->> 19, draft ->> 20, draft ->> 21, '', '', '', 0, 0, 0, '', draft ->> 22, draft ->> 23, draft ->> 24
) WHERE draft <> '';
"""

POSTGRESQL_DRAFTS = """
-- the new fields stand between project and charge
UPDATE hold SET draft = (
    jsonb_path_query_array(draft::jsonb, '$[0 to 21]') || '["", "", "", 0, 0, 0, ""]'::jsonb || jsonb_path_query_array(draft::jsonb, '$[22 to 24]')
)::text WHERE draft <> '';
"""


def upgrade() -> None:
    """Add what is new, and write drafts as they are now."""
    sqlite = COLUMNS.format(text="TEXT", number="INTEGER") + SQLITE_DRAFTS
    write(sqlite=sqlite, postgresql=COLUMNS.format(text="text", number="bigint") + POSTGRESQL_DRAFTS)
