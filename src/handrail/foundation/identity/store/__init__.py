"""Tables and SQL of people, sessions, links, roles and tokens."""

from handrail.foundation.identity.store.tables import grant, link, mark, person, role, session, token

__all__ = ["grant", "link", "mark", "person", "role", "session", "token"]
