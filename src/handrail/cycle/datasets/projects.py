"""Makes and finds projects and their schemas."""

from __future__ import annotations

from handrail.cycle.datasets import store
from handrail.cycle.datasets.checking import check_project_name
from handrail.cycle.datasets.events import ProjectMade
from handrail.cycle.datasets.model import MAIN, Project, ProjectExists
from handrail.cycle.datasets.schema import Schema, SchemaInvalid
from handrail.cycle.datasets.values import read_text
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.authorize import project_unknown
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork


class Projects:
    """The projects of a home."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        # A schema never changes once its project is made, so what was read once holds.
        self._schemas: dict[str, Schema] = {}

    def create(self, uow: UnitOfWork, actor: Actor, name: str, schema: Schema, description: str) -> Project:
        """Make a project; raises NameInvalid, SchemaInvalid, ProjectExists."""
        check_project_name(name)
        if read_text(description)[1] or len(description) > 10_000:
            raise SchemaInvalid("The description must be a text of up to 10,000 characters.")
        made = Project(
            id=self._ids.new(),
            name=name,
            description=description,
            schema_digest=schema.digest,
            created_at=self._clock.now(),
            created_by=actor.id,
        )
        document = schema.to_dict()
        if not store.insert_project(uow, made, document, main=MAIN):
            raise ProjectExists(f"There is a project named {name} already.", hint="Choose another name.", name=name)
        event = ProjectMade(
            project_id=made.id, schema_id=schema.digest, name=name, description=description, schema=document
        )
        self._journal.append(uow, actor, made.id, event)
        return made

    def get(self, uow: UnitOfWork, name_or_id: str) -> Project:
        """Return the project of this name or id; raises ProjectUnknown."""
        found = store.find_project(uow, name_or_id)
        if found is None:
            raise project_unknown()
        return found

    def all(self, uow: UnitOfWork) -> list[Project]:
        """Return every project, oldest first."""
        return store.all_projects(uow)

    def schema(self, uow: UnitOfWork, scope: Scope) -> Schema:
        """Return the schema of the project; raises ProjectUnknown."""
        known = self._schemas.get(scope.project_id)
        if known is None:
            document = store.get_schema(uow, scope)
            if document is None:
                raise project_unknown()
            known = self._schemas[scope.project_id] = Schema.from_dict(document)
        return known
