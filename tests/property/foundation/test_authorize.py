"""Against a definition by enumeration: what a form gives is the set of permissions that it allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handrail.foundation.actors import Actor
from handrail.foundation.authorize import allowed, covers

STAGES, VERBS, PROJECTS = ("tasks", "review", "people"), ("read", "answer"), ("a", "b")
FORMS = ["*"] + [f"{s}.{v}" for s in (*STAGES, "*") for v in (*VERBS, "*")]
FORMS.remove("*.*")
HELD = [*FORMS, *(f"{form}@{project}" for form in FORMS for project in PROJECTS)]
PERMISSIONS = [f"{stage}.{verb}" for stage in STAGES for verb in VERBS]
PLACES = (None, *PROJECTS)

actors = st.builds(
    Actor,
    kind=st.just("person"),
    id=st.just("p"),
    name=st.just("Ann"),
    permissions=st.frozensets(st.sampled_from(HELD), max_size=5),
    projects=st.one_of(st.none(), st.frozensets(st.sampled_from(PROJECTS))),
)


def _may(actor: Actor) -> set[tuple[str, str | None]]:
    return {(one, place) for one in PERMISSIONS for place in PLACES if allowed(actor, one, place)}


@given(actors, st.sampled_from(FORMS), st.sampled_from(PLACES))
def test_giving_away_never_makes_anybody_able_to_do_more(giver: Actor, form: str, place: str | None) -> None:
    if not covers(giver, form, place):
        return
    held = form if place is None else f"{form}@{place}"
    receiver = Actor("person", "r", "Bea", frozenset({held}), None if place is None else frozenset({place}))
    assert _may(receiver) <= _may(giver)


@given(actors, st.sampled_from(PERMISSIONS), st.sampled_from(PLACES))
def test_what_is_allowed_follows_from_one_held_form(actor: Actor, permission: str, place: str | None) -> None:
    stage, verb = permission.split(".")
    fitting = {"*", permission, f"{stage}.*", f"*.{verb}"}
    fitting |= {f"{form}@{place}" for form in set(fitting) if place is not None}
    reachable = place is None or actor.projects is None or place in actor.projects
    assert allowed(actor, permission, place) == (reachable and bool(fitting & actor.permissions))
