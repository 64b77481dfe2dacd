"""The one question of access: may this actor do this here? Pure; used by every door.

A permission is `stage.verb` ("tasks.answer"). What an actor holds is a set of texts of these forms:

    *               everything                      (owner, the system's own rules)
    tasks.*         every verb of a stage
    *.read          one verb in every stage
    tasks.answer    exactly this

each either as it is (in every project that the actor reaches) or ending in `@PROJECT_ID` (in that project only).
"""

from __future__ import annotations

import re
from functools import lru_cache

from handrail.foundation.actors import Actor
from handrail.foundation.errors import Forbidden, NotFound

_PERMISSION = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_HELD = re.compile(r"\*|(\*|[a-z][a-z_]*)\.(\*|[a-z][a-z_]*)")


class ProjectUnknown(NotFound):
    """No such project in the actor's reach; the same words whether it exists elsewhere or not."""

    code = "projects.unknown"


class PermissionMissing(Forbidden):
    """The actor is known and holds no role that allows this."""

    code = "identity.permission_missing"


def project_unknown() -> ProjectUnknown:
    """Return the error for a project that is not in reach."""
    return ProjectUnknown(
        "There is no such project, or it is not shared with you.", hint="List the projects that you can see."
    )


def is_permission(text: str) -> bool:
    """Return whether `text` names one permission, as a route declares it."""
    return _PERMISSION.fullmatch(text) is not None


def is_held_form(text: str) -> bool:
    """Return whether `text` is a form in which a role may hold permissions."""
    return _HELD.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _forms(permission: str) -> tuple[str, ...]:
    stage, _, verb = permission.partition(".")
    return ("*", permission, f"{stage}.*", f"*.{verb}")


def allowed(actor: Actor, permission: str, project_id: str | None = None) -> bool:
    """Return whether `actor` may do `permission`, in a project or, with None, in the home as a whole."""
    if project_id is not None and actor.projects is not None and project_id not in actor.projects:
        return False
    held = actor.permissions
    forms = _forms(permission)
    if any(form in held for form in forms):
        return True
    return project_id is not None and any(f"{form}@{project_id}" in held for form in forms)


def authorize(actor: Actor, permission: str, project_id: str | None = None) -> None:
    """Return when `actor` may do `permission` there.

    Raises ProjectUnknown when the project is out of reach (its existence is not told), PermissionMissing otherwise.
    """
    if allowed(actor, permission, project_id):
        return
    if project_id is not None and actor.projects is not None and project_id not in actor.projects:
        raise project_unknown()
    raise PermissionMissing(
        f"This needs the permission {permission}, which {actor.name} does not hold here.",
        hint="Ask an owner of the project for a role that holds it.",
        permission=permission,
    )


def covers(actor: Actor, form: str, project_id: str | None = None) -> bool:
    """Return whether `actor` holds everything that `form` (one of the forms above) would give somebody there.

    Used when roles and tokens are given away: nobody gives more than they hold.
    """
    if project_id is not None and actor.projects is not None and project_id not in actor.projects:
        return False
    if project_id is None and actor.projects is not None:
        return False
    stage, _, verb = form.partition(".")
    wider = {"*", form}
    if verb and stage != "*":
        wider |= {f"{stage}.*"}
        if verb != "*":
            wider |= {f"*.{verb}"}
    held = actor.permissions
    if wider & held:
        return True
    return project_id is not None and any(f"{one}@{project_id}" in held for one in wider)
