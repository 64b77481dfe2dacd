"""Tables of tasks, answers and how many tasks there are."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text, text

from handrail.cycle.tasks.model import Status
from handrail.foundation.storage import metadata

OPEN, CLAIMED, ANSWERED, EXPIRED, WITHDRAWN = range(5)
STATUSES: tuple[Status, ...] = ("open", "claimed", "answered", "expired", "withdrawn")

task = Table(
    "task",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", Integer, nullable=False),
    Column("question", String(128), nullable=False),
    Column("item_id", String(36)),
    Column("decision_id", String(36)),
    Column("subject_id", String(36)),
    Column("payload", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("skill", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("blind", Integer, nullable=False),
    Column("campaign_id", String(36)),
    Column("not_by", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("deadline", BigInteger),
    Column("claimed_by", String(64)),
    Column("claimed_until", BigInteger),
    Column("worth", Integer, nullable=False),
    Column("raise_at", BigInteger),
    Column("skipped", Text, nullable=False),
    Column("skipped_until", BigInteger),
    Column("blind_first", Integer, nullable=False),
    # Since when it is open without a claim, or without one since it climbed. The timekeeper writes it where a project's
    # tasks climb (store/climbing.py); a task of any other project costs neither this nor a place in the index.
    Column("waits_since", BigInteger),
    # The queue: only what is open is in it, so claiming stays flat while answered tasks pile up.
    Index(
        "task_queue",
        "project_id",
        "skill",
        text("priority DESC"),
        "id",
        sqlite_where=text("status = 0"),
        postgresql_where=text("status = 0"),
    ),
    Index(
        "task_claimed",
        "claimed_until",
        sqlite_where=text("status = 1"),
        postgresql_where=text("status = 1"),
    ),
    # What one person holds: a few rows, however many others hold theirs.
    Index(
        "task_held",
        "claimed_by",
        sqlite_where=text("status = 1"),
        postgresql_where=text("status = 1"),
    ),
    Index(
        "task_deadline",
        "deadline",
        sqlite_where=text("status < 2 AND deadline IS NOT NULL"),
        postgresql_where=text("status < 2 AND deadline IS NOT NULL"),
    ),
    # No status in its condition: a claim or an answer leaves it alone, and the timekeeper clears what is closed.
    Index(
        "task_raise",
        "raise_at",
        sqlite_where=text("raise_at IS NOT NULL"),
        postgresql_where=text("raise_at IS NOT NULL"),
    ),
    # Which tasks nobody has claimed for so long that they climb; leads are the end of every chain.
    Index(
        "task_waits",
        "project_id",
        "waits_since",
        sqlite_where=text("status = 0 AND skill <> 'lead' AND waits_since IS NOT NULL"),
        postgresql_where=text("status = 0 AND skill <> 'lead' AND waits_since IS NOT NULL"),
    ),
    Index("task_decision", "decision_id"),
    # Whether a look of one's own at an item still waits: then what others said of it is kept back (working/service.py).
    Index(
        "task_unseen",
        "item_id",
        sqlite_where=text("status < 2 AND blind + blind_first > 0"),
        postgresql_where=text("status < 2 AND blind + blind_first > 0"),
    ),
)

answer = Table(
    "answer",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("task_id", String(36), nullable=False, unique=True),
    Column("verb", String(16), nullable=False),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("shown_at", BigInteger),
    Column("answered_at", BigInteger, nullable=False),
    Column("seconds", Double),
    Index("answer_person", "project_id", "actor_id", "answered_at"),
)

queue_rules = Table(
    "queue_rules",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("document", Text, nullable=False),
    # Said again beside the document, so that the timekeeper finds the few projects whose tasks climb.
    Column("climb_minutes", Integer),
    # The newest task that was asked whether it waits for a claim.
    Column("climb_seen", Text),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", String(96), nullable=False),
)

# Answers to cases of known truth, and whether they were right; kept whether or not the project judges anybody by them.
known_answer = Table(
    "known_answer",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("task_id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("was_right", Integer, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    Index("known_answer_person", "project_id", "actor_id", "answered_at"),
)

# Who gets no more tasks, with the tally that closed the gate, and whom a lead admitted since.
gate = Table(
    "gate",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("actor_id", String(64), primary_key=True),
    Column("actor_name", Text, nullable=False),
    Column("was_right", Integer, nullable=False),
    Column("answers", Integer, nullable=False),
    Column("least", Double, nullable=False),
    Column("closed_at", BigInteger),
    Column("admitted_at", BigInteger),
    Column("admitted_by", String(96)),
)

# What a person said before the model's answer was shown; one for each person and task, never changed.
first_answer = Table(
    "first_answer",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("task_id", String(36), primary_key=True),
    Column("actor_id", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("shown_at", BigInteger),
    Column("answered_at", BigInteger, nullable=False),
    Column("seconds", Double),
)

# What a person has not sent yet; it goes when the task is answered.
draft = Table(
    "draft",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("task_id", String(36), primary_key=True),
    Column("actor_id", String(64), primary_key=True),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
)

# What was said after the answer, from 1 on; rows are only ever added.
answer_revision = Table(
    "answer_revision",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("task_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("value", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("restores", Integer),
    Column("revised_at", BigInteger, nullable=False),
)

comment = Table(
    "comment",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("item_id", String(36)),
    Column("task_id", String(36)),
    Column("text", Text, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Index("comment_item", "item_id", "id"),
    Index("comment_task", "task_id", "id"),
)

# Kept in the unit of every change, so that nobody ever counts a million tasks. A row is split into slots, one for each
# connection of PostgreSQL, because a single row would make all its units wait for each other's commit.
task_count = Table(
    "task_count",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("skill", String(64), primary_key=True),
    Column("status", Integer, primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("tasks", BigInteger, nullable=False),
)
