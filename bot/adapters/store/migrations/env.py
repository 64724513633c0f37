"""Alembic's entry point: runs the migrations on the connection that the store passes."""

from alembic import context

from bot.adapters.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table, so it is rewritten
)
with context.begin_transaction():
    context.run_migrations()
