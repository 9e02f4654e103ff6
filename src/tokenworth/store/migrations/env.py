"""What Alembic runs: it writes SQL and connects to nothing, since the engines have the connections and the locks."""

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect"],
    literal_binds=True,
    # whoever runs the script has one transaction around all of it
    transactional_ddl=False,
    # percent signs stay what they are
    dialect_opts={"paramstyle": "named"},
)
context.run_migrations()
