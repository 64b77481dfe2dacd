"""Mail that changes for real: what is shown of a mail, and the whole demonstration where its archive can be had."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handrail.usecases.moderation.data import ARCHIVE, later, older
from handrail.usecases.moderation.mail import SHOWN, masked, read_mail

_COMMAND = "from handrail.doors.cli import main; main()"
_NOT_HAD = "cli.archive_unavailable"


def test_what_could_lead_to_somebody_is_masked() -> None:
    shown = masked("Write to  ann.lee@example.org\nor http://example.org/x?y=1, call +1 (555) 123-4567. XXX nudes")
    assert shown == "Write to [address] or [link] call [number]. [adult word] [adult word]"


def test_a_mail_becomes_words_and_figures() -> None:
    raw = (
        b"From: a@example.org\r\nSubject: Re: [list] WIN now\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n"
        b"<html><script>alert(1)</script><style>p{}</style><p>Caf\xe9 &amp; <a href='http://example.org'>more</a>!</p>"
        b"<img src='http://example.org/i.png'></html>"
    )
    mail = read_mail(raw)
    assert mail is not None
    assert (mail.title, mail.body, mail.form, mail.links) == ("WIN now", "Café & more !", "html", 2.0)
    assert "alert" not in mail.body


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: x\r\nContent-Type: text/plain; charset=no-such-charset\r\n\r\n\xff\xfe words",
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nbroken",
        b"Subject: =?utf-8?q?broken\r\n\r\n\x00\x01" + b"long words " * 5000,
    ],
)
def test_broken_mail_is_read_as_far_as_it_goes(raw: bytes) -> None:
    mail = read_mail(raw)
    assert mail is None or (len(mail.body) <= SHOWN and "\x00" not in mail.body + mail.title)


def test_near_duplicates_are_left_out_and_an_order_follows_the_seed(tmp_path: Path) -> None:
    for collection in ("easy-ham-1", "spam-1", "easy-ham-2", "spam-2", "hard-ham-1"):
        folder = tmp_path / "package" / "data" / collection
        folder.mkdir(parents=True)
        for number in range(12):
            words = "offer number" if number % 2 else f"{collection} {'abcdefghijkl'[number] * 4}"
            (folder / f"{number:03}.txt").write_bytes(f"Subject: s\r\n\r\n{words} {number}".encode())
    first, again, other = (older(tmp_path, seed) for seed in (1, 1, 2))
    assert [one.name for one in first] == [one.name for one in again] != [one.name for one in other]
    assert len(first) == 2 * 7  # six that differ and one of the six alike
    assert {one.truth for one in first} == {"keep", "spam"}
    assert {one.truth for one in later(tmp_path, 1) if one.collection == "hard-ham-1"} == {"keep"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    home = tmp_path_factory.mktemp("moderation") / "home"
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, "demo", "moderation", "--headless", "--json", "--seed", "7", "--home", home],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    if _NOT_HAD in done.stdout + done.stderr:
        pytest.skip(f"{ARCHIVE.name} {ARCHIVE.version} cannot be fetched here")
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_change_is_noticed_corrected_and_learned(played: tuple[Path, dict[str, Any]]) -> None:
    figures = played[1]
    assert figures["demo"] == "moderation"
    assert figures["journal"]["verified"] is True
    assert figures["promotions"] == 2
    assert figures["alerts"] >= 1
    assert figures["campaigns"] >= 1
    assert figures["accuracy"]["after"]["value"] > figures["accuracy"]["before"]["value"]
    assert figures["accuracy"]["difference"]["low"] > 0
    assert figures["decisions"]["auto"] > 0
    assert sum(figures["open_tasks"].values()) > 0
    assert {"status", "alpha", "delta", "threshold", "labels", "errors", "needed"} == set(figures["certificate"])
    assert figures["peak_mb"] < 800


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_of_a_mail_but_masked_words_is_kept(played: tuple[Path, dict[str, Any]]) -> None:
    database = sqlite3.connect(played[0] / "handrail.db")
    rows = [row[0] for row in database.execute("SELECT data FROM item")]
    kinds = {row[0] for row in database.execute("SELECT DISTINCT actor_kind FROM answer")}
    database.close()
    assert kinds == {"simulated"}
    assert len(rows) == played[1]["items"]
    assert not [row for row in rows if "http://" in str(row).lower()], "tags that a plain mail holds stay as words"
