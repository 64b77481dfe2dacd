"""Days on both databases: what arrived, how much went to people, what differs, and what an alarm opens."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handrail.cycle.monitor.model import NothingToProfile, Profile
from handrail.cycle.monitor.service import CAMPAIGN_LABELS, FALSE_ALARM, AlarmNotFound
from handrail.cycle.review.model import Decision, Given
from handrail.cycle.review.policy import Rule
from handrail.foundation.actors import Actor
from tests.integration.cycle.breast_mass import MACHINE, PERSON, cases
from tests.integration.cycle.review.ward import UNSURE, Ward

DAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIRST = 20260105
LOOP = Actor.rule("loop")


async def stream(
    ward: Ward, day: int, chosen: list[int], *, shift: float = 1.0, prefix: str = "", **more: Any
) -> list[Decision]:
    """Decide cases on a day, their areas measured `shift` times too large."""
    asked = []
    for place, case in enumerate(chosen):
        data = {name: value * (shift if "area" in name else 1.0) for name, value in cases()[1][case][0].items()}
        name = f"{prefix}day-{day}-{place}"
        at = DAY + timedelta(days=day)
        asked.append(ward.request(case, name, external_id=name, data=data, observed_at=at, **more))
    made = [one for one in await ward.review.decide_many(MACHINE, ward.scope, asked) if isinstance(one, Decision)]
    ward.clinic.truth.update({one.item_id: cases()[1][case][1] for one, case in zip(made, chosen, strict=True)})
    return made


def watch(ward: Ward, day: int) -> list[Any]:
    return ward.monitor.watch(PERSON, ward.scope, FIRST + day)


def profile(ward: Ward, day: int) -> Profile:
    return ward.monitor.profile_day(PERSON, ward.scope, FIRST + day)


async def test_a_profile_counts_what_arrived_and_what_went_to_people(ward: Ward) -> None:
    ward.automatic(rules=(Rule(name="odd", when="item['mean area'] > 5000.0", then="block"),))
    made = await stream(ward, 0, [*UNSURE, *range(260, 270), 300, 301])
    made += await stream(ward, 0, [302, 303], shift=20.0, prefix="odd-")
    await stream(ward, 1, [310])
    ways = Counter(one.route for one in made)
    assert set(ways) == {"human", "auto", "blocked"}
    found = profile(ward, 0)
    assert (found.day, found.decisions, found.to_people) == (FIRST, 18, ways["human"])
    assert found.fields["rows"] == 18
    assert set(found.fields["numbers"]) == set(cases()[0])
    for one in found.fields["numbers"].values():
        assert sum(one["counts"]) + one["missing"] == 18
    assert profile(ward, 0) == found
    assert ward.storage.read(lambda uow: ward.monitor.profiles(uow, ward.scope)) == [found]
    assert [(one["day"], one["decisions"]) for one in ward.entries("monitor.day_profiled")] == [(FIRST, 18)]


async def test_a_profile_counts_more_decisions_than_it_compares_rows_of(ward: Ward) -> None:
    """At most 2000 rows are compared; the counts of a busy day are still its decisions."""
    ward.policy(rules=(Rule(name="all", when="true", then="block"),))
    for part in range(3):
        cases_ = [260 + place % 200 for place in range(700)]
        await stream(ward, 0, cases_, prefix=f"{part}-")
    assert (profile(ward, 0).decisions, profile(ward, 0).to_people) == (2100, 0)


async def test_a_quiet_day_raises_nothing(ward: Ward) -> None:
    ward.automatic()
    for day, start in ((0, 260), (1, 320), (2, 380)):
        await stream(ward, day, list(range(start, start + 60)))
        assert watch(ward, day) == []
    assert ward.entries("monitor.alarm_raised") == []
    assert len(ward.entries("monitor.day_profiled")) == 3


async def test_a_shifted_day_raises_one_alarm_that_names_what_moved(ward: Ward) -> None:
    ward.automatic()
    await stream(ward, 0, list(range(260, 305)), shift=1.8)
    (alarm,) = watch(ward, 0)
    assert (alarm.day, alarm.kind, alarm.status, alarm.false_alarm) == (FIRST, "input_drift", "open", FALSE_ALARM)
    assert {str(one["name"]) for one in alarm.findings} <= {name for name in cases()[0] if "area" in name}
    assert alarm.findings
    assert all(one["adjusted"] <= FALSE_ALARM and one["alarm"] for one in alarm.findings)
    assert alarm.sentence.startswith(f"{len(alarm.findings)} field")
    assert str(alarm.findings[0]["name"]) in alarm.sentence
    assert watch(ward, 0) == [alarm], "again changes nothing"
    assert len(ward.entries("monitor.alarm_raised")) == 1


async def test_a_day_of_few_decisions_is_profiled_and_not_compared(ward: Ward) -> None:
    ward.automatic()
    await stream(ward, 0, list(range(260, 279)), shift=5.0)
    assert watch(ward, 0) == []
    assert profile(ward, 0).decisions == 19


async def test_a_day_before_any_reference_raises_nothing(ward: Ward) -> None:
    ward.policy()
    await stream(ward, 0, list(range(260, 300)), prediction=Given("benign", 0.7))
    assert watch(ward, 0) == []
    assert profile(ward, 0).decisions == 40


async def test_what_a_campaign_drew_never_becomes_the_reference(ward: Ward) -> None:
    """Else the second shifted day would look like every other."""
    ward.automatic()
    await stream(ward, 0, list(range(260, 305)), shift=1.8)
    (alarm,) = watch(ward, 0)
    ward.monitor.answer_alarm(LOOP, ward.scope, alarm.id, ward.annotate)
    assert ward.label_drawn() == CAMPAIGN_LABELS
    await stream(ward, 1, list(range(305, 350)), shift=1.8)
    assert len(watch(ward, 1)) == 1
    bins = [{name: one["edges"] for name, one in profile(ward, day).fields["numbers"].items()} for day in (0, 1)]
    assert bins[0] == bins[1], "the bins are quantiles of the reference"


async def test_an_alarm_opens_one_campaign_about_items_of_its_day(ward: Ward) -> None:
    ward.automatic()
    quiet = await stream(ward, 0, list(range(310, 350)))
    made = await stream(ward, 1, list(range(260, 305)), shift=1.8)
    (alarm,) = watch(ward, 1)
    for _ in range(3):
        ward.monitor.answer_alarm(LOOP, ward.scope, alarm.id, ward.annotate)
    (campaign,) = ward.storage.read(lambda uow: ward.annotate.campaigns(uow, ward.scope))
    assert (campaign.alarm_id, campaign.reason, campaign.target) == (alarm.id, alarm.sentence, CAMPAIGN_LABELS)
    (now,) = ward.storage.read(lambda uow: ward.monitor.alarms(uow, ward.scope))
    assert (now.status, now.campaign_id) == ("answered", campaign.id)
    tasks = ward.open_tasks("label")
    assert len(tasks) == CAMPAIGN_LABELS
    assert {task.item_id for task in tasks} <= {one.item_id for one in made}
    assert {task.item_id for task in tasks}.isdisjoint(one.item_id for one in quiet)
    assert all(task.blind for task in tasks)
    (lot,) = [one for one in ward.entries("annotate.drawn") if one.get("campaign") == campaign.id]
    assert (lot["purpose"], lot["drawn"], lot["probability"]) == ("feedback", 12, 12 / 45)
    for verb in ("monitor.alarm_answered", "annotate.campaign_opened"):
        assert len(ward.entries(verb)) == 1


async def test_an_alarm_about_a_day_whose_items_all_have_labels_waits(ward: Ward) -> None:
    ward.automatic()
    made = await stream(ward, 0, list(range(260, 290)), shift=1.8)
    (alarm,) = watch(ward, 0)
    ward.clinic.truth.update({one.item_id: "benign" for one in made})
    ward.clinic.label([one.item_id for one in made], "feedback")
    ward.monitor.answer_alarm(LOOP, ward.scope, alarm.id, ward.annotate)
    assert ward.storage.read(lambda uow: ward.annotate.campaigns(uow, ward.scope)) == []
    (now,) = ward.storage.read(lambda uow: ward.monitor.alarms(uow, ward.scope))
    assert now.status == "open"


async def test_what_is_not_there(ward: Ward) -> None:
    with pytest.raises(NothingToProfile):
        watch(ward, 0)
    ward.policy()
    with pytest.raises(NothingToProfile):
        profile(ward, 0)
    with pytest.raises(AlarmNotFound):
        ward.monitor.answer_alarm(LOOP, ward.scope, "none", ward.annotate)


async def test_alarms_and_profiles_stay_in_their_project(ward: Ward) -> None:
    ward.automatic()
    await stream(ward, 0, list(range(260, 305)), shift=1.8)
    assert len(watch(ward, 0)) == 1
    schema = ward.storage.read(lambda uow: ward.clinic.datasets.schema(uow, ward.scope))
    other = ward.storage.write(lambda uow: ward.clinic.datasets.create_project(uow, PERSON, "other", schema))
    scope = type(ward.scope)(other.id)
    assert ward.storage.read(lambda uow: ward.monitor.alarms(uow, scope)) == []
    assert ward.storage.read(lambda uow: ward.monitor.profiles(uow, scope)) == []
