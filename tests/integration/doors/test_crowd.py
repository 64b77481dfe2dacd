"""Several people answer the same items through the SDK; a lead sets the rule and reads the figures, in the CLI too."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.cycle.annotate.crowd_forms import OverlapForm
from handrail.doors.cli.commands import main
from handrail.foundation.errors import Forbidden

SCHEMA = handrail.Schema(
    fields=(handrail.Field(name="size", type="number"),),
    questions=(handrail.Question(name="kind", type="choice", choices=("cat", "dog", "fox")),),
)
RULE = OverlapForm(error=0.25, least=2, most=3, random_share=0.0)
KINDS = ("cat", "dog", "fox")


def _typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    before, sys.argv = sys.argv, ["handrail", *arguments, "--json"]
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
    out, err = capsys.readouterr()
    assert not ended.value.code, err
    found = json.loads(out.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def _work(people: dict[str, handrail.Project]) -> None:
    """Let people take turns until nobody gets a task; the fourth always says cat."""
    idle = 0
    while idle < len(people):
        idle = 0
        for name, one in people.items():
            held = one.claim()
            if not held:
                idle += 1
                continue
            assert held[0].item is not None
            right = KINDS[int(held[0].item.name.removeprefix("i-")) % 3]
            one.answer(held[0].id, "cat" if name == "Dan" else right, "label")


def test_people_are_asked_until_they_settle_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    with handrail.connect(home, demo=True) as opened:
        project = opened.create_project("animals", SCHEMA)
        project.add_items([handrail.Item(external_id=f"i-{n}", data={"size": float(n)}) for n in range(60)])
        assert project.overlap("kind") is None
        lead = opened.as_simulated("Lead", role="lead").project("animals")
        people = {name: opened.as_simulated(name).project("animals") for name in ("Ann", "Ben", "Cem", "Dan")}
        with pytest.raises(Forbidden):
            people["Ann"].set_overlap("kind", RULE)
        assert lead.set_overlap("kind", RULE) == RULE
        assert project.overlap("kind") == RULE
        project.draw("kind", 60)
        _work(people)
        with pytest.raises(Forbidden):
            people["Ann"].agreement("kind")
        found = lead.agreement("kind")
        assert found.items == 60
        assert 120 < found.answers < 180
        by_name = {one.name: one for one in found.people}
        assert by_name["Dan"].agreement is not None
        assert by_name["Ann"].agreement is not None
        assert by_name["Dan"].agreement < by_name["Ann"].agreement
        assert found.agreement is not None
        assert found.agreement.value is not None
        assert set(found.of_class) == set(KINDS)
        labels = list(project.labels("kind"))
        right = sum(one.value == KINDS[int(project.item(one.item_id).data["size"]) % 3] for one in labels)
        assert len(labels) >= 50
        assert right / len(labels) > 0.95
    place = ["--project", "animals", "--home", str(home)]
    shown = _typed(capsys, "crowd", "agreement", "kind", *place)
    assert (shown["items"], shown["answers"]) == (60, found.answers)
    changed = _typed(capsys, "crowd", "overlap", "kind", "--error", "0.1", "--most", "4", *place)
    assert (changed["rule"]["error"], changed["rule"]["most"]) == (0.1, 4)
    assert _typed(capsys, "crowd", "overlap", "kind", "--off", *place)["rule"] is None
