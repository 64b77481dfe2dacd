"""Who acts, and in which project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["person", "machine", "rule", "simulated"]


@dataclass(frozen=True)
class Actor:
    """Somebody or something that acts; `projects` None means every project.

    A simulated actor stands in for a person in a demonstration home and is marked as simulated wherever it shows.
    """

    kind: ActorKind
    id: str
    name: str
    permissions: frozenset[str] = frozenset()
    projects: frozenset[str] | None = None

    @property
    def is_human(self) -> bool:
        """True for a person, and for a simulated one in a demonstration home; a machine token never is."""
        return self.kind in ("person", "simulated")

    @classmethod
    def rule(cls, name: str) -> Actor:
        """Return the actor for one of the system's own rules, which may do everything it was written for."""
        return cls(kind="rule", id=name, name=name, permissions=frozenset({"*"}))


@dataclass(frozen=True)
class Scope:
    """The project that a call is about; every store method takes one."""

    project_id: str
