"""A queue that asks for a person's own answer first: what is on the page before it, and what after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from handrail import connect
from tests.e2e.conftest import sign_up, site

_PROJECT = "breast-mass"


def _ask(home: Path) -> None:
    """Let people answer first, and decide a case that no certificate covers, the most urgent of all."""
    with connect(home, demo=True) as opened:
        project = opened.project(_PROJECT)
        rule = {"name": "costly", "when": "cost == 77.0", "then": "human"}
        project.set_policy({"question": "diagnosis", "blind_first": True, "rules": [rule]}, loosens=True)
        case = next(iter(project.items()))
        made = project.decide("first", case.data, cost=77.0)
        assert made.status == "pending"


@pytest.mark.parametrize("keeps", [True, False])
def test_the_answer_of_the_model_comes_after_ones_own(
    demo_home: Path, tmp_path: Path, page: Page, axe: Callable[[Page], list[str]], keeps: bool
) -> None:
    with site(demo_home, tmp_path, prepare=_ask) as served:
        sign_up(page, served.link)
        [project] = served.get(page, "/projects")["items"]
        listed = served.get(page, f"/projects/{project['id']}/tasks?limit=100")["items"]
        task = next(one for one in listed if one["item_name"] == "first")
        with page.expect_response(lambda answer: answer.url.endswith("/claim")) as claimed:
            page.goto(f"{served.url}/projects/{project['id']}/tasks/{task['id']}")
        held = claimed.value.json()
        assert (held["prediction"], held["payload"], held["first_needed"]) == (None, {}, True)
        expect(page.get_by_text("Sealed until your answer is stored")).to_be_visible()
        expect(page.get_by_role("img", name="score")).to_have_count(0)
        assert axe(page) == []

        page.keyboard.press("1")
        expect(page.get_by_text("Your own answer: benign. Keep it or switch.")).to_be_visible()
        expect(page.get_by_text("Sealed until your answer is stored")).to_have_count(0)
        assert axe(page) == []
        page.keyboard.press("1" if keeps else "2")
        expect(page.get_by_role("status").filter(has_text="first answered: ")).to_contain_text(
            "benign" if keeps else "malignant"
        )
        made = served.get(page, f"/projects/{project['id']}/decisions?limit=20")["items"]
        decided = next(one for one in made if one["value"] is not None and one["by"].startswith("person:"))
        dossier = served.get(page, f"/projects/{project['id']}/decisions/{decided['id']}/dossier")
        own = dossier["work"][0]["answer"]["own"]
        assert own["value"] == "benign"
        model = dossier["prediction"]["value"]
        assert own["switched"] is (not keeps and model == "malignant")
