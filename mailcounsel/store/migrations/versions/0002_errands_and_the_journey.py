"""Errands, promises, appointments, and what a counselling journey is counted by.

Revision: 0002, after 0001.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from mailcounsel.store import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Columns of rows that are there already start with these.
NEW: dict[str, list[sa.Column[Any]]] = {
    "casefile": [
        sa.Column("exchanges", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("evaluate_every", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rhythm_days", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("promised_since", columns.UtcDateTime(), nullable=True),
        sa.Column("erased_at", columns.UtcDateTime(), nullable=True),
        sa.Column("split_from", sa.String(), nullable=True),
        sa.Column("word_lookup", sa.LargeBinary(), nullable=True),
    ],
    "checkin": [sa.Column("sealed_rest", sa.LargeBinary(), nullable=True)],
    "consent": [sa.Column("version", sa.String(), nullable=False, server_default="")],
    "goal": [sa.Column("sealed_praise", sa.LargeBinary(), nullable=True)],
    "inbox": [sa.Column("noticed_at", columns.UtcDateTime(), nullable=True)],
    "pin": [sa.Column("stopped_at", columns.UtcDateTime(), nullable=True)],
    "risk": [
        sa.Column("cause", sa.String(), nullable=False, server_default="words"),
        sa.Column("step", sa.Integer(), nullable=False, server_default="0"),
    ],
}


def upgrade() -> None:
    """Bring an older store to this revision."""
    for table, added in NEW.items():
        for column in added:
            op.add_column(table, column)
    op.create_index("ix_casefile_word_lookup", "casefile", ["word_lookup"])
    _errand()
    _promise()
    _appointment()
    _resealed()
    _wish()
    _enclosure()
    _imprint()


def _errand() -> None:
    op.create_table(
        "errand",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["casefile.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "ref", "due_at"),
    )
    op.create_index("errand_due", "errand", ["state", "due_at"])
    op.create_index("ix_errand_case_id", "errand", ["case_id"])


def _promise() -> None:
    op.create_table(
        "promise",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("made_at", columns.UtcDateTime(), nullable=False),
        sa.Column("promised_at", columns.UtcDateTime(), nullable=False),
        sa.Column("told_at", columns.UtcDateTime(), nullable=True),
        sa.Column("times_told", sa.Integer(), nullable=False),
        sa.Column("answered_at", columns.UtcDateTime(), nullable=True),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["casefile.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_promise_case_id", "promise", ["case_id"])


def _appointment() -> None:
    op.create_table(
        "appointment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("starts_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ends_at", columns.UtcDateTime(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["casefile.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "number"),
    )
    op.create_index("ix_appointment_case_id", "appointment", ["case_id"])


def _resealed() -> None:
    op.create_table(
        "resealed",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("letter_id", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["casefile.id"]),
        sa.PrimaryKeyConstraint("case_id", "letter_id", "part", "start"),
    )


def _wish() -> None:
    op.create_table(
        "wish",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("letter_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outgoing_id", sa.String(), nullable=True),
        sa.Column("asked_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["casefile.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_wish_case_id", "wish", ["case_id"])


def _enclosure() -> None:
    op.create_table(
        "enclosure",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("draft", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("outgoing_id", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["casefile.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("draft", "number", "start"),
    )
    op.create_index("ix_enclosure_case_id", "enclosure", ["case_id"])
    op.create_index("ix_enclosure_outgoing_id", "enclosure", ["outgoing_id"])


def _imprint() -> None:
    op.create_table(
        "imprint",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("letter_id", sa.String(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("sender_lookup", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_imprint_letter_id", "imprint", ["letter_id"])
    op.create_index("ix_imprint_lookup", "imprint", ["lookup"])
