from __future__ import annotations

import pytest

from handrail.foundation.actors import Actor
from handrail.foundation.authorize import (
    PermissionMissing,
    ProjectUnknown,
    allowed,
    authorize,
    covers,
    is_held_form,
    is_permission,
)


def _actor(*held: str, projects: frozenset[str] | None = None) -> Actor:
    return Actor("person", "p", "Ann", frozenset(held), projects)


@pytest.mark.parametrize("form", ["*", "tasks.*", "*.answer", "tasks.answer"])
def test_each_form_allows(form: str) -> None:
    authorize(_actor(form), "tasks.answer")
    authorize(_actor(form), "tasks.answer", "a")
    authorize(_actor(f"{form}@a"), "tasks.answer", "a")


@pytest.mark.parametrize("form", ["tasks.read", "*.read", "review.*", "tasks", "answer", "tasks.answer@b", "*@b"])
def test_other_forms_do_not(form: str) -> None:
    with pytest.raises(PermissionMissing) as refused:
        authorize(_actor(form), "tasks.answer", "a")
    assert refused.value.facts == {"permission": "tasks.answer"}


def test_a_role_in_one_project_says_nothing_about_the_home() -> None:
    assert not allowed(_actor("*@a", projects=frozenset({"a"})), "people.read")
    assert not allowed(_actor("tasks.answer@a"), "tasks.answer")


def test_a_project_out_of_reach_is_unknown_whatever_is_held() -> None:
    actor = _actor("*", projects=frozenset({"a"}))
    authorize(actor, "tasks.answer", "a")
    with pytest.raises(ProjectUnknown):
        authorize(actor, "tasks.answer", "b")


def test_the_systems_own_rules_may_do_everything() -> None:
    authorize(Actor.rule("loop"), "review.decide", "a")


def test_nobody_gives_more_than_they_hold() -> None:
    lead = _actor("*.read@a", "tasks.*@a", projects=frozenset({"a"}))
    assert covers(lead, "tasks.answer", "a")
    assert covers(lead, "tasks.*", "a")
    assert covers(lead, "review.read", "a")
    assert covers(lead, "*.read", "a")
    assert not covers(lead, "review.*", "a")
    assert not covers(lead, "*", "a")
    assert not covers(lead, "*.answer", "a")
    assert not covers(lead, "tasks.answer", "b")
    assert not covers(lead, "tasks.answer", None)


def test_a_token_for_one_project_gives_nothing_everywhere() -> None:
    token = _actor("*", projects=frozenset({"a"}))
    assert covers(token, "*", "a")
    assert not covers(token, "tasks.read", None)


def test_the_forms_of_permissions() -> None:
    assert is_permission("tasks.answer")
    assert not any(
        is_permission(text) for text in ("", "tasks", "*", "tasks.*", "tasks.answer@a", "Tasks.answer", "a.b\n")
    )
    assert all(is_held_form(text) for text in ("*", "tasks.*", "*.read", "tasks.answer"))
    assert not any(is_held_form(text) for text in ("", "tasks", "**", "tasks.answer@a"))
