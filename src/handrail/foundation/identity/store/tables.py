"""The tables. Secrets are kept as SHA-256 in hexadecimal: they are 256 random bits, so a fast hash is enough."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from handrail.foundation.storage import metadata

person = Table(
    "identity_person",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", String(254), unique=True),
    Column("kind", String(16), nullable=False),
    Column("password", Text),
    Column("active", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
session = Table(
    "identity_session",
    metadata,
    Column("secret", String(64), primary_key=True),
    Column("person_id", String(36), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
link = Table(
    "identity_link",
    metadata,
    Column("secret", String(64), primary_key=True),
    Column("person_id", String(36), index=True),  # null: the first person of the home
    Column("expires_at", BigInteger, nullable=False),
)
token = Table(
    "identity_token",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("secret", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("person_id", String(36)),  # a simulated person
    Column("role", String(64), nullable=False),
    Column("projects", Text),  # JSON list of ids; null: all
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
)
role = Table(
    "identity_role",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("permissions", Text, nullable=False),
    Column("note", Text, nullable=False),
)
grant = Table(
    "identity_grant",
    metadata,
    Column("person_id", String(36), primary_key=True),
    Column("project_id", String(36), primary_key=True),  # "": in every project
    Column("role", String(64), primary_key=True),
    Index("identity_grant_project", "project_id"),
)
mark = Table(
    "identity_mark", metadata, Column("name", String(64), primary_key=True), Column("value", Text, nullable=False)
)
