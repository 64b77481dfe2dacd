"""What a newcomer sees and does: the whole way through the pages, on a real server with the demonstration in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, StorageState, expect

from tests.e2e.conftest import PERSON, Site, Theme, sign_up, site, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NARROW = "\u202f"


@pytest.fixture(scope="module")
def served(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a copy of the demonstration for all tests here."""
    with site(demo_home, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def session(served: Site, browser: Browser) -> StorageState:
    """Sign up by the one-time link and return the session."""
    with watched(browser) as page:
        sign_up(page, served.link)
        return page.context.storage_state()


@pytest.fixture
def person(browser: Browser, session: StorageState) -> Iterator[Page]:
    """Open a page of the person who signed up."""
    with watched(browser, session) as opened:
        yield opened


@pytest.fixture(scope="module")
def project(served: Site, browser: Browser, session: StorageState) -> str:
    """Return the id of the project of the demonstration."""
    with watched(browser, session) as page:
        [only] = served.get(page, "/projects")["items"]
        return str(only["id"])


def grouped(number: int) -> str:
    """Write a count as the pages do."""
    return f"{number:,}".replace(",", NARROW)


def open_tasks(served: Site, page: Page, project: str) -> int:
    """Return how many tasks the API counts as open or claimed."""
    return int(served.get(page, f"/projects/{project}/loop")["open_tasks"])


def decision_of(served: Site, page: Page, project: str, route: str) -> str:
    """Return the id of a decision that went this way."""
    listed = served.get(page, f"/projects/{project}/decisions?limit=200")
    found = listed["items"] if isinstance(listed, dict) else listed
    return str(next(one["id"] for one in found if one["route"] == route))


@pytest.mark.usefixtures("session")
def test_the_sign_up_link_works_once(served: Site, browser: Browser) -> None:
    with watched(browser, refused=True) as page:
        page.goto(served.link)
        for name, value in PERSON.items():
            page.fill(f"input[name={name}]", value)
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert "/setup" in page.url


def test_the_loop_shows_the_figures_of_the_api(served: Site, person: Page, project: str) -> None:
    person.goto(served.url)
    person.wait_for_url(f"**/projects/{project}/loop")
    expect(person.get_by_role("list", name="Stages").get_by_role("listitem")).to_have_count(5)
    loop = served.get(person, f"/projects/{project}/loop")
    for stage in loop["stages"]:
        shown = person.get_by_role("listitem").filter(has=person.get_by_role("heading", name=stage["title"]))
        for said in (stage["figure"], stage["detail"], stage["state_text"]):
            expect(shown).to_contain_text(said)
    tally = loop["all"]
    share = f"{100 * tally['auto'] / tally['total']:.1f}{NARROW}%"
    expect(person.locator(".core")).to_contain_text(share)
    expect(person.locator(".core")).to_contain_text(f"{tally['auto']} automatic, {tally['human']} to people")
    certificate = person.get_by_role("region", name=f"Certificate C-{loop['certificate']['number']}")
    expect(certificate).to_contain_text("in force")
    expect(certificate).to_contain_text(f"from {loop['certificate']['labels']} labels")
    groups = person.get_by_role("region", name="Groups", exact=True)
    expect(groups).to_contain_text("2 automatic")
    for group in loop["certificate"]["groups"]:
        row = groups.get_by_role("row").filter(has=person.get_by_role("rowheader", name=group["group"]))
        for said in (f"{group['threshold']:.3f}", f"{100 * group['coverage']:.0f}{NARROW}%", "automatic", "0 wrong"):
            expect(row).to_contain_text(said)
    expect(person.get_by_role("link", name="Journal,")).to_contain_text(grouped(loop["journal_entries"]))
    expect(person.get_by_role("link", name="Queue")).to_contain_text(str(loop["open_tasks"]))


def answer_with(person: Page, key: str, said: str) -> None:
    """Press a key on a task, hear what was stored, and be at the next one."""
    name = person.get_by_role("heading", level=1).inner_text()
    person.keyboard.press(key)
    expect(person.get_by_role("status").filter(has_text=f"{name} answered: ")).to_contain_text(said)
    expect(person.get_by_role("heading", level=1)).not_to_have_text(name)


def test_tasks_are_answered_with_the_keyboard_alone(served: Site, person: Page, project: str) -> None:
    before = open_tasks(served, person, project)
    listed = served.get(person, f"/projects/{project}/tasks?limit=100")["items"]
    others = sum(not one["for_you"] for one in listed)
    person.goto(f"{served.url}/projects/{project}/tasks")
    expect(person.locator("main")).to_contain_text(f"{before} tasks wait for a person")
    person.keyboard.press("j")
    person.keyboard.press("j")
    person.keyboard.press("Enter")
    question = person.get_by_role("heading", name="Is this mass benign or malignant?")
    expect(question).to_be_visible()
    for key, said in (("1", "benign"), ("2", "malignant"), ("n", "cannot say")):
        answer_with(person, key, said)
        expect(question).to_be_visible()
    person.keyboard.press("s")
    person.wait_for_url("**/tasks")
    # A blind task has no answer of the model to agree with: go to the first that has one.
    expect(person.locator("main")).to_contain_text(f"{open_tasks(served, person, project)} tasks wait for a person")
    listed = served.get(person, f"/projects/{project}/tasks?limit=100")["items"]
    for _ in range(1 + [one["kind"] for one in listed].index("review")):
        person.keyboard.press("j")
    person.keyboard.press("Enter")
    expect(question).to_be_visible()
    expect(person.get_by_text("Sealed until your answer is stored")).to_have_count(0)
    answer_with(person, "a", "as AI")
    person.keyboard.press("s")
    person.wait_for_url("**/tasks")
    after = open_tasks(served, person, project)
    expect(person.locator("main")).to_contain_text(f"{after} tasks wait for a person")
    # Who cannot say hands the task on to another person; so do an audit that disagrees, and a case for two people.
    left = sum(not one["for_you"] for one in served.get(person, f"/projects/{project}/tasks?limit=100")["items"])
    expect(person.get_by_role("row").filter(has_text="Needs another person than you.")).to_have_count(left)
    assert 1 <= left - others <= 4


def wait_for_answer(served: Site, person: Page, project: str, **wanted: str) -> None:
    """Wait until the journal lists a person's answer: an entry is listed once it has its place in the tree."""
    for _ in range(50):
        newest = served.get(person, f"/projects/{project}/journal?limit=20")
        for one in newest:
            if one["actor"]["kind"] == "person" and wanted.items() <= one["payload"].items():
                return
        person.wait_for_timeout(100)
    raise AssertionError(f"The journal does not list {wanted}.")


def test_a_written_reason_is_no_shortcut(served: Site, person: Page, project: str) -> None:
    person.goto(f"{served.url}/projects/{project}/tasks")
    person.get_by_role("link", name="Answer the first task").press("Enter")
    expect(person.get_by_role("button", name="benign").first).to_be_enabled()
    person.keyboard.press("c")
    person.keyboard.type("2 or 1, a close call")
    expect(person.get_by_label("Reason, optional")).to_have_value("2 or 1, a close call")
    person.get_by_role("button", name="malignant").first.focus()
    person.keyboard.press("Enter")
    expect(person.get_by_role("status").filter(has_text="answered: malignant")).to_be_visible()
    wait_for_answer(served, person, project, reason="2 or 1, a close call")


def test_the_journal_lists_what_was_done_and_marks_who_is_simulated(served: Site, person: Page, project: str) -> None:
    person.goto(f"{served.url}/projects/{project}/tasks")
    person.get_by_role("link", name="Answer the first task").click()
    expect(person.get_by_role("button", name="benign").first).to_be_enabled()
    person.keyboard.press("1")
    expect(person.get_by_role("status").filter(has_text="answered: benign")).to_be_visible()
    wait_for_answer(served, person, project, value="benign")
    person.goto(f"{served.url}/projects/{project}/journal")
    mine = person.get_by_role("row").filter(has_text=PERSON["name"])
    expect(mine.filter(has_text="answered a task: benign").first).to_be_visible()
    expect(mine.filter(has_text="simulated")).to_have_count(0)
    row = person.locator("tbody tr")
    before = row.count()
    while person.locator(".sim").count() == 0:
        person.get_by_role("button", name="Show older entries").click()
        expect(row).not_to_have_count(before)
        before = row.count()
    shown = {
        int(re.sub(r"\D", "", one.locator("td").first.inner_text())): one.locator(".sim").count() == 1
        for one in row.all()
    }
    kinds: dict[int, str] = {}
    while min(kinds, default=max(shown) + 1) > min(shown):
        before = min(kinds, default=max(shown) + 1)
        entries = served.get(person, f"/projects/{project}/journal?limit=50&before={before}")
        kinds |= {one["index"]: one["actor"]["kind"] for one in entries}
    assert shown == {index: kinds[index] == "simulated" for index in shown}


@pytest.mark.parametrize("route", ["auto", "human"])
def test_a_dossier_is_proved_in_the_browser(served: Site, person: Page, project: str, route: str) -> None:
    decision = decision_of(served, person, project, route)
    dossier = served.get(person, f"/projects/{project}/decisions/{decision}/dossier")
    person.goto(f"{served.url}/projects/{project}/decisions/{decision}")
    expect(person.get_by_role("heading", level=1)).to_have_text(f"Decision on {dossier['item']['name']}")
    entries = person.get_by_role("region", name="Journal entries")
    expect(entries.get_by_text(re.compile("^verified here"))).to_have_count(len(dossier["entries"]))
    fields = person.get_by_role("region", name="as it was decided").get_by_role("rowheader")
    expect(fields).to_have_count(len(dossier["item"]["fields"]))


def test_a_forged_proof_is_seen_in_the_browser(served: Site, person: Page, project: str) -> None:
    decision = decision_of(served, person, project, "auto")

    def forge(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        first = said["entries"][0]["path"][0]
        said["entries"][0]["path"][0] = ("0" if first[0] != "0" else "1") + first[1:]
        route.fulfill(response=answer, json=said)

    person.route("**/dossier", forge)
    person.goto(f"{served.url}/projects/{project}/decisions/{decision}")
    expect(person.get_by_text("this entry is not in the signed log")).to_be_visible()


def test_the_journal_leads_to_the_dossier(served: Site, person: Page, project: str) -> None:
    person.goto(f"{served.url}/projects/{project}/journal")
    person.get_by_role("link", name=re.compile("^decision ")).first.click()
    expect(person.get_by_role("heading", level=1)).to_contain_text("Decision on case-")


@pytest.mark.usefixtures("session")
def test_a_reload_keeps_the_session_and_signing_out_ends_it(served: Site, page: Page) -> None:
    page.goto(f"{served.url}/sign-in")
    page.get_by_label("E-mail").fill(PERSON["email"])
    page.get_by_label("Password").fill(PERSON["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/loop")
    page.reload()
    expect(page.get_by_role("list", name="Stages")).to_be_visible()
    side = page.get_by_role("complementary", name="Project and automation")
    expect(side).to_contain_text(PERSON["name"])
    loop = page.url
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")
    page.goto(loop)
    page.wait_for_url("**/sign-in*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_strict_policy_stands_on_every_page(served: Site, person: Page) -> None:
    answer = person.goto(served.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.fixture
def places(served: Site, person: Page, project: str) -> dict[str, str]:
    """Name the pages of a person, each by a text that is there when the page has loaded."""
    listed = served.get(person, f"/projects/{project}/tasks?limit=100")["items"]
    kinds = {one["kind"]: one["id"] for one in listed}  # the review on which the model is surest
    kinds["label"] = next(one["id"] for one in listed if one["kind"] == "label")  # one handed on comes last
    inside = {
        "loop": "Last events",
        "tasks": "Opened",
        "journal": "What happened",
        f"tasks/{kinds['review']}": "Very likely right",
        f"tasks/{kinds['label']}": "Sealed until your answer is stored",
        f"decisions/{decision_of(served, person, project, 'auto')}": "verified here",
        f"decisions/{decision_of(served, person, project, 'human')}": "verified here",
    }
    return {f"/projects/{project}/{place}": said for place, said in inside.items()} | {
        "/projects": "on this server that you may see",
        "/nowhere": "There is no page here",
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_page(
    served: Site, person: Page, places: dict[str, str], axe: Callable[[Page], list[str]], theme: Theme
) -> None:
    person.emulate_media(color_scheme=theme)
    found = {}
    for place, said in places.items():
        person.goto(served.url + place)
        expect(person.get_by_text(said).first).to_be_visible()
        found[place] = axe(person)
        person.set_viewport_size({"width": 390, "height": 844})
        assert person.evaluate("document.documentElement.scrollWidth") <= 390, f"{place} scrolls sideways"
        person.set_viewport_size({"width": 1280, "height": 800})
    assert {place: wrong for place, wrong in found.items() if wrong} == {}


def test_the_pages_work_under_a_path(
    demo_home: Path, tmp_path: Path, page: Page, axe: Callable[[Page], list[str]]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with site(demo_home, tmp_path, prefix="/review") as under:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.goto(under.url)
            expect(page.get_by_text("The sign-up link is needed")).to_be_visible()
            assert axe(page) == []
            page.goto(under.link)
            expect(page.get_by_role("heading", level=1)).to_have_text("Who are you?")
            assert axe(page) == []
            page.goto(f"{under.url}/sign-in")
            expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
            assert axe(page) == []
        sign_up(page, under.link)
        expect(page.get_by_role("list", name="Stages").get_by_role("listitem")).to_have_count(5)
        page.get_by_role("link", name="Queue").click()
        page.get_by_role("link", name="Answer the first task").click()
        expect(page.get_by_role("button", name="benign").first).to_be_enabled()
        page.keyboard.press("1")
        expect(page.get_by_role("status").filter(has_text="answered: benign")).to_be_visible()
        page.close()
    assert [url for url in asked if not url.startswith(under.url)] == []
