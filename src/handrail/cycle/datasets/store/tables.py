"""Tables of datasets."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from handrail.foundation.storage import metadata

project = Table(
    "project",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("schema_digest", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
)

schema = Table(
    "dataset_schema",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("document", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# `salt` is NULL once the content was erased; `committed` is 1 once the branch main holds the item.
item = Table(
    "item",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("project_id", String(36), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("salt", LargeBinary),
    Column("data", Text, nullable=False),
    Column("subject", Text),
    Column("groups", Text, nullable=False),
    Column("observed_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("committed", Integer, nullable=False),
    UniqueConstraint("project_id", "external_id"),
    Index("item_project", "project_id", "seq"),
    Index(
        "item_waiting",
        "project_id",
        "seq",
        sqlite_where=text("committed = 0"),
        postgresql_where=text("committed = 0"),
    ),
    sqlite_autoincrement=True,
)

# Append only. Which row holds now, and which one the branch main holds, stands in label_current.
label = Table(
    "label",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("item_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("value", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("probability", Double),
    Column("task_id", String(36)),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("label_item", "project_id", "item_id", "question", "id"),
    Index("label_actor", "project_id", "actor_id", "created_at"),
)

# label_id is empty where every label was withdrawn.
label_current = Table(
    "label_current",
    metadata,
    Column("project_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("item_seq", BigInteger, nullable=False),
    Column("label_id", String(36), nullable=False),
    Column("committed_id", String(36)),
    Column("waiting", Integer, nullable=False),
    PrimaryKeyConstraint("project_id", "question", "item_seq"),
    Index(
        "label_waiting",
        "project_id",
        "question",
        "item_seq",
        sqlite_where=text("waiting = 1"),
        postgresql_where=text("waiting = 1"),
    ),
)

# What the file of another tool said about an item beyond its data and labels, as JSON; given back when it goes out so.
item_origin = Table(
    "item_origin",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("item_id", String(36), primary_key=True),
    Column("format", String(32), primary_key=True),
    Column("body", Text, nullable=False),
)

# What people and models said in another tool, each for itself: question -> value as JSON, and the name the file gives.
imported_answer = Table(
    "imported_answer",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("item_id", String(36), nullable=False),
    Column("item_seq", BigInteger, nullable=False),
    Column("format", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("who", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("score", Double),
    Column("said_at", String(64), nullable=False),
    Column("counts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("imported_answer_item", "project_id", "item_seq", "id"),
)

# The configuration of another tool that the schema came from, as its text.
label_config = Table(
    "label_config",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("text", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# Which label the branch main held, from the commit of number `since` on, up to and without that of `until`.
label_held = Table(
    "label_held",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("label_id", String(36), primary_key=True),
    Column("since", Integer, primary_key=True, autoincrement=False),
    Column("until", Integer),
)

recall = Table(
    "label_recall",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("actor", String(96), nullable=False),
    Column("since", BigInteger),
    Column("until", BigInteger),
    Column("question", String(128)),
    Column("reason", Text, nullable=False),
    Column("labels", Integer, nullable=False),
    Column("restored", Integer, nullable=False),
    Column("emptied", Integer, nullable=False),
    Column("certifying", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("by_kind", String(16), nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Index("label_recall_project", "project_id", "id"),
)

withdrawn = Table(
    "label_withdrawn",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("label_id", String(36), primary_key=True),
    Column("recall_id", String(36), nullable=False),
)

commit = Table(
    "dataset_commit",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("parents", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("branch", String(100), nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", Text, nullable=False),
)

# commit_id is empty before the first commit.
branch = Table(
    "dataset_branch",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("commit_id", String(64), nullable=False),
)

tag = Table(
    "dataset_tag",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("commit_id", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
)
