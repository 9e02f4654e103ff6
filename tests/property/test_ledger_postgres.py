"""The random lives of `test_ledger`, on PostgreSQL."""

from hypothesis import settings

from tests.property.test_ledger import Lives
from tests.support.postgres_engine import Postgres


class PostgresLives(Lives):
    engine = Postgres


TestPostgres = PostgresLives.TestCase
TestPostgres.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
