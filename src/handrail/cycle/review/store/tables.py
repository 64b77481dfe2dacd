"""Tables of review."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text, UniqueConstraint

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
    Column("audit_rate", Double),
    Column("audit_control", Double),
    Column("audit_group", String(160)),
    Column("audit_mean_q", Double),
    Column("audited", Integer, nullable=False),
    Column("task_id", String(36)),
    Column("day", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("on_deadline", String(8), nullable=False),
    UniqueConstraint("project_id", "idem_key"),
    Index("decision_item", "project_id", "item_id"),
    Index("decision_day", "project_id", "day", "id"),
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
    Column("brake_base", Text),
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
    Column("value", Text),
    Index("certificate_item_item", "project_id", "item_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("decision_id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("certificate_id", String(36), nullable=False),
    Column("probability", Double, nullable=False),
    Column("rate", Double, nullable=False),
    Column("control", Double),
    Column("audit_group", String(160), nullable=False),
    Column("mean_q", Double, nullable=False),
    Column("risk", Double),
    Column("idle", Text),
    Column("verdicts", Text, nullable=False),
    Column("wrong", Integer),
    Column("folded", Integer, nullable=False),
    Column("drawn_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Index("audit_certificate", "project_id", "certificate_id", "folded", "decision_id"),
)
