"""Alembic's entrance: run the migrations on the connection `mailcounsel.store.schema` gives."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from mailcounsel.store import models

assert models.READABLE  # the models are imported so that the metadata knows them  # noqa: S101

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    user_module_prefix="columns.",
)
with context.begin_transaction():
    context.run_migrations()
