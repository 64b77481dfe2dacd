"""The whole cycle on real data: certified, audited, corrected, retrained, signed, watched, and provable."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from handrail import connect
from handrail.doors.offline import verify_home
from handrail.foundation.canonical import encode
from handrail.foundation.errors import Conflict
from handrail.foundation.journal.checkpoint import read
from handrail.foundation.journal.merkle import leaf_hash, verify_inclusion
from handrail.foundation.storage.sqlite import connect as open_database

_COMMAND = "from handrail.doors.cli import main; main()"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    home = tmp_path_factory.mktemp("medical") / "home"
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, "demo", "medical", "--headless", "--json", "--seed", "7", "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout.splitlines()[-1])


def test_the_figures_are_those_of_a_whole_cycle(played: tuple[Path, dict[str, Any]]) -> None:
    figures = played[1]
    assert figures["journal"]["verified"] is True
    assert figures["decisions"]["auto"] > 0
    assert figures["decisions"]["human"] > 0
    assert len(figures["commits"]) >= 2
    assert len(set(figures["models"])) >= 2
    assert figures["promotions"] >= 1
    assert figures["alerts"] >= 1
    assert figures["campaigns"] >= 1
    assert sum(figures["open_tasks"].values()) > 0
    assert any(one["status"] == "refused" and one["needed"] > 0 for one in figures["certificates"])
    assert figures["certificate"]["threshold"] is not None


def test_people_are_marked_as_simulated_wherever_they_act(played: tuple[Path, dict[str, Any]]) -> None:
    database = sqlite3.connect(played[0] / "handrail.db")
    kinds = {row[0] for row in database.execute("SELECT DISTINCT actor_kind FROM answer")}
    logged = {row[0] for row in database.execute("SELECT DISTINCT actor_kind FROM journal_entry")}
    database.close()
    assert kinds == {"simulated"}
    assert "person" not in logged


def test_certifying_labels_come_only_from_draws_with_a_probability(played: tuple[Path, dict[str, Any]]) -> None:
    database = sqlite3.connect(played[0] / "handrail.db")
    undrawn = database.execute(
        "SELECT count(*) FROM certificate_item WHERE probability IS NULL OR probability <= 0 OR probability > 1"
    ).fetchone()
    drawn = database.execute("SELECT count(*) FROM certificate_item WHERE value IS NOT NULL").fetchone()
    database.close()
    assert undrawn == (0,)
    assert drawn[0] >= 200


def test_a_changed_entry_is_found_and_named(played: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home = tmp_path / "copy"
    home.mkdir()
    source = sqlite3.connect(played[0] / "handrail.db")
    source.backup(sqlite3.connect(home / "handrail.db"))
    source.close()
    (home / "keys").mkdir(mode=0o700)
    key = (played[0] / "keys" / "journal.ed25519").read_bytes()
    (home / "keys" / "journal.ed25519").write_bytes(key)
    (home / "keys" / "journal.ed25519").chmod(0o600)
    assert verify_home(home).ok

    database = open_database(str(home / "handrail.db"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute("UPDATE journal_entry SET actor_name = 'X' WHERE seq = 500")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute("INSERT OR REPLACE INTO journal_entry SELECT * FROM journal_entry WHERE seq = 500")
    guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal_entry'"
    for (name,) in database.execute(guards).fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute("UPDATE journal_entry SET time = time + 1 WHERE seq = 500")
    (entry_id,) = database.execute("SELECT id FROM journal_entry WHERE seq = 500").fetchone()
    database.close()

    found = verify_home(home)
    assert not found.ok
    assert (found.entry_id, found.index) == (entry_id, 499)
    assert "columns" in str(found.problem)


def test_the_dossier_of_a_reviewed_decision_is_complete_and_its_proofs_hold(
    played: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(played[0], home)
    with connect(home, demo=True) as opened:
        project = opened.project("breast-mass")
        one = next(made for made in project.decisions() if made.status == "decided")
        dossier = project.dossier(one.id).model_dump()
    assert dossier["work"][0]["answer"]["by"]["kind"] == "simulated"
    assert dossier["model"]["digest"] in played[1]["models"]
    assert dossier["model"]["commit"] in played[1]["commits"]
    assert len(dossier["item"]["fields"]) == 30
    verbs = [entry["entry"][6] for entry in dossier["entries"]]
    assert verbs[0] == "review.decided"
    assert "review.verdict_given" in verbs
    for entry in dossier["entries"]:
        signed = read(entry["checkpoint"], entry["verifier"])
        told = encode([*entry["entry"], entry["commitment"]]).encode()
        said = sha256(bytes.fromhex(entry["salt"]) + encode(entry["payload"]).encode()).hexdigest()
        assert said == entry["commitment"]
        path = [bytes.fromhex(step) for step in entry["path"]]
        assert verify_inclusion(leaf_hash(told), entry["index"], entry["size"], path, signed.root)


def test_simulated_people_act_in_demonstrations_only(tmp_path: Path) -> None:
    with connect(tmp_path / "home") as client, pytest.raises(Conflict) as refused:
        client.as_simulated("Reviewer A")
    assert refused.value.code == "identity.not_a_demo"


def test_the_second_model_is_labelled_until_certified_and_decisions_are_acted_on(
    played: tuple[Path, dict[str, Any]],
) -> None:
    figures = played[1]
    (until,) = (one for one in figures["certificates"] if one["mode"] == "until")
    assert until["status"] == "certified"
    assert until["threshold"] is not None
    decisions = figures["decisions"]
    assert 0 < decisions["consumed"] <= decisions["auto"] + decisions["human"]
    assert decisions["reversed"] == 1
    assert decisions["expired"] == 1
    assert decisions["four_eyes"] > 0
    database = sqlite3.connect(played[0] / "handrail.db")
    verbs = dict(database.execute("SELECT verb, count(*) FROM journal_entry GROUP BY verb").fetchall())
    by = database.execute("SELECT by_kind FROM decision WHERE status = 'expired'").fetchall()
    unheard = database.execute("SELECT count(*) FROM reversal WHERE acknowledged_at IS NULL").fetchone()
    looser = database.execute("SELECT count(*) FROM policy").fetchone()
    database.close()
    assert by == [("deadline",)]
    assert unheard == (0,)
    assert looser == (3,)
    assert verbs["tasks.first_answered"] > 0, "people answered before they saw the model's answer"
    assert verbs["review.consumed"] == decisions["consumed"]


def test_groups_are_watched_and_told_apart(played: tuple[Path, dict[str, Any]]) -> None:
    figures = played[1]
    assert [(one["group"], one["alpha"]) for one in figures["groups"]] == [("size=large", 0.05), ("size=small", 0.03)]
    for route in ("auto", "human"):
        assert sum(one["decisions"][route] for one in figures["groups"]) == figures["decisions"][route]
    assert sum(one["wrong"] for one in figures["groups"]) / figures["decisions"]["auto"] == pytest.approx(
        figures["auto_error"]["true"], abs=1e-4
    )
    database = sqlite3.connect(played[0] / "handrail.db")
    audits = database.execute("SELECT count(*) FROM audit WHERE wrong IS NOT NULL").fetchone()
    attributes = [json.loads(row[0]) for row in database.execute("SELECT DISTINCT groups FROM item ORDER BY groups")]
    database.close()
    assert sum(one["audits"] for one in figures["groups"]) == audits[0] > 0
    assert attributes == [{"size": "large"}, {"size": "small"}]
    large, small = figures["groups"]
    assert 0 < large["coverage"] < small["coverage"] < 1
    assert {one["state"] for one in figures["groups"]} == {"auto"}
