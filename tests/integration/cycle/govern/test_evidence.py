"""An evidence pack verifies far from its home, and every change of it is found and named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.app import Handrail, running
from handrail.cycle.govern import pack
from handrail.cycle.govern.pack import verify_pack
from handrail.doors.api import create
from handrail.foundation.canonical import encode
from handrail.foundation.http import reach
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.settings import Settings
from tests.integration.lived_in import Lived, live

Members = dict[str, bytes]


@dataclass(frozen=True)
class Packed:
    """A pack, the key that signs for its home, and what was done there."""

    place: Path
    signer: Signer
    lived: Lived


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    folder = tmp_path_factory.mktemp("evidence")
    with running(Settings(home=folder / "home", demo=True), seed=7) as system:
        live(system, "other", model=False, decisions=2)
        lived = live(system)
        system.govern.evidence(lived.scope, folder / "clinic.zip")
        return Packed(folder / "clinic.zip", system.prover.signer, lived)


def members(place: Path) -> Members:
    with zipfile.ZipFile(place) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(parts: Members, place: Path) -> Path:
    with zipfile.ZipFile(place, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return place


def resealed(parts: Members, signer: Signer, place: Path) -> Path:
    """Do what the owner of the key could do: make manifest and seal anew for other content."""
    manifest = json.loads(parts[pack.MANIFEST])
    manifest["files"] = {name: {"sha256": sha256(parts[name]).hexdigest()} for name in pack.FILES}
    content = encode(manifest).encode()
    sealed = {pack.MANIFEST: content, pack.SEAL: signer.sign_text(pack.seal(content)).encode()}
    return written({**parts, **sealed}, place)


def test_a_pack_verifies_without_its_home_and_holds_the_story(packed: Packed) -> None:
    found = verify_pack(packed.place)
    assert (found.ok, found.problem) == (True, None)
    assert found.verifier == packed.signer.verifier
    assert found.project == "clinic"
    assert (found.decisions, found.answers) == (6, 3)
    assert found.entries < found.size
    parts = members(packed.place)
    decisions = [json.loads(line) for line in parts[pack.DECISIONS].splitlines()]
    assert sorted(one["id"] for one in decisions) == sorted(packed.lived.decisions)
    (model,) = json.loads(parts[pack.MODELS])
    assert model["id"] == packed.lived.model
    assert model["card"]
    assert len(json.loads(parts[pack.COMMITS])) == len(json.loads(parts[pack.POLICIES])) == 1
    assert [one["status"] for one in json.loads(parts[pack.CERTIFICATES])] == ["refused"]
    answers = [json.loads(line) for line in parts[pack.ANSWERS].splitlines()]
    assert {(one["by"]["kind"], one["by"]["name"], one["value"]) for one in answers} == {
        ("simulated", "Dr. One", "benign")
    }


def test_nothing_of_items_or_other_projects_is_in_a_pack(packed: Packed) -> None:
    parts = members(packed.place)
    rows = [json.loads(line) for line in parts[pack.JOURNAL].splitlines()]
    assert {row["entry"][5] for row in rows} == {packed.lived.scope.project_id}
    assert not any(b"new-1" in content for content in parts.values())  # how the caller names an item
    assert not any(b"@" in content for content in parts.values())


@pytest.mark.parametrize("name", [pack.MANIFEST, pack.SEAL, *pack.FILES])
def test_one_changed_byte_of_any_member_is_found(packed: Packed, name: str, tmp_path: Path) -> None:
    parts = members(packed.place)
    content = parts[name]
    step = max(1, len(content) // 25)
    for place in [*range(0, len(content), step), len(content) - 1]:
        for changed in (content[place] ^ 1, content[place] ^ 0x20):
            other = content[:place] + bytes([changed]) + content[place + 1 :]
            found = verify_pack(written({**parts, name: other}, tmp_path / "changed.zip"))
            assert not found.ok, (name, place, changed)
            assert found.file in (name, pack.SEAL, pack.MANIFEST), (name, place, found)
            assert found.problem


def test_a_member_that_is_missing_or_too_many_is_named(packed: Packed, tmp_path: Path) -> None:
    parts = members(packed.place)
    for name in parts:
        less = {key: value for key, value in parts.items() if key != name}
        assert verify_pack(written(less, tmp_path / "less.zip")).problem == f"{name}: it is missing"
    more = verify_pack(written({**parts, "extra.txt": b"x"}, tmp_path / "more.zip"))
    assert more.problem == "extra.txt: it does not belong to a pack"
    with zipfile.ZipFile(tmp_path / "more.zip", "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(pack.JOURNAL, b"")
    assert verify_pack(tmp_path / "more.zip").problem == f"{pack.JOURNAL}: it is there twice"


def test_a_file_that_is_no_archive_or_is_cut_off_is_told(packed: Packed, tmp_path: Path) -> None:
    content = packed.place.read_bytes()
    for broken in (b"", b"not a zip", content[:-30], content[: len(content) // 2], content[:200] + content[260:]):
        (tmp_path / "broken.zip").write_bytes(broken)
        found = verify_pack(tmp_path / "broken.zip")
        assert not found.ok
        assert found.problem
    assert not verify_pack(tmp_path / "nothing.zip").ok


def test_a_pack_of_another_key_is_told_when_the_key_is_known(packed: Packed, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    stranger = Signer.of_home(tmp_path / "keys")
    assert verify_pack(packed.place, packed.signer.verifier).ok
    found = verify_pack(packed.place, stranger.verifier)
    assert (found.ok, found.file) == (False, pack.VERIFIER)


def _lines(change: Callable[[list[Any]], object]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        rows = [json.loads(line) for line in content.splitlines()]
        change(rows)
        return b"".join(encode(row).encode() + b"\n" for row in rows)

    return changed


def _table(change: Callable[[list[Any]], object]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        rows = json.loads(content)
        change(rows)
        return encode(rows).encode()

    return changed


def _of_verb(rows: list[Any], verb: str) -> Any:
    return next(row for row in rows if row["entry"][6] == verb)


FORGED = [
    (pack.JOURNAL, _lines(lambda rows: rows[3]["entry"].__setitem__(4, "Somebody else")), "is not in the signed tree"),
    (pack.JOURNAL, _lines(lambda rows: rows[3]["payload"].update(x=1)), "payload of entry"),
    (pack.JOURNAL, _lines(lambda rows: rows[3].update(payload=None)), "half a payload"),
    (pack.JOURNAL, _lines(lambda rows: rows[3].update(index=rows[3]["index"] + 1)), "is not in the signed tree"),
    (pack.JOURNAL, _lines(lambda rows: rows.reverse()), "out of order"),
    (pack.JOURNAL, _lines(lambda rows: rows[3]["entry"].__setitem__(5, None)), "another project"),
    (pack.JOURNAL, _lines(lambda rows: rows[3].update(path=rows[3]["path"][1:])), "is not in the signed tree"),
    (pack.JOURNAL, _lines(lambda rows: rows.remove(_of_verb(rows, "review.decided"))), "says nothing of the decision"),
    (pack.JOURNAL, _lines(lambda rows: rows.remove(_of_verb(rows, "train.model_made"))), "says nothing of the model"),
    (pack.DECISIONS, _lines(lambda rows: rows[0].update(route="auto")), "says otherwise of the decision"),
    (pack.DECISIONS, _lines(lambda rows: rows[0].update(policy_id="p")), "says otherwise of the decision"),
    (pack.DECISIONS, _lines(lambda rows: rows[0].pop("score")), "cannot be read"),
    (pack.ANSWERS, _lines(lambda rows: rows[0].update(value="malignant")), "says otherwise of the answer"),
    (pack.ANSWERS, _lines(lambda rows: rows.pop()), "tells of 3 answers, 2 are there"),
    (pack.POLICIES, _table(lambda rows: rows[0]["document"].update(alpha=0.4)), "says otherwise of the policy"),
    (pack.MODELS, _table(lambda rows: rows[0].update(digest="0" * 64)), "says nothing of the model"),
    (pack.CERTIFICATES, _table(lambda rows: rows[0].update(id="c")), "says nothing of the certificate"),
    (pack.COMMITS, _table(lambda rows: rows[0].update(id="c")), "says nothing of the commit"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "said"), FORGED, ids=range(len(FORGED)))
def test_the_owner_of_the_key_cannot_pack_what_the_journal_does_not_say(
    packed: Packed, name: str, change: Callable[[bytes], bytes], said: str, tmp_path: Path
) -> None:
    parts = members(packed.place)
    assert verify_pack(resealed(parts, packed.signer, tmp_path / "same.zip")).ok
    changed = change(parts[name])
    assert changed != parts[name]
    found = verify_pack(resealed({**parts, name: changed}, packed.signer, tmp_path / "forged.zip"))
    assert not found.ok
    assert said in str(found.problem)


@pytest.fixture
def system(storage_url: str, tmp_path: Path) -> Iterator[Handrail]:
    """Run a home on each database."""
    url = None if storage_url.startswith("sqlite") else storage_url
    with running(Settings.model_validate({"home": tmp_path, "demo": True, "database_url": url}), seed=7) as made:
        yield made


async def test_the_route_gives_a_pack_that_verifies_on_both_databases(system: Handrail, tmp_path: Path) -> None:
    import asyncio

    lived = await asyncio.to_thread(live, system, model=False)
    api = create(system, reach(host="127.0.0.1", port=8731))

    def caller(role: str) -> httpx.AsyncClient:
        _, secret = system.identity.tokens.make(system.identity.local(), "test", role)
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://localhost:8731", headers=headers)

    address = f"/api/v1/projects/{lived.scope.project_id}/evidence"
    async with caller("auditor") as auditor, caller("machine") as machine:
        answer = await auditor.get(address)
        assert answer.headers["content-type"] == "application/zip"
        assert (await machine.get(address)).status_code == 403
    place = tmp_path / "clinic.zip"
    place.write_bytes(answer.content)
    found = verify_pack(place)
    assert (found.problem, found.decisions, found.answers) == (None, 6, 3)
    assert found.verifier == system.prover.signer.verifier
