from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from handrail.foundation.actors import Actor
from handrail.foundation.authorize import PermissionMissing, ProjectUnknown, allowed
from handrail.foundation.clock import FixedClock
from handrail.foundation.identity import Grant, Identity, Passwords
from handrail.foundation.identity import store as tables
from handrail.foundation.identity.attempts import TooManyAttempts
from handrail.foundation.identity.model import BadPassword
from handrail.foundation.identity.people import (
    EmailTaken,
    LastOwner,
    NotADemo,
    NotAPerson,
    PersonUnknown,
    RoleUnknown,
    TooMuch,
)
from handrail.foundation.identity.service import AlreadySetUp, LinkNotValid, SignedIn, WrongCredentials
from handrail.foundation.identity.tokens import BadTerm, TokenUnknown
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.journal import store as journal_tables
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage

CHEAP = {"memory_kib": 8, "passes": 1, "lanes": 1}
GOOD = "four quiet green doors"
OTHER = "nine loud yellow windows"
_ENTRIES = select(
    journal_tables.entry.c.verb, journal_tables.entry.c.actor_kind, journal_tables.entry.c.objects
).order_by(journal_tables.entry.c.seq)
_PAYLOADS = select(journal_tables.payload.c.content)


@dataclass
class Home:
    """An identity on one database."""

    storage: Storage
    clock: FixedClock
    identity: Identity
    again: Callable[[], Identity]

    def entries(self) -> list[tuple[str, str, dict[str, str]]]:
        rows = self.storage.read(lambda uow: uow.run(_ENTRIES).all())
        return [(verb, kind, json.loads(objects)) for verb, kind, objects in rows]

    def verbs(self) -> list[str]:
        return [verb.removeprefix("identity.") for verb, _, _ in self.entries()]

    async def owner(self) -> SignedIn:
        link = self.identity.first_link()
        assert link is not None
        return await self.identity.join(link, "Ann Berg", "Ann@Example.org", GOOD, "1.2.3.4")


@pytest.fixture
def home(storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness) -> Iterator[Home]:
    made: list[Identity] = []

    def again() -> Identity:
        journal = Journal(clock, ids, randomness)
        made.append(Identity(storage, journal, clock, ids, randomness, session_hours=12, passwords=Passwords(**CHEAP)))
        return made[-1]

    first = again()
    first.prepare()
    yield Home(storage, clock, first, again)
    for one in made:
        one.close()


async def test_the_first_person_signs_up_once(home: Home) -> None:
    identity = home.identity
    assert await identity.setup_needed()
    link = identity.first_link()
    assert link is not None
    signed = await identity.join(link, " Ann Berg ", "Ann@Example.org", GOOD, "1.2.3.4")
    assert (signed.actor.kind, signed.actor.name, signed.actor.projects) == ("person", "Ann Berg", None)
    assert signed.actor.is_human
    assert allowed(signed.actor, "tokens.make")
    assert not await identity.setup_needed()
    assert identity.first_link() is None
    with pytest.raises(LinkNotValid):
        await identity.join(link, "Eve", "eve@example.org", OTHER)
    assert home.verbs() == ["person_added", "role_given", "setup_used", "signed_in"]


async def test_the_first_link_ends_after_a_day_and_when_a_new_one_is_made(home: Home) -> None:
    old = home.identity.first_link()
    new = home.identity.first_link()
    assert old is not None
    assert new is not None
    with pytest.raises(LinkNotValid):
        await home.identity.join(old, "Ann", "ann@example.org", GOOD)
    home.clock.advance(seconds=24 * 3600)
    with pytest.raises(LinkNotValid):
        await home.identity.join(new, "Ann", "ann@example.org", GOOD)


async def test_two_cannot_use_the_first_link_at_the_same_moment(home: Home) -> None:
    link = home.identity.first_link()
    assert link is not None
    tries = [home.identity.join(link, f"P{n}", f"p{n}@example.org", GOOD) for n in range(5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, SignedIn) for one in results) == 1
    assert all(isinstance(one, SignedIn | LinkNotValid | AlreadySetUp) for one in results)
    assert len(home.identity.people.list()) == 1


async def test_a_bad_password_does_not_use_the_link_up(home: Home) -> None:
    link = home.identity.first_link()
    assert link is not None
    with pytest.raises(BadPassword):
        await home.identity.join(link, "Ann", "ann@example.org", "short")
    assert await home.identity.join(link, "Ann", "ann@example.org", GOOD)


async def test_signing_in_needs_the_right_password(home: Home) -> None:
    await home.owner()
    signed = await home.identity.sign_in("ANN@example.org ", GOOD, "9.9.9.9")
    assert (await home.identity.by_session(signed.secret)) == signed.actor
    messages = []
    for email, password in (("ann@example.org", OTHER), ("nobody@example.org", GOOD), ("ann@example.org", "")):
        with pytest.raises(WrongCredentials) as refused:
            await home.identity.sign_in(email, password, "9.9.9.9")
        messages.append((refused.value.sentence, refused.value.hint, refused.value.facts))
    assert len(set(map(str, messages))) == 1, "the answer must not tell who is known"
    assert home.verbs()[-4:] == ["signed_in", "sign_in_failed", "sign_in_failed", "sign_in_failed"]


async def test_too_long_a_password_is_wrong_and_not_hashed(home: Home) -> None:
    await home.owner()
    with pytest.raises(WrongCredentials):
        await home.identity.sign_in("ann@example.org", GOOD + " " * 5000)


async def test_guessing_is_slowed_down_even_in_parallel(home: Home) -> None:
    await home.owner()
    tries = [home.identity.sign_in("ann@example.org", f"guess number {n}", "6.6.6.6") for n in range(30)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, WrongCredentials) for one in results) == 5
    assert sum(isinstance(one, TooManyAttempts) for one in results) == 25
    # Neither the right password helps there, nor is the person locked out elsewhere.
    with pytest.raises(TooManyAttempts):
        await home.identity.sign_in("ann@example.org", GOOD, "6.6.6.6")
    assert await home.identity.sign_in("ann@example.org", GOOD, "1.2.3.4")


async def test_what_is_typed_in_the_wrong_field_is_not_kept(home: Home) -> None:
    await home.owner()
    with pytest.raises(WrongCredentials):
        await home.identity.sign_in("my secret words", "x", "1.2.3.4")
    payloads = home.storage.read(lambda uow: uow.run(_PAYLOADS).all())
    assert "my secret words" not in str(payloads)


async def test_no_secret_and_no_password_is_kept_in_clear(home: Home) -> None:
    signed = await home.owner()
    token, secret = home.identity.tokens.make(signed.actor, "service")
    _, link = home.identity.people.add(signed.actor, "Bea", "bea@example.org", Grant("reviewer"))
    everything = ""
    for table in (*vars(tables).values(), journal_tables.entry, journal_tables.payload):
        if hasattr(table, "columns"):
            everything += str(home.storage.read(lambda uow, table=table: uow.run(select(table)).all()))
    for hidden in (signed.secret, secret, link, GOOD):
        assert hidden not in everything
    assert token.id in everything
    assert "$argon2id$" in everything


async def test_a_session_ends_by_time_and_by_signing_out(home: Home) -> None:
    signed = await home.owner()
    second = await home.identity.sign_in("ann@example.org", GOOD)
    await home.identity.sign_out(second.secret)
    assert await home.identity.by_session(second.secret) is None
    assert await home.identity.by_session(signed.secret) is not None
    home.clock.advance(seconds=12 * 3600 - 1)
    assert await home.identity.by_session(signed.secret) is not None
    home.clock.advance(seconds=1)
    assert await home.identity.by_session(signed.secret) is None


async def test_secrets_of_another_form_are_not_looked_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(home.storage, "aread", never)
    for text in ("", "x", "hr_", "hr_" + "a" * 42, "hr_" + "ä" * 43, "a" * 44, "' OR 1=1 --"):
        assert await home.identity.by_token(text) is None
        assert await home.identity.by_session(text) is None


async def test_the_hot_path_needs_no_database(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = await home.owner()
    _, secret = home.identity.tokens.make(signed.actor, "service")
    await home.identity.by_session(signed.secret)
    await home.identity.by_token(secret)
    reads = 0
    real = home.storage.aread

    async def counted(unit: object) -> object:
        nonlocal reads
        reads += 1
        return await real(unit)  # type: ignore[arg-type]

    monkeypatch.setattr(home.storage, "aread", counted)
    for _ in range(50):
        await home.identity.by_session(signed.secret)
        await home.identity.by_token(secret)
    assert reads == 0
    home.clock.advance(seconds=5)
    await home.identity.by_token(secret)
    assert reads == 1


async def test_a_token_is_a_machine_and_never_a_person(home: Home) -> None:
    signed = await home.owner()
    token, secret = home.identity.tokens.make(signed.actor, "owner's script", "owner")
    actor = await home.identity.by_token(secret)
    assert actor is not None
    assert (actor.kind, actor.id, actor.is_human) == ("machine", token.id, False)
    for verb in (
        lambda: home.identity.people.add(actor, "Eve", "eve@example.org", Grant("reviewer")),
        lambda: home.identity.people.new_link(actor, signed.actor.id),
        lambda: home.identity.people.give(actor, signed.actor.id, Grant("reviewer")),
        lambda: home.identity.people.stop(actor, signed.actor.id),
        lambda: home.identity.tokens.make(actor, "another"),
    ):
        with pytest.raises(NotAPerson):
            verb()


async def test_a_token_ends_when_revoked_and_by_time(home: Home) -> None:
    signed = await home.owner()
    token, secret = home.identity.tokens.make(signed.actor, "service", days=2)
    _, short = home.identity.tokens.make(signed.actor, "short", days=1)
    assert await home.identity.by_token(secret) is not None
    home.identity.tokens.revoke(signed.actor, token.id)
    assert await home.identity.by_token(secret) is None
    with pytest.raises(TokenUnknown):
        home.identity.tokens.revoke(signed.actor, token.id)
    assert await home.identity.by_token(short) is not None
    home.clock.advance(seconds=86400)
    assert await home.identity.by_token(short) is None
    assert home.verbs()[-3:] == ["token_made", "token_made", "token_revoked"]
    with pytest.raises(BadTerm):
        home.identity.tokens.make(signed.actor, "x", days=0)


async def test_another_process_sees_a_revocation_within_five_seconds(home: Home) -> None:
    signed = await home.owner()
    other = home.again()
    other.prepare()
    token, secret = home.identity.tokens.make(signed.actor, "service")
    assert await other.by_token(secret) is not None
    home.identity.tokens.revoke(signed.actor, token.id)
    home.clock.advance(seconds=5)
    assert await other.by_token(secret) is None


async def test_last_use_is_kept_cheaply(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = await home.owner()
    _, secret = home.identity.tokens.make(signed.actor, "service")
    assert home.identity.tokens.list()[0].last_used_at is None
    writes = 0
    real = home.storage.awrite

    async def counted(unit: object) -> object:
        nonlocal writes
        writes += 1
        return await real(unit)  # type: ignore[arg-type]

    monkeypatch.setattr(home.storage, "awrite", counted)
    for _ in range(100):
        await home.identity.by_token(secret)
        home.clock.advance(seconds=6)
    assert 2 <= writes <= 3
    used = home.identity.tokens.list()[0].last_used_at
    assert used is not None
    assert (home.clock.now() - used).total_seconds() < 310


async def test_a_token_for_some_projects_reaches_only_those(home: Home) -> None:
    signed = await home.owner()
    _, secret = home.identity.tokens.make(signed.actor, "service", projects=frozenset({"p1"}))
    actor = await home.identity.by_token(secret)
    assert actor is not None
    assert actor.projects == frozenset({"p1"})
    assert allowed(actor, "review.decide", "p1")
    assert not allowed(actor, "review.decide", "p2")
    _, none = home.identity.tokens.make(signed.actor, "nothing", projects=frozenset())
    nobody = await home.identity.by_token(none)
    assert nobody is not None
    assert nobody.projects == frozenset()


async def test_an_invited_person_joins_with_the_link(home: Home) -> None:
    signed = await home.owner()
    person, link = home.identity.people.add(signed.actor, "Bea", "bea@example.org", Grant("reviewer", "p1"))
    assert not person.joined
    with pytest.raises(WrongCredentials):
        await home.identity.sign_in("bea@example.org", "")
    with pytest.raises(LinkNotValid):
        await home.identity.join(link, "Eve", "eve@example.org", OTHER)
    joined = await home.identity.join(link, "Bea Carr", "bea@example.org", OTHER)
    assert joined.actor.id == person.id
    assert joined.actor.projects == frozenset({"p1"})
    assert allowed(joined.actor, "tasks.answer", "p1")
    assert not allowed(joined.actor, "review.stop", "p1")
    with pytest.raises(LinkNotValid):
        await home.identity.join(link, "Bea", "bea@example.org", OTHER)
    with pytest.raises(EmailTaken):
        home.identity.people.add(signed.actor, "Bea", "BEA@example.org", Grant("reviewer"))
    assert [(one.name, one.joined) for one in home.identity.people.list()] == [("Ann Berg", True), ("Bea Carr", True)]


async def test_an_invitation_ends_after_a_week(home: Home) -> None:
    signed = await home.owner()
    _, link = home.identity.people.add(signed.actor, "Bea", "bea@example.org", Grant("reviewer"))
    home.clock.advance(seconds=7 * 86400)
    with pytest.raises(LinkNotValid):
        await home.identity.join(link, "Bea", "bea@example.org", OTHER)


async def test_a_change_of_roles_is_in_force_at_once(home: Home) -> None:
    signed = await home.owner()
    person, link = home.identity.people.add(signed.actor, "Bea", "bea@example.org", Grant("reviewer", "p1"))
    bea = await home.identity.join(link, "Bea", "bea@example.org", OTHER)

    async def now() -> Actor | None:
        return await home.identity.by_session(bea.secret)

    assert not allowed(await now() or bea.actor, "review.stop", "p2")
    home.identity.people.give(signed.actor, person.id, Grant("lead", "p2"))
    home.identity.people.give(signed.actor, person.id, Grant("lead", "p2"))
    actor = await now()
    assert actor is not None
    assert allowed(actor, "review.stop", "p2")
    assert not allowed(actor, "review.stop", "p1")
    home.identity.people.take(signed.actor, person.id, Grant("lead", "p2"))
    actor = await now()
    assert actor is not None
    assert actor.projects == frozenset({"p1"})
    home.identity.people.stop(signed.actor, person.id)
    assert await now() is None
    with pytest.raises(WrongCredentials):
        await home.identity.sign_in("bea@example.org", OTHER)
    with pytest.raises(PersonUnknown):
        home.identity.people.give(signed.actor, person.id, Grant("reviewer"))
    assert home.verbs().count("role_given") == 3


async def test_a_new_link_ends_sessions_and_sets_a_new_password(home: Home) -> None:
    signed = await home.owner()
    person, link = home.identity.people.add(signed.actor, "Bea", "bea@example.org", Grant("reviewer"))
    bea = await home.identity.join(link, "Bea", "bea@example.org", OTHER)
    fresh = home.identity.people.new_link(signed.actor, person.id)
    assert await home.identity.by_session(bea.secret) is None
    await home.identity.join(fresh, "Bea", "bea@example.org", "some third set of words")
    with pytest.raises(WrongCredentials):
        await home.identity.sign_in("bea@example.org", OTHER)
    assert await home.identity.sign_in("bea@example.org", "some third set of words")


async def test_nobody_gives_more_than_they_hold(home: Home) -> None:
    owner = (await home.owner()).actor
    people, tokens = home.identity.people, home.identity.tokens
    _, link = people.add(owner, "Lea", "lea@example.org", Grant("lead", "p1"))
    lead = (await home.identity.join(link, "Lea", "lea@example.org", OTHER)).actor
    assert people.add(lead, "Rob", "rob@example.org", Grant("reviewer", "p1"))
    with pytest.raises(TooMuch):
        people.add(lead, "Rob", "rob2@example.org", Grant("owner", "p1"))
    with pytest.raises(ProjectUnknown):
        people.add(lead, "Rob", "rob2@example.org", Grant("reviewer", "p2"))
    with pytest.raises(PermissionMissing):
        people.add(lead, "Rob", "rob2@example.org", Grant("reviewer"))
    with pytest.raises(TooMuch):
        people.new_link(lead, owner.id)
    with pytest.raises(TooMuch):
        people.stop(lead, owner.id)
    with pytest.raises(TooMuch):
        tokens.make(lead, "x", "owner", projects=frozenset({"p1"}))
    with pytest.raises(TooMuch):
        tokens.make(lead, "x", "reviewer")
    with pytest.raises(ProjectUnknown):
        tokens.make(lead, "x", "reviewer", projects=frozenset({"p1", "p2"}))
    with pytest.raises(RoleUnknown):
        tokens.make(owner, "x", "emperor")
    assert len(people.list()) == 3


async def test_the_last_owner_stays(home: Home) -> None:
    owner = (await home.owner()).actor
    people = home.identity.people
    other, link = people.add(owner, "Bea", "bea@example.org", Grant("owner"))
    for verb in (lambda: people.stop(owner, owner.id), lambda: people.take(owner, owner.id, Grant("owner"))):
        with pytest.raises(LastOwner):
            verb()  # Bea has not joined yet
    await home.identity.join(link, "Bea", "bea@example.org", OTHER)
    people.take(owner, owner.id, Grant("owner"))
    with pytest.raises(LastOwner):
        people.stop(home.identity.local(), other.id)


async def test_commands_on_this_computer_are_a_machine(home: Home) -> None:
    token = "hr_" + "b" * 43
    assert await home.identity.by_token(token) is None
    home.identity.trust_local(token)
    actor = await home.identity.by_token(token)
    assert actor == home.identity.local()
    assert actor is not None
    assert (actor.kind, actor.is_human) == ("machine", False)
    assert allowed(actor, "tokens.make")
    assert await home.identity.by_token("hr_" + "c" * 43) is None
    assert home.identity.people.add(actor, "Ann", "ann@example.org", Grant("owner"))


async def test_simulated_people_act_in_demonstrations_only(home: Home, storage: Storage) -> None:
    rule = Actor.rule("demo")
    with pytest.raises(NotADemo):
        home.identity.people.add_simulated(rule, "Dr Sim", Grant("reviewer"))
    with pytest.raises(NotADemo):
        home.identity.prepare(demo=True)
    assert not home.identity.is_demo


async def test_simulated_people_in_a_demonstration(
    storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness
) -> None:
    journal = Journal(clock, ids, randomness)
    identity = Identity(storage, journal, clock, ids, randomness, passwords=Passwords(**CHEAP))
    identity.prepare(demo=True)
    rule = Actor.rule("demo")
    simulated = identity.people.add_simulated(rule, "Dr Sim", Grant("reviewer"))
    assert (simulated.kind, simulated.is_human, simulated.projects) == ("simulated", True, None)
    assert allowed(simulated, "tasks.answer", "p1")
    assert await identity.setup_needed(), "a simulated person is nobody who could administer the home"
    _, secret = identity.tokens.make(rule, "sim", "reviewer", simulated_id=simulated.id)
    actor = await identity.by_token(secret)
    assert actor is not None
    assert (actor.kind, actor.id, actor.name) == ("simulated", simulated.id, "Dr Sim")
    with pytest.raises(NotAPerson):
        identity.people.add(simulated, "Eve", "eve@example.org", Grant("reviewer"))
    link = identity.first_link()
    assert link is not None
    real = (await identity.join(link, "Ann", "ann@example.org", GOOD)).actor
    with pytest.raises(PersonUnknown):
        identity.tokens.make(real, "me", "reviewer", simulated_id=real.id)
    identity.is_demo = False  # the same database opened where simulated people are not known
    identity._known.forget()
    assert await identity.by_token(secret) is None
    identity.prepare(demo=False)
    assert identity.is_demo, "a demonstration stays one for ever"
    identity.close()


async def test_old_hashes_are_renewed_when_signing_in(
    home: Home, storage: Storage, clock: FixedClock, ids: Ids, randomness: Randomness
) -> None:
    await home.owner()
    stronger = Passwords(memory_kib=16, passes=2, lanes=1)
    identity = Identity(storage, Journal(clock, ids, randomness), clock, ids, randomness, passwords=stronger)
    query = select(tables.person.c.password)
    before = storage.read(lambda uow: uow.run(query).scalar())
    await identity.sign_in("ann@example.org", GOOD)
    after = storage.read(lambda uow: uow.run(query).scalar())
    assert "m=8,t=1" in before
    assert "m=16,t=2" in after
    assert await identity.sign_in("ann@example.org", GOOD)
    identity.close()


async def test_pages_of_people_and_tokens(home: Home) -> None:
    owner = (await home.owner()).actor
    for number in range(5):
        home.identity.tokens.make(owner, f"t{number}")
    first = home.identity.tokens.list(limit=2)
    rest = home.identity.tokens.list(after=first[-1].id, limit=10)
    assert [one.name for one in (*first, *rest)] == ["t0", "t1", "t2", "t3", "t4"]
