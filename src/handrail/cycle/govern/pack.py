"""An evidence pack as a stranger checks it: offline, with this file, the journal's hashes and one public key.

A pack proves that nothing in it was changed since the checkpoint was signed, and that its tables say what the journal
said. It cannot prove that no entry was left out: the tree holds other projects too, whose entries are not shown.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile, ZipFile

from handrail.foundation.canonical import encode
from handrail.foundation.journal import checkpoint as notes
from handrail.foundation.journal.checkpoint import Checkpoint, CheckpointInvalid
from handrail.foundation.journal.entry import entry_bytes
from handrail.foundation.journal.merkle import leaf_hash, verify_inclusion

FORMAT = "handrail evidence pack 1"
MANIFEST, SEAL = "manifest.json", "manifest.sig"
CHECKPOINT, VERIFIER = "checkpoint.txt", "verifier.txt"
JOURNAL, DECISIONS, ANSWERS = "journal.jsonl", "decisions.jsonl", "answers.jsonl"
POLICIES, CERTIFICATES, MODELS, COMMITS = "policies.json", "certificates.json", "models.json", "commits.json"
FILES = (CHECKPOINT, VERIFIER, JOURNAL, DECISIONS, ANSWERS, POLICIES, CERTIFICATES, MODELS, COMMITS)
"""What the manifest names; the pack holds these, the manifest and its signature."""

_BLOCK = 1 << 20
_SMALL = 1 << 20
_MOST = 256 << 20  # bytes of one line or of a file that is read whole: an archive must not fill the memory


@dataclass(frozen=True)
class PackVerified:
    """What a check of a pack found. `problem` is a sentence, None when all is well; `file` is the part that is broken.

    `size` and `root` are of the signed tree, `entries` counts those of it that the pack shows. Whose key `verifier` is
    cannot be seen in a pack: compare it with the one that the home's owner gave you.
    """

    ok: bool
    entries: int = 0
    decisions: int = 0
    answers: int = 0
    size: int = 0
    root: str = ""
    verifier: str = ""
    project: str = ""
    made_at: str = ""
    file: str | None = None
    problem: str | None = None


class _Found(Exception):
    """A part is not what was packed."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(problem)
        self.file = file
        self.problem = f"{file}: {problem}"


@dataclass
class _Said:
    """What the entries seen so far say, as digests: of decisions and answers, and the names of the other objects."""

    entries: int = 0
    decisions: dict[str, tuple[bytes, bytes | None]] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    named: set[tuple[str, str]] = field(default_factory=set)
    policies: dict[str, bytes] = field(default_factory=dict)
    sealed: dict[str, dict[str, Any]] = field(default_factory=dict)


def verify_pack(path: Path, verifier: str | None = None) -> PackVerified:
    """Check a pack: its signature, every digest, entry, payload and path, and its tables against the entries.

    `verifier` is the key that it must be signed with; without it, the key in the pack is believed and returned.
    Damage is reported, never raised.
    """
    try:
        with ZipFile(path) as archive:
            return _verify(archive, verifier)
    except _Found as found:
        return PackVerified(False, file=found.file, problem=found.problem)
    except (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        return PackVerified(False, problem=f"The archive cannot be read: {error}")


def seal(manifest: bytes) -> str:
    """Return the text that is signed for a manifest; its first line keeps it apart from a checkpoint."""
    return f"{FORMAT}\n{sha256(manifest).hexdigest()}\n"


def answer_of(proven: dict[str, Any]) -> dict[str, Any]:
    """Return the answer that an entry `tasks.answered` tells, as the table of answers has it: who, but no address."""
    entry_id, time, kind, actor_id, name, _, _, objects = proven["entry"]
    said = proven["payload"] or {}
    return {
        "id": objects["answer"],
        "entry": entry_id,
        "task": objects["task"],
        "item": objects.get("item"),
        "decision": objects.get("decision"),
        "kind": said.get("kind"),
        "verb": said.get("answer"),
        "value": said.get("value"),
        "reason": said.get("reason"),
        "seconds": said.get("seconds"),
        "by": {"kind": kind, "id": actor_id, "name": name},
        "time": time,
    }


def _verify(archive: ZipFile, expected: str | None) -> PackVerified:
    names = archive.namelist()
    for name in (MANIFEST, SEAL, *FILES):
        if names.count(name) != 1:
            raise _Found(name, "it is missing" if name not in names else "it is there twice")
    for name in names:
        if name not in (MANIFEST, SEAL, *FILES):
            raise _Found(name[:100], "it does not belong to a pack")
    verifier = _text(archive, VERIFIER).removesuffix("\n")
    if expected is not None and verifier != expected:
        raise _Found(VERIFIER, "it is another key than the one you expect")
    content = _whole(archive, MANIFEST, _SMALL)
    try:
        signed_text = notes.opened(_text(archive, SEAL), verifier)
    except CheckpointInvalid as error:
        raise _Found(SEAL, error.sentence) from None
    if signed_text != seal(content):
        raise _Found(MANIFEST, "it is not the one that was signed")
    manifest = _json(MANIFEST, content)
    for name in FILES:
        _check_file(archive, name, manifest)
    signed = _checkpoint(archive, verifier, manifest)
    try:
        said = _check_journal(archive, signed, str(manifest["project"]["id"]))
        decisions = _check_decisions(archive, said)
        answers = _check_answers(archive, said)
        _check_tables(archive, said)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _Found(MANIFEST, f"a part of the pack cannot be read: {error!r}") from None
    return PackVerified(
        True,
        entries=said.entries,
        decisions=decisions,
        answers=answers,
        size=signed.size,
        root=signed.root.hex(),
        verifier=verifier,
        project=str(manifest["project"]["name"]),
        made_at=str(manifest["made_at"]),
    )


def _check_file(archive: ZipFile, name: str, manifest: Any) -> None:
    digest = sha256()
    with archive.open(name) as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    if manifest["files"].get(name, {}).get("sha256") != digest.hexdigest():
        raise _Found(name, "it is not the file that was packed")


def _checkpoint(archive: ZipFile, verifier: str, manifest: Any) -> Checkpoint:
    try:
        signed = notes.read(_text(archive, CHECKPOINT), verifier)
    except CheckpointInvalid as error:
        raise _Found(CHECKPOINT, error.sentence) from None
    if (signed.size, signed.root.hex()) != (manifest["size"], manifest["root"]):
        raise _Found(CHECKPOINT, "it is of another tree than the manifest")
    return signed


def _check_journal(archive: ZipFile, signed: Checkpoint, project_id: str) -> _Said:
    said = _Said()
    last = -1
    for line in _lines(archive, JOURNAL):
        index, entry = int(line["index"]), line["entry"]
        place = f"entry {index} ({str(entry[0])[:40]})"
        if index <= last:
            raise _Found(JOURNAL, f"{place} is out of order")
        last = index
        if entry[5] != project_id:
            raise _Found(JOURNAL, f"{place} belongs to another project")
        commitment = bytes.fromhex(line["commitment"])
        if (line["payload"] is None) != (line["salt"] is None):
            raise _Found(JOURNAL, f"{place} has half a payload")
        if line["payload"] is not None:
            told = sha256(bytes.fromhex(line["salt"]) + encode(line["payload"]).encode()).digest()
            if told != commitment:
                raise _Found(JOURNAL, f"the payload of {place} is not the one that was written")
        entry_id, time, kind, actor_id, name, project, verb, objects = entry
        leaf = leaf_hash(
            entry_bytes(entry_id, time, (kind, actor_id, name), project, verb, encode(objects), commitment)
        )
        path = [bytes.fromhex(step) for step in line["path"]]
        if not verify_inclusion(leaf, index, signed.size, path, signed.root):
            raise _Found(JOURNAL, f"{place} is not in the signed tree")
        _hear(said, line, verb, objects)
    return said


def _hear(said: _Said, line: dict[str, Any], verb: str, objects: dict[str, str]) -> None:
    said.entries += 1
    said.named.update((kind, one) for kind, one in objects.items() if kind in ("certificate", "commit", "policy"))
    if verb == "review.decided":
        payload = line["payload"]
        told = None if payload is None else _digest({name: payload[name] for name in _TOLD})
        said.decisions[objects["decision"]] = (_digest({name: objects.get(name) for name in _NAMED}), told)
        if payload is not None and payload.get("sealed"):
            said.sealed[objects["decision"]] = payload
    elif verb == "review.verdict_given" and line["payload"] is not None and objects["decision"] in said.sealed:
        first, now = said.sealed[objects["decision"]], line["payload"]
        if now.get("reasons") is not None:  # the verdict tells what the sealed entry kept
            names, _ = said.decisions[objects["decision"]]
            whole = {**first, "score": now["score"], "reasons": now["reasons"]}
            said.decisions[objects["decision"]] = (names, _digest({name: whole[name] for name in _TOLD}))
    elif verb == "tasks.answered":
        said.answers[objects["answer"]] = _digest(answer_of(line))
    elif verb == "train.model_made":
        said.named.add(("model", f"{objects['model']} {objects['artefact']}"))
    elif verb == "review.policy_activated" and line["payload"] is not None:
        said.policies[objects["policy"]] = _digest(line["payload"]["document"])


_NAMED = ("item", "policy", "model", "certificate", "commit")
_TOLD = ("route", "score", "reasons", "audit_probability")


def _check_decisions(archive: ZipFile, said: _Said) -> int:
    count = 0
    for row in _lines(archive, DECISIONS):
        known = said.decisions.get(row["id"])
        if known is None:
            raise _Found(DECISIONS, f"the journal says nothing of the decision {row['id']}")
        names, told = known
        differs = _digest({name: row[f"{name}_id"] for name in _NAMED}) != names
        if differs or (told is not None and _digest({name: row[name] for name in _TOLD}) != told):
            raise _Found(DECISIONS, f"the journal says otherwise of the decision {row['id']}")
        count += 1
    return count


def _check_answers(archive: ZipFile, said: _Said) -> int:
    count = 0
    for row in _lines(archive, ANSWERS):
        if said.answers.get(row["id"]) != _digest(row):
            raise _Found(ANSWERS, f"the journal says otherwise of the answer {row['id']}")
        count += 1
    if count != len(said.answers):
        raise _Found(ANSWERS, f"the journal tells of {len(said.answers)} answers, {count} are there")
    return count


def _check_tables(archive: ZipFile, said: _Said) -> None:
    for name, kind in ((POLICIES, "policy"), (CERTIFICATES, "certificate"), (COMMITS, "commit")):
        for row in _json(name, _whole(archive, name, _MOST)):
            if (kind, row["id"]) not in said.named:
                raise _Found(name, f"the journal says nothing of the {kind} {row['id']}")
            if kind == "policy" and said.policies.get(row["id"]) not in (None, _digest(row["document"])):
                raise _Found(name, f"the journal says otherwise of the policy {row['id']}")
    for row in _json(MODELS, _whole(archive, MODELS, _MOST)):
        if ("model", f"{row['id']} {row['digest']}") not in said.named:
            raise _Found(MODELS, f"the journal says nothing of the model {row['id']} with these bytes")


def _digest(value: Any) -> bytes:
    return sha256(encode(value).encode()).digest()


def _whole(archive: ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as source:
        content = source.read(most + 1)
    if len(content) > most:
        raise _Found(name, f"it is larger than {most:,} bytes")
    return content


def _text(archive: ZipFile, name: str) -> str:
    try:
        return _whole(archive, name, _SMALL).decode()
    except UnicodeDecodeError:
        raise _Found(name, "it is no text") from None


def _json(name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise _Found(name, "it is no JSON") from None


def _lines(archive: ZipFile, name: str) -> Iterator[dict[str, Any]]:
    with archive.open(name) as raw, BufferedReader(cast("Any", raw)) as source:
        while line := source.readline(_MOST):
            if len(line) == _MOST:
                raise _Found(name, f"a line is larger than {_MOST:,} bytes")
            yield _json(name, line)
