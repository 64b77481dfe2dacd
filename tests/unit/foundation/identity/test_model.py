from __future__ import annotations

import pytest

from handrail.foundation.authorize import allowed, is_held_form
from handrail.foundation.identity.model import (
    BUILT_IN,
    BadEmail,
    BadName,
    BadPassword,
    actor_of,
    clean_email,
    clean_name,
    clean_password,
)


def test_names_are_kept_without_space_around() -> None:
    assert clean_name("  Ann  Berg ") == "Ann  Berg"
    for bad in ("", "   ", "a\nb", "a\x00", "a\u202eb", "x" * 201):
        with pytest.raises(BadName):
            clean_name(bad)


def test_addresses_have_one_form() -> None:
    assert clean_email(" Ann@Example.ORG ") == "ann@example.org"
    assert clean_email("ann@example.org") == "ann@example.org"
    for bad in ("", "ann", "@x", "ann@", "a b@c", "a@b@c", "a\n@b", "<a@b>", "a" * 251 + "@b.c", "a@b,c@d"):
        with pytest.raises(BadEmail):
            clean_email(bad)


def test_passwords_that_are_easy_to_guess_are_refused() -> None:
    assert clean_password("four quiet green doors") == "four quiet green doors"
    assert clean_password("ﬁfty doors stay shut") == "fifty doors stay shut"
    for bad in ("short", "aaaaaaaaaaaa", "1234567890", "qwertyuiop", "password12", "x" * 1025, "abababababab"):
        with pytest.raises(BadPassword):
            clean_password(bad)
    with pytest.raises(BadPassword):
        clean_password("ann@example.org", email="ann@example.org")
    with pytest.raises(BadPassword):
        clean_password("Annelise Berg", name="annelise berg")


def test_the_built_in_roles_are_well_formed() -> None:
    for role in BUILT_IN:
        assert role.permissions, role.name
        assert all(is_held_form(form) for form in role.permissions), role.name
    assert len({role.name for role in BUILT_IN}) == len(BUILT_IN)


def test_who_may_do_what() -> None:
    may = {role.name: actor_of("p", "P", "person", [("", role.permissions)]) for role in BUILT_IN}

    def who(permission: str) -> set[str]:
        return {name for name, actor in may.items() if allowed(actor, permission)} - {"owner", "local"}

    assert who("tasks.answer") == {"lead", "reviewer"}
    assert who("review.decide") == {"lead", "machine"}
    assert who("review.set_policy") == {"lead"}
    assert who("datasets.read") == {"lead", "reviewer", "data_scientist", "auditor", "machine"}
    assert who("tokens.make") == set()
    assert who("tokens.list") == set()
    assert who("people.change") == set()
    assert who("people.add") == {"lead"}
    assert all("write" not in form and "answer" not in form for form in may["auditor"].permissions)


def test_roles_in_projects_stay_there() -> None:
    actor = actor_of("p", "P", "person", [("a", frozenset({"tasks.answer"})), ("b", frozenset({"*"}))])
    assert actor.projects == frozenset({"a", "b"})
    assert allowed(actor, "tasks.answer", "a")
    assert not allowed(actor, "review.stop", "a")
    assert allowed(actor, "review.stop", "b")
    assert not allowed(actor, "review.stop")
    assert actor_of("p", "P", "person", []).projects == frozenset()
