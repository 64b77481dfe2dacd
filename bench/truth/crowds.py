"""Answers of real people, and simulated crowds whose truth is known.

Real: the recorded ratings of short texts by about twenty people each that the source archive of vaderSentiment 2.5
holds (Hutto and Gilbert, ICWSM 2014). A place in a list is taken for a person, which is inferred, not documented. What
stands for truth is the plurality of the ratings that were not drawn: an opinion of the panel. The archive is fetched
once with pip into `.cache/truth`, checked by its hash, and only read.
"""

from __future__ import annotations

import ast
import hashlib
import io
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handrail.cycle.annotate.truth.answers import Answers, Floats, Ints

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "truth"
ARCHIVE = "vaderSentiment-2.5.tar.gz"
SHA256 = "b960c954831f5ca58afee61780cc04ed48e551b91e783bfcbfb2c18bb8081a84"
SETS = {"Amazon": "amazonReviewSnippets", "tweets": "tweets", "editorials": "nytEditorialSnippets"}
PEOPLE = 20


@dataclass(frozen=True)
class Crowd:
    """Answers to items whose right class, or its stand-in, is `truth`; -1 where the stand-in is a tie."""

    answers: Answers
    truth: Ints

    def accuracy(self, label: Ints) -> float:
        """Return the share of labels that are right, ties of the stand-in left out."""
        known = self.truth >= 0
        return float((label[known] == self.truth[known]).mean())


def archive() -> Path:
    """Return the archive of ratings, fetched if need be; raises SystemExit when it is not the one that is meant."""
    path = CACHE / ARCHIVE
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "--dest"]
        subprocess.run([*command, str(CACHE), "vaderSentiment==2.5"], check=True)
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{path} is not the archive that this benchmark means.")
    return path


def ratings(name: str) -> Ints:
    """Return the ratings of a set, texts x the first 20 people, from -4 to 4."""
    with tarfile.open(archive()) as outer:
        inner_file = outer.extractfile("vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz")
        assert inner_file is not None
        with tarfile.open(fileobj=io.BytesIO(inner_file.read())) as inner:
            member = next(one for one in inner.getnames() if one.endswith(f"{SETS[name]}_anonDataRatings.txt"))
            file = inner.extractfile(member)
            assert file is not None
            text = file.read().decode("utf-8-sig")
    rows = [ast.literal_eval(line.split("\t")[3]) for line in text.splitlines() if line.strip()]
    return np.array([row[:PEOPLE] for row in rows if len(row) >= PEOPLE], dtype=np.int64)


def in_classes(given: Ints) -> Ints:
    """Return ratings as 0 negative, 1 neutral, 2 positive."""
    return np.asarray(np.sign(given) + 1)


def plurality(given: Ints, of: NDArray[np.bool_] | None = None) -> Ints:
    """Return the commonest class of each text among the ratings `of`, -1 for a tie."""
    counts = np.stack([((given == one) & (True if of is None else of)).sum(axis=1) for one in range(3)], axis=1)
    single = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    return np.where(single, counts.argmax(axis=1), -1)


def drawn(given: Ints, each: int, seed: int, items: int | None = None) -> Crowd:
    """Draw `each` answers a text at random; the truth is the plurality of the others."""
    rng = np.random.default_rng(seed)
    if items is not None and items < len(given):
        given = given[rng.choice(len(given), items, replace=False)]
    picked = np.argsort(rng.random(given.shape), axis=1)[:, :each]
    rest = np.ones(given.shape, dtype=bool)
    np.put_along_axis(rest, picked, False, axis=1)
    item = np.repeat(np.arange(len(given)), each)
    said = np.take_along_axis(given, picked, axis=1).ravel()
    return Crowd(made(item, picked.ravel(), said, len(given), given.shape[1], 3), plurality(given, rest))


def made(item: Ints, who: Ints, said: Ints, items: int, people: int, classes: int) -> Answers:
    """Return answers from codes."""
    return Answers(item, who, said, tuple(range(items)), tuple(range(people)), tuple(range(classes)))


KINDS = ("skewed activity, 10 % spam", "30 % spammers", "20 % adversaries", "all equal")


def simulated(kind: str, seed: int, *, items: int = 2000, people: int = 60, classes: int = 4, each: int = 3) -> Crowd:
    """Return a simulated crowd: skill by person, some of them spammers or adversaries, some much busier than others."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    skill = np.full(people, 0.75) if kind == "all equal" else rng.beta(9, 3, people)
    busy = rng.pareto(1.2, people) + 0.1 if kind.startswith("skewed") else np.ones(people)
    spam = {"skewed activity, 10 % spam": 0.1, "30 % spammers": 0.3}.get(kind, 0.0)
    kinds = rng.permutation(people)
    who = np.concatenate([rng.choice(people, each, replace=False, p=busy / busy.sum()) for _ in range(items)])
    item = np.repeat(np.arange(items), each)
    other = (truth[item] + rng.integers(1, classes, len(item))) % classes
    said = np.where(rng.random(len(item)) < skill[who], truth[item], other)
    said = np.where(kinds[who] < spam * people, who % classes, said)
    if kind == "20 % adversaries":
        said = np.where(kinds[who] < 0.2 * people, np.where(rng.random(len(item)) < 0.1, truth[item], other), said)
    return Crowd(made(item, who, said, items, people, classes), truth)


def million(seed: int = 0) -> Answers:
    """Return a million answers: 200,000 items, 500 people, 4 classes."""
    rng = np.random.default_rng(seed)
    item, who = np.repeat(np.arange(200_000), 5), rng.integers(0, 500, 1_000_000)
    truth = rng.integers(0, 4, 200_000)
    said = np.where(rng.random(len(item)) < 0.75, truth[item], rng.integers(0, 4, len(item)))
    return made(item, who, said, 200_000, 500, 4)


def votes_label(votes: Floats, seed: int) -> Ints:
    """Return the commonest answer of each item, ties broken at random."""
    return np.asarray((votes + 1e-6 * np.random.default_rng(seed).random(votes.shape)).argmax(axis=1))
