"""Tables of review."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text, UniqueConstraint, text

from handrail.foundation.storage import metadata

policy = Table(
    "policy",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    UniqueConstraint("project_id", "version"),
)

control = Table(
    "review_control",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("policy_id", String(36), nullable=False),
    Column("model_id", String(36)),
    Column("certificate_id", String(36)),
    Column("planned_id", String(36)),
    Column("since", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("item_id", String(36), nullable=False),
    Column("question", String(128), nullable=False),
    Column("idem_key", String(200), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("route", String(16), nullable=False),
    Column("value", Text),
    Column("by_kind", String(16), nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("score", Double),
    Column("prediction", Text),
    Column("reasons", Text, nullable=False),
    Column("certificate_id", String(36)),
    Column("policy_id", String(36), nullable=False),
    Column("model_id", String(36)),
    Column("commit_id", String(64)),
    Column("audit_probability", Double, nullable=False),
    Column("audited", Integer, nullable=False),
    Column("task_id", String(36)),
    Column("day", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("on_deadline", String(8), nullable=False),
    Column("default_value", Text),
    Column("irreversible", Integer, nullable=False),
    Column("risk_class", String(64)),
    Column("cost", Double),
    Column("action_hash", String(128)),
    Column("consumed_at", BigInteger),
    Column("consumed_by", String(64)),
    Column("consumed_key", String(200)),
    Column("consumed_hash", String(128)),
    Column("eyes", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # of automation, when it was made
    UniqueConstraint("project_id", "idem_key"),
    Index("decision_item", "project_id", "item_id"),
    Index("decision_day", "project_id", "day", "id"),
)

reversal = Table(
    "reversal",
    metadata,
    Column("decision_id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("reason", Text, nullable=False),
    Column("reversed_by", String(64), nullable=False),
    Column("reversed_at", BigInteger, nullable=False),
    Column("acknowledge_by", BigInteger, nullable=False),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", String(64)),
    Column("note", Text, nullable=False),
    Column("task_id", String(36)),
    Index("reversal_project", "project_id", "decision_id"),
    Index(
        "reversal_due",
        "acknowledge_by",
        sqlite_where=text("acknowledged_at IS NULL AND task_id IS NULL"),
        postgresql_where=text("acknowledged_at IS NULL AND task_id IS NULL"),
    ),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("failing_since", BigInteger),
    Column("next_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    Column("last_error", Text, nullable=False),
    Column("disabled_at", BigInteger),
    Index("webhook_project", "project_id", "id"),
)

tally = Table(
    "decision_tally",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("route", String(16), primary_key=True),
    Column("n", BigInteger, nullable=False),
)

certificate = Table(
    "certificate",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("project_id", String(36), nullable=False),
    Column("model_id", String(36), nullable=False),
    Column("model_digest", String(64), nullable=False),
    Column("question", String(128), nullable=False),
    Column("alpha", Double, nullable=False),
    Column("delta", Double, nullable=False),
    Column("status", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("labels_planned", Integer, nullable=False),
    Column("labels_drawn", Integer, nullable=False),
    Column("labels_in", Integer, nullable=False),
    Column("frozen_seq", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("brake", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("issued_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_why", Text, nullable=False),
    UniqueConstraint("project_id", "number"),
)

drawn = Table(
    "certificate_item",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    Column("item_id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("position", Integer, nullable=False),
    Column("probability", Double, nullable=False),
    Column("score", Double, nullable=False),
    Column("predicted", Text, nullable=False),
    Column("value", Text),
    Index("certificate_item_item", "project_id", "item_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("decision_id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("certificate_id", String(36), nullable=False),
    Column("position", Integer, nullable=False),
    Column("probability", Double, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index("audit_certificate", "project_id", "certificate_id", "position"),
)
