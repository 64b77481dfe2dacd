"""The first step: every table of version 0.1. Written by tools/first_migration.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from handrail.foundation.storage.migrations.guards import TEXT, append_only, commit_order


def upgrade(op: Operations) -> None:
    """Make the tables, and keep the journal append-only."""
    op.create_table(
        "alarm",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("sentence", TEXT, nullable=False),
        sa.Column("findings", TEXT, nullable=False),
        sa.Column("false_alarm", sa.Double(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("campaign_id", TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "day", "kind"),
    )
    op.create_index("alarm_project", "alarm", ["project_id", "id"], unique=False)
    op.create_table(
        "answer",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("verb", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id"),
    )
    op.create_index("answer_person", "answer", ["project_id", "actor_id", "answered_at"], unique=False)
    op.create_table(
        "answer_revision",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("restores", sa.Integer(), nullable=True),
        sa.Column("revised_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "task_id", "number"),
    )
    op.create_table(
        "audit",
        sa.Column("decision_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("certificate_id", TEXT, nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("control", sa.Double(), nullable=True),
        sa.Column("audit_group", TEXT, nullable=False),
        sa.Column("mean_q", sa.Double(), nullable=False),
        sa.Column("risk", sa.Double(), nullable=True),
        sa.Column("idle", TEXT, nullable=True),
        sa.Column("verdicts", TEXT, nullable=False),
        sa.Column("wrong", sa.Double(), nullable=True),
        sa.Column("folded", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("overdue_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index(
        "audit_certificate", "audit", ["project_id", "certificate_id", "folded", "decision_id"], unique=False
    )
    op.create_index(
        "audit_due",
        "audit",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("wrong IS NULL AND overdue_at IS NULL"),
        postgresql_where=sa.text("wrong IS NULL AND overdue_at IS NULL"),
    )
    op.create_table(
        "campaign",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("alarm_id", TEXT, nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("campaign_project", "campaign", ["project_id", "id"], unique=False)
    op.create_table(
        "certificate",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=False),
        sa.Column("model_digest", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("delta", sa.Double(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("labels_planned", sa.Integer(), nullable=False),
        sa.Column("labels_drawn", sa.Integer(), nullable=False),
        sa.Column("labels_in", sa.Integer(), nullable=False),
        sa.Column("frozen_seq", sa.BigInteger(), nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("brake", TEXT, nullable=True),
        sa.Column("brake_base", TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "number"),
    )
    op.create_table(
        "certificate_item",
        sa.Column("certificate_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("predicted", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("item_group", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "item_id"),
    )
    op.create_index("certificate_item_item", "certificate_item", ["project_id", "item_id"], unique=False)
    op.create_table(
        "comment",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=True),
        sa.Column("task_id", TEXT, nullable=True),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("comment_item", "comment", ["item_id", "id"], unique=False)
    op.create_index("comment_task", "comment", ["task_id", "id"], unique=False)
    op.create_table(
        "control_item",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("open_at", sa.BigInteger(), nullable=False),
        sa.Column("task_id", TEXT, nullable=True),
        sa.Column("item_id", TEXT, nullable=True),
        sa.Column("stands", TEXT, nullable=True),
        sa.Column("truth", TEXT, nullable=True),
        sa.Column("given", TEXT, nullable=True),
        sa.Column("second_opinion", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("overdue_at", sa.BigInteger(), nullable=True),
        sa.Column("verdicts", TEXT, nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id"),
    )
    op.create_index(
        "control_item_due",
        "control_item",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("wrong IS NULL AND overdue_at IS NULL"),
        postgresql_where=sa.text("wrong IS NULL AND overdue_at IS NULL"),
    )
    op.create_index(
        "control_item_open_at",
        "control_item",
        ["open_at"],
        unique=False,
        sqlite_where=sa.text("task_id IS NULL"),
        postgresql_where=sa.text("task_id IS NULL"),
    )
    op.create_index("control_item_project", "control_item", ["project_id", "item_id"], unique=False)
    op.create_table(
        "dataset_branch",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("commit_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name"),
    )
    op.create_table(
        "dataset_commit",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("parents", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("branch", TEXT, nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_table(
        "dataset_schema",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "digest"),
    )
    op.create_table(
        "dataset_tag",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("commit_id", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name"),
    )
    op.create_table(
        "decision",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("idem_key", TEXT, nullable=False),
        sa.Column("request_hash", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("route", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("by_kind", TEXT, nullable=False),
        sa.Column("by_id", TEXT, nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("prediction", TEXT, nullable=True),
        sa.Column("reasons", TEXT, nullable=False),
        sa.Column("certificate_id", TEXT, nullable=True),
        sa.Column("policy_id", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=True),
        sa.Column("commit_id", TEXT, nullable=True),
        sa.Column("audit_probability", sa.Double(), nullable=False),
        sa.Column("audit_rate", sa.Double(), nullable=True),
        sa.Column("audit_control", sa.Double(), nullable=True),
        sa.Column("audit_group", TEXT, nullable=True),
        sa.Column("audit_mean_q", sa.Double(), nullable=True),
        sa.Column("audited", sa.Integer(), nullable=False),
        sa.Column("task_id", TEXT, nullable=True),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("on_deadline", TEXT, nullable=False),
        sa.Column("default_value", TEXT, nullable=True),
        sa.Column("irreversible", sa.Integer(), nullable=False),
        sa.Column("risk_class", TEXT, nullable=True),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("action_hash", TEXT, nullable=True),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.Column("consumed_by", TEXT, nullable=True),
        sa.Column("consumed_key", TEXT, nullable=True),
        sa.Column("consumed_hash", TEXT, nullable=True),
        sa.Column("eyes", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("sealed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "idem_key"),
    )
    op.create_index("decision_day", "decision", ["project_id", "day"], unique=False)
    op.create_index("decision_item", "decision", ["item_id"], unique=False)
    op.create_table(
        "decision_tally",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("route", TEXT, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "day", "route"),
    )
    op.create_table(
        "draft",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "task_id", "actor_id"),
    )
    op.create_table(
        "draw",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("campaign_id", TEXT, nullable=True),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("lot_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("labelled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "question", "item_id"),
        sa.UniqueConstraint("task_id"),
    )
    op.create_index("draw_lot_order", "draw", ["project_id", "lot_id", "position"], unique=False)
    op.create_table(
        "draw_lot",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("among", sa.Integer(), nullable=False),
        sa.Column("pool", TEXT, nullable=False),
        sa.Column("seed", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("campaign_id", TEXT, nullable=True),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "question", "number"),
    )
    op.create_table(
        "evaluation",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.Column("labels_digest", TEXT, nullable=False),
        sa.Column("figures", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "model_id", "labels_digest"),
    )
    op.create_table(
        "feedback_commit",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("commit_id", TEXT, nullable=False),
        sa.Column("verdicts", sa.Integer(), nullable=False),
        sa.Column("relabelled", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "commit_id"),
    )
    op.create_table(
        "first_answer",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "task_id", "actor_id"),
    )
    op.create_table(
        "gate",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("was_right", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("least", sa.Double(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("admitted_at", sa.BigInteger(), nullable=True),
        sa.Column("admitted_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("project_id", "actor_id"),
    )
    op.create_table(
        "http_kept_answer",
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key"),
    )
    op.create_index("http_kept_answer_time", "http_kept_answer", ["time"], unique=False)
    op.create_table(
        "identity_grant",
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "project_id", "role"),
    )
    op.create_index("identity_grant_project", "identity_grant", ["project_id"], unique=False)
    op.create_table(
        "identity_link",
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("secret"),
    )
    op.create_index(op.f("ix_identity_link_person_id"), "identity_link", ["person_id"], unique=False)
    op.create_table(
        "identity_mark",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "identity_person",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("password", TEXT, nullable=True),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "identity_role",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("permissions", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "identity_session",
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("secret"),
    )
    op.create_index(op.f("ix_identity_session_person_id"), "identity_session", ["person_id"], unique=False)
    op.create_table(
        "identity_token",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=True),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("projects", TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret"),
    )
    op.create_table(
        "imported_answer",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("item_seq", sa.BigInteger(), nullable=False),
        sa.Column("format", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("answers", TEXT, nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("said_at", TEXT, nullable=False),
        sa.Column("counts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("imported_answer_item", "imported_answer", ["project_id", "item_seq", "id"], unique=False)
    op.create_table(
        "item",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=True),
        sa.Column("groups", TEXT, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("committed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("project_id", "external_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("item_project", "item", ["project_id", "seq"], unique=False)
    op.create_index(
        "item_waiting",
        "item",
        ["project_id", "seq"],
        unique=False,
        sqlite_where=sa.text("committed = 0"),
        postgresql_where=sa.text("committed = 0"),
    )
    op.create_table(
        "item_origin",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("format", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "item_id", "format"),
    )
    op.create_table(
        "journal_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "journal_cursor",
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader"),
    )
    op.create_table(
        "journal_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=True),
        sa.Column("verb", TEXT, nullable=False),
        sa.Column("objects", TEXT, nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "journal_leaf",
        sa.Column("idx", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("idx"),
        sa.UniqueConstraint("seq"),
    )
    op.create_table(
        "journal_node",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal_object",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "object_id", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal_payload",
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "known_answer",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("was_right", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "task_id"),
    )
    op.create_index("known_answer_person", "known_answer", ["project_id", "actor_id", "answered_at"], unique=False)
    op.create_table(
        "label",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("task_id", TEXT, nullable=True),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("label_actor", "label", ["project_id", "actor_id", "created_at"], unique=False)
    op.create_index("label_item", "label", ["project_id", "item_id", "question", "id"], unique=False)
    op.create_table(
        "label_config",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "label_current",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("item_seq", sa.BigInteger(), nullable=False),
        sa.Column("label_id", TEXT, nullable=False),
        sa.Column("committed_id", TEXT, nullable=True),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "question", "item_seq"),
    )
    op.create_index(
        "label_waiting",
        "label_current",
        ["project_id", "question", "item_seq"],
        unique=False,
        sqlite_where=sa.text("waiting = 1"),
        postgresql_where=sa.text("waiting = 1"),
    )
    op.create_table(
        "label_held",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("label_id", TEXT, nullable=False),
        sa.Column("since", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "label_id", "since"),
    )
    op.create_table(
        "label_recall",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("question", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("restored", sa.Integer(), nullable=False),
        sa.Column("emptied", sa.Integer(), nullable=False),
        sa.Column("certifying", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("by_kind", TEXT, nullable=False),
        sa.Column("by_id", TEXT, nullable=False),
        sa.Column("by_name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("label_recall_project", "label_recall", ["project_id", "id"], unique=False)
    op.create_table(
        "label_withdrawn",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("label_id", TEXT, nullable=False),
        sa.Column("recall_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "label_id"),
    )
    op.create_table(
        "model_version",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("commit_id", TEXT, nullable=False),
        sa.Column("run_id", TEXT, nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("classes", TEXT, nullable=False),
        sa.Column("metrics", TEXT, nullable=False),
        sa.Column("card", TEXT, nullable=False),
        sa.Column("out_of_fold", TEXT, nullable=False),
        sa.Column("rows", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "number"),
        sa.UniqueConstraint("project_id", "run_id"),
    )
    op.create_index(
        "one_champion",
        "model_version",
        ["project_id", "question"],
        unique=True,
        sqlite_where=sa.text("state = 'champion'"),
        postgresql_where=sa.text("state = 'champion'"),
    )
    op.create_table(
        "monitor_day",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "monitor_profile",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.Column("to_people", sa.Integer(), nullable=False),
        sa.Column("fields", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "day"),
    )
    op.create_table(
        "overlap_answer",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "question", "item_id", "actor_id"),
    )
    op.create_index("overlap_answer_number", "overlap_answer", ["project_id", "question", "number"], unique=False)
    op.create_table(
        "overlap_rule",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("set_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "question"),
    )
    op.create_table(
        "policy",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "version"),
    )
    op.create_table(
        "project",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("schema_digest", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "proposal",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=False),
        sa.Column("replaced_id", TEXT, nullable=True),
        sa.Column("task_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "model_id"),
        sa.UniqueConstraint("project_id", "task_id"),
    )
    op.create_table(
        "queue_rules",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("climb_minutes", sa.Integer(), nullable=True),
        sa.Column("climb_seen", TEXT, nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "reversal",
        sa.Column("decision_id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("reversed_by", TEXT, nullable=False),
        sa.Column("reversed_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledge_by", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", TEXT, nullable=True),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("task_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index(
        "reversal_due",
        "reversal",
        ["acknowledge_by"],
        unique=False,
        sqlite_where=sa.text("acknowledged_at IS NULL AND task_id IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL AND task_id IS NULL"),
    )
    op.create_index("reversal_project", "reversal", ["project_id", "decision_id"], unique=False)
    op.create_table(
        "review_control",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=True),
        sa.Column("certificate_id", TEXT, nullable=True),
        sa.Column("planned_id", TEXT, nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "run",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("workflow", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("args", TEXT, nullable=False),
        sa.Column("result", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("run_newest", "run", ["project_id", "created_at", "id"], unique=False)
    op.create_index("run_open", "run", ["state", "created_at"], unique=False)
    op.create_table(
        "seed",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("task_id", TEXT, nullable=True),
        sa.Column("item_id", TEXT, nullable=True),
        sa.Column("shown", TEXT, nullable=True),
        sa.Column("truth", TEXT, nullable=True),
        sa.Column("shown_value", TEXT, nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("own", TEXT, nullable=True),
        sa.Column("person_id", TEXT, nullable=True),
        sa.Column("person_name", TEXT, nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id"),
    )
    op.create_index(
        "seed_due",
        "seed",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("task_id IS NULL"),
        postgresql_where=sa.text("task_id IS NULL"),
    )
    op.create_index("seed_project", "seed", ["project_id", "answered_at"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=True),
        sa.Column("decision_id", TEXT, nullable=True),
        sa.Column("subject_id", TEXT, nullable=True),
        sa.Column("payload", TEXT, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("skill", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("blind", sa.Integer(), nullable=False),
        sa.Column("campaign_id", TEXT, nullable=True),
        sa.Column("not_by", TEXT, nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("claimed_by", TEXT, nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("worth", sa.Integer(), nullable=False),
        sa.Column("raise_at", sa.BigInteger(), nullable=True),
        sa.Column("skipped", TEXT, nullable=False),
        sa.Column("skipped_until", sa.BigInteger(), nullable=True),
        sa.Column("blind_first", sa.Integer(), nullable=False),
        sa.Column("waits_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "task_claimed",
        "task",
        ["claimed_until"],
        unique=False,
        sqlite_where=sa.text("status = 1"),
        postgresql_where=sa.text("status = 1"),
    )
    op.create_index(
        "task_deadline",
        "task",
        ["deadline"],
        unique=False,
        sqlite_where=sa.text("status < 2 AND deadline IS NOT NULL"),
        postgresql_where=sa.text("status < 2 AND deadline IS NOT NULL"),
    )
    op.create_index("task_decision", "task", ["decision_id"], unique=False)
    op.create_index(
        "task_held",
        "task",
        ["claimed_by"],
        unique=False,
        sqlite_where=sa.text("status = 1"),
        postgresql_where=sa.text("status = 1"),
    )
    op.create_index(
        "task_queue",
        "task",
        ["project_id", "skill", sa.literal_column("priority DESC"), "id"],
        unique=False,
        sqlite_where=sa.text("status = 0"),
        postgresql_where=sa.text("status = 0"),
    )
    op.create_index(
        "task_raise",
        "task",
        ["raise_at"],
        unique=False,
        sqlite_where=sa.text("raise_at IS NOT NULL"),
        postgresql_where=sa.text("raise_at IS NOT NULL"),
    )
    op.create_index(
        "task_unseen",
        "task",
        ["item_id"],
        unique=False,
        sqlite_where=sa.text("status < 2 AND blind + blind_first > 0"),
        postgresql_where=sa.text("status < 2 AND blind + blind_first > 0"),
    )
    op.create_index(
        "task_waits",
        "task",
        ["project_id", "waits_since"],
        unique=False,
        sqlite_where=sa.text("status = 0 AND skill <> 'lead' AND waits_since IS NOT NULL"),
        postgresql_where=sa.text("status = 0 AND skill <> 'lead' AND waits_since IS NOT NULL"),
    )
    op.create_table(
        "task_count",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("skill", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("tasks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "kind", "skill", "status", "slot"),
    )
    op.create_table(
        "truth_model",
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("fitted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "question"),
    )
    op.create_table(
        "webhook",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("events", TEXT, nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", TEXT, nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_project", "webhook", ["project_id", "id"], unique=False)
    commit_order(op, "journal_entry", "seq")
    append_only(op, "journal_entry", ["seq"], ["id"])
    append_only(op, "journal_payload", erasable=True)
    append_only(op, "journal_leaf", ["idx"], ["seq"])
    append_only(op, "journal_node", ["level", "idx"])
    append_only(op, "journal_checkpoint", ["size"])
