"""The command line: every command in a real home, with its last line for programs and its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import handrail
from handrail.doors.cli.commands import app, main
from tools.serving import serving

COMMAND = [sys.executable, "-c", "from handrail.doors.cli import main; main()"]
SCHEMA = {
    "fields": [{"name": "amount", "type": "number", "min": 0}],
    "questions": [{"name": "fraud", "type": "choice", "title": "Is this fraud?", "choices": ["no", "yes"]}],
}
POLICY = {"question": "fraud", "alpha": 0.05, "delta": 0.1}


class Terminal:
    """Types commands and reads what comes out."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._capsys = capsys

    def type(self, line: str, *more: str) -> tuple[int, str, str]:
        """Run a command and return its exit code and both outputs."""
        arguments = [*line.split(), *more]
        before, sys.argv = sys.argv, ["handrail", *arguments]
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            sys.argv = before
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err

    def json(self, line: str, *more: str) -> dict[str, Any]:
        """Run a command that succeeds and return the object on its last line."""
        code, out, err = self.type(line, *more, "--home", str(self.home), "--json")
        assert code == 0, err
        found = json.loads(out.splitlines()[-1])
        assert isinstance(found, dict)
        return found

    def file(self, name: str, content: Any) -> str:
        """Write a file and return its path."""
        place = self.folder / name
        place.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(place)


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("HANDRAIL_DEMO", "true")
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, capsys)


def test_data_comes_in_becomes_a_version_and_goes_out(terminal: Terminal) -> None:
    with serving(COMMAND, terminal.home):
        _make_versions(terminal)


def _make_versions(terminal: Terminal) -> None:
    terminal.json("projects create pay --schema", terminal.file("schema.json", SCHEMA))
    assert [one["name"] for one in terminal.json("projects list")["items"]] == ["pay"]
    rows = "external_id,amount,fraud\n" + "".join(f"p-{n},{n},{'yes' if n % 3 == 0 else 'no'}\n" for n in range(30))
    report = terminal.json("items import", terminal.file("items.csv", rows), "--project", "pay")
    assert (report["kept"], report["labels"], report["bad_rows"]) == (30, 30, 0)
    made = terminal.json("dataset commit -p pay -m first")
    assert terminal.json("dataset log -p pay")["items"][0]["id"] == made["commit"]["id"]
    assert terminal.json("dataset commit -p pay -m again") == {"commit": None}
    assert terminal.json("dataset diff main -p pay")["total"] == 60
    assert terminal.json("dataset branch trial -p pay")["items"][0]["commit_id"] == made["commit"]["id"]
    assert {one["name"] for one in terminal.json("dataset branch -p pay")["items"]} == {"main", "trial"}
    assert terminal.json("dataset tag v1 -p pay")["items"][0]["name"] == "v1"
    assert terminal.json("dataset verify -p pay")["verified"] is True
    for command in ("dataset checkout v1", "dataset export v1"):
        told = terminal.json(f"{command} -p pay --out out.csv")
        assert told["bytes"] == (terminal.folder / "out.csv").stat().st_size > 100
    assert terminal.json("items export -p pay --format jsonl --out items.jsonl")["bytes"] > 100


def test_how_people_look_is_told_or_how_many_answers_are_missing(terminal: Terminal) -> None:
    with handrail.connect(terminal.home, demo=True) as client:
        project = client.create_project("pay", handrail.Schema.from_dict(SCHEMA))
        project.set_policy({**POLICY, "blind_first": True})
        project.decide("p-1", {"amount": 3.0}, prediction=handrail.Prediction(value="yes", score=0.7))
        reader = client.as_simulated("Reader").project("pay")
        task = reader.claim()[0]
        assert reader.first_answer(task.id, "no").own_answer == "no"
        reader.answer(task.id, "yes", "approve")
    people = terminal.json("oversight people -p pay")
    (one,) = people["people"]
    assert (one["name"], one["looks"], one["switched"]["n"], one["switched"]["interval"]) == ("Reader", 1, 1, None)
    told = terminal.json("oversight audits -p pay")
    assert (told["drawn"], told["brake"], told["controls"]["opened"]) == (0, None, 0)
    assert terminal.json("oversight team -p pay")["n"] == 0
    code, out, _ = terminal.type("oversight people -p pay --home", str(terminal.home))
    assert (code, "needs 7 more" in " ".join(out.split())) == (0, True), out
    code, out, _ = terminal.type("oversight audits -p pay --home", str(terminal.home))
    assert code == 0
    assert "Control items: 0 of 0 answered" in out
    code, out, _ = terminal.type("oversight team -p pay --home", str(terminal.home))
    assert "not enough yet: 0 of 30" in " ".join(out.split())


def test_a_bad_row_is_told_with_its_line_and_field_and_nothing_is_kept(terminal: Terminal) -> None:
    terminal.json("projects create pay --schema", terminal.file("schema.json", SCHEMA))
    file = terminal.file("bad.csv", "external_id,amount\na,1\nb,much\n")
    code, _, err = terminal.type("items import", file, "-p", "pay", "--home", str(terminal.home))
    assert code == 1
    assert "line 3: amount:" in err
    assert terminal.json("items import", file, "-p", "pay", "--on-error", "keep")["kept"] == 1


def test_a_model_is_trained_measured_signed_by_a_person_and_decides(terminal: Terminal) -> None:
    with serving(COMMAND, terminal.home):
        _train_sign_and_decide(terminal)
        _prove(terminal)


def _train_sign_and_decide(terminal: Terminal) -> None:
    terminal.json("projects create pay --schema", terminal.file("schema.json", SCHEMA))
    rows = "external_id,amount,fraud\n" + "".join(f"p-{n},{n},{'yes' if n >= 30 else 'no'}\n" for n in range(60))
    terminal.json("items import", terminal.file("items.csv", rows), "-p", "pay")
    held = "external_id,amount,fraud\n" + "".join(f"h-{n},{n}.5,{'yes' if n >= 30 else 'no'}\n" for n in range(60))
    terminal.json("items import", terminal.file("held.csv", held), "-p", "pay", "--purpose", "holdout")
    assert terminal.json("policy set", terminal.file("policy.json", POLICY), "-p", "pay")["version"] == 1
    assert terminal.json("train -p pay --question fraud")["state"] == "done"

    code, _, err = terminal.type("sign -p pay --home", str(terminal.home))
    assert (code, "Only a person may do this" in err) == (1, True)
    signed = terminal.json("sign -p pay --simulated Lead --reason measured")
    (champion,) = signed["champions"]
    model = terminal.json("models -p pay")["items"][0]
    assert (model["name"], model["state"]) == (champion, "champion")
    assert terminal.json("evaluate -p pay", model["id"])["figures"]["accuracy"]["n"] == 60
    assert terminal.json("promote -p pay", model["id"])["state"] == "signed"

    lines = "".join(
        json.dumps({"external_id": f"s-{n}", "data": {"amount": float(n)}, "idempotency_key": f"k-{n}"}) + "\n"
        for n in (1, 59)
    )
    made = terminal.json("decisions make -p pay", terminal.file("stream.jsonl", lines))["items"]
    assert [one["status"] for one in made] == ["pending", "pending"]  # no certificate: people decide
    assert terminal.json("decisions show -p pay", made[0]["id"])["model"]["id"] == model["id"]
    assert terminal.json("certificate plan 20 -p pay")["status"] == "refused"
    assert terminal.json("certificate list -p pay")["items"][0]["needed"] > 0
    spent = terminal.json("certificate spent -p pay")
    assert (spent["delta"], [one["delta"] for one in spent["certificates"]]) == (0, [0])
    _plan_by_group(terminal)
    assert terminal.json("policy show -p pay")["policy_version"] == 2
    assert terminal.json("tasks list -p pay")["counts"]["open"] == 2
    queue = terminal.json("queue show -p pay")
    assert (queue["open"], queue["forecast"], "5 whole days" in queue["why_no_forecast"]) == (2, None, True)
    assert terminal.json("queue rules -p pay")["most_held"] is None
    asked = {"least_agreement": 0.8, "least_answers": 20}
    rules = terminal.file("rules.json", {"most_held": 3, "chain": ["senior"], "climb_minutes": 30, "competence": asked})
    assert terminal.json("queue rules -p pay --set", rules)["chain"] == ["senior"]
    kept = terminal.json("queue rules -p pay")
    assert (kept["most_held"], kept["climb_minutes"], kept["competence"]["window_days"]) == (3, 30, 30)
    assert terminal.json("queue show -p pay")["climb_next_hour"] == 2
    assert terminal.json("queue admit -p pay p-1 --reason", "trained again")["person_id"] == "p-1"
    assert terminal.json("stop -p pay --simulated Lead --why", "a test of the switch")["state"] == "stopped"
    assert terminal.json("restart -p pay --simulated Other --why", "it works")["state"] != "stopped"
    assert terminal.json("monitor alarms -p pay")["items"] == []


def _plan_by_group(terminal: Terminal) -> None:
    groups = [{"name": "shop=web"}, {"name": "shop=desk"}]
    apart = terminal.file("apart.json", POLICY | {"groups": groups, "groups_apart": True})
    terminal.json("policy set", apart, "-p", "pay")
    told = terminal.json("certificate plan 20 -p pay")
    assert [(one["group"], one["state"], one["spent"]) for one in told["groups"]] == [
        ("shop=web", "human", 0.0),
        ("shop=desk", "human", 0.0),
    ]
    code, out, _ = terminal.type("certificate list -p pay --home", str(terminal.home))
    assert (code, out.count("people decide"), "Groups of certificate 2" in out) == (0, 2, True)
    code, out, _ = terminal.type("certificate spent -p pay --home", str(terminal.home))
    assert (code, "All: 0. " in out) == (0, True)


def _prove(terminal: Terminal) -> None:
    entries = terminal.json("journal verify")
    assert entries["ok"] is True
    assert (
        terminal.json("journal checkpoint")["size"] >= entries["entries"] > 20
    )  # those that the loop has given their place
    assert terminal.json("journal export --out journal.jsonl")["bytes"] > 1000
    first = json.loads((terminal.folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()[0])
    proof = terminal.json("journal prove", first["entry"][0])
    assert (proof["index"], proof["commitment"]) == (0, first["commitment"])

    assert terminal.json("evidence pack -p pay --out pack.zip")["bytes"] > 1000
    code, out, _ = terminal.type("evidence verify pack.zip --json")
    checked = json.loads(out)
    assert (code, checked["ok"], checked["decisions"]) == (0, True, 2)
    code, _, _ = terminal.type("evidence verify pack.zip --key", proof["verifier"])
    assert code == 0
    pack = bytearray((terminal.folder / "pack.zip").read_bytes())
    pack[len(pack) // 2] ^= 1
    (terminal.folder / "pack.zip").write_bytes(pack)
    assert terminal.type("evidence verify pack.zip")[0] == 1


def test_a_command_finds_the_running_server_of_its_home(terminal: Terminal) -> None:
    terminal.json("projects create pay --schema", terminal.file("schema.json", SCHEMA))
    with serving(COMMAND, terminal.home) as running:
        assert [one["name"] for one in terminal.json("projects list")["items"]] == ["pay"]
        assert terminal.json("journal verify")["ok"] is True
        told = {one["name"]: one for one in terminal.json("doctor")["checks"]}
        assert running.url in told["server"]["told"]
        code, _, err = terminal.type("serve --port 0 --home", str(terminal.home))
        assert (code, "is in use by the server at" in err) == (1, True)
        made = terminal.json("token make till")
        with handrail.connect(running.url, token=made["secret"]) as machine:
            assert machine.project("pay").counts().items == 0


def _commands(group: Any, name: str = "handrail") -> Iterator[tuple[str, Any]]:
    for below, command in sorted(getattr(group, "commands", {}).items()):
        yield from _commands(command, f"{name} {below}")
    if not hasattr(group, "commands"):
        yield name, group


def test_every_command_ends_with_json_when_asked_and_says_what_it_does() -> None:
    found = dict(_commands(typer.main.get_command(app)))
    assert len(found) > 35
    for name, command in found.items():
        assert any("--json" in one.opts for one in command.params), name
        assert command.help, name
    contract = (
        "demo serve worker doctor train evaluate promote sign items.import items.export dataset.log dataset.commit "
        "dataset.diff dataset.branch dataset.checkout dataset.export dataset.verify journal.verify journal.checkpoint "
        "journal.prove journal.export evidence.pack store.move"
    )
    assert {f"handrail {one.replace('.', ' ')}" for one in contract.split()} <= set(found)


@pytest.mark.parametrize("line", ["", "nonsense", "demo nothing", "journal prove", "items import nowhere.csv -p x"])
def test_a_wrong_command_ends_with_a_sentence_and_not_with_a_trace(line: str, tmp_path: Path) -> None:
    run = subprocess.run([*COMMAND, *line.split()], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    assert run.stderr + run.stdout
