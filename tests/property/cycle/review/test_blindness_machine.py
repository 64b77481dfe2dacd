"""Blindness as an invariant: whatever people do with a blind-first task and in whatever order, no route shows the
model's answer to somebody whose own answer is not stored.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.app import Handrail, running
from handrail.foundation.settings import Settings
from tests.attack.cycle.review.onlookers import ROLES, Onlookers, tells

WORKERS = ("anna", "ben", "cara")
STEP = st.tuples(
    st.sampled_from(WORKERS), st.sampled_from(("claim", "claim any", "first", "release", "renew", "guess", "abstain"))
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handrail]:
    with running(Settings(home=tmp_path_factory.mktemp("home") / "home", demo=True)) as opened:
        yield opened


@settings(max_examples=12)
@given(script=st.lists(STEP, min_size=1, max_size=7))
def test_nobody_sees_it_before_they_have_said_their_own(system: Handrail, script: list[tuple[str, str]]) -> None:
    asyncio.run(_play(Onlookers(system, f"blind-{next(_numbers)}"), script))


async def _play(ward: Onlookers, script: list[tuple[str, str]]) -> None:
    await ward.open()
    ids = await ward.decide()
    said: set[str] = set()
    for who, what in script:
        async with ward.client(who) as client:
            task = f"{ward.place}/tasks/{ids['task_id']}"
            if what == "claim any":
                answer = await client.post(f"{ward.place}/tasks/claim", json={"n": 5})
            elif what == "first":
                answer = await client.post(f"{task}/first", json={"value": f"what {who} says"})
                said |= {who} if answer.is_success else set()
            elif what == "guess":
                answer = await client.post(f"{task}/answer", json={"verb": "approve", "value": "no such thing"})
                assert not answer.is_success
            elif what == "abstain":
                answer = await client.post(f"{task}/answer", json={"verb": "abstain"})
                if answer.is_success:  # the task goes on to somebody else, and stays sealed for whoever said nothing
                    ids["task_id"] = await _task_of(ward, ids["decision_id"])
            else:
                answer = await client.post(f"{task}/{what}")
            assert who in said or not tells(answer), (who, what)
    for who in set(ROLES) - said:
        assert await ward.seen_by(who, ids) == [], who


async def _task_of(ward: Onlookers, decision_id: str) -> str:
    async with ward.client("owner") as owner:
        return str((await owner.get(f"{ward.place}/decisions/{decision_id}")).json()["task_id"])
