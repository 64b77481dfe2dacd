"""The languages of other tools at the doors of a project: opens their files, keeps what they say beyond our words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from handrail.cycle.datasets import reading, store
from handrail.cycle.datasets.events import LabelConfigSet
from handrail.cycle.datasets.formats.catalogue import FORMATS, Row, recognise, recognise_folder
from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.label_studio.config import read_config
from handrail.cycle.datasets.formats.label_studio.parts import Config
from handrail.cycle.datasets.formats.label_studio.tasks import read_tasks
from handrail.cycle.datasets.formats.label_studio.writing import write_config
from handrail.cycle.datasets.formats.record import Answered, Record, Said
from handrail.cycle.datasets.formats.target import FormatUnfit, Target
from handrail.cycle.datasets.model import BadRow, FileUnreadable, ImportedAnswer
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.rows import ID_WORDS
from handrail.cycle.datasets.schema import Schema
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.archives import unpack
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

LABEL_STUDIO = "label-studio"
_ARCHIVE = "archive"
_HEADS = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_CHUNK = 1 << 18
_SHOWN_AS_TEXT = frozenset({"number", "category", "time", "boolean"})


class Foreign:
    """Configurations, origins and answers of other tools, project by project."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids, projects: Projects) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._projects = projects

    def config(self, uow: UnitOfWork, scope: Scope) -> tuple[Config, str]:
        """Return the Label Studio configuration of a project and its text: the one kept, else one for its schema."""
        document = self._projects.schema(uow, scope).to_dict()
        text = store.get_config(uow, scope)
        if text is None:
            text, _ = write_config(document)
        # That language shows a number as text; what the field is, the schema says.
        return replace(read_config(text), fields=tuple(document["fields"])), text

    def put_config(self, uow: UnitOfWork, actor: Actor, scope: Scope, text: str) -> Config:
        """Keep the configuration of a project; raises MarkupInvalid, FormatUnfit where the schema says otherwise."""
        config = read_config(text)
        _check_fits(config, self._projects.schema(uow, scope))
        store.put_config(uow, scope, text, self._clock.now())
        self._journal.append(uow, actor, scope.project_id, LabelConfigSet(size=len(text)))
        return config

    def keep(
        self, uow: UnitOfWork, scope: Scope, format_: str, item_id: str, seq: int, said: Said, *, new: bool
    ) -> int:
        """Keep what a file said about an item, `new` with it or not, and return how many answers that were."""
        if said.origin is not None:
            store.put_origin(uow, scope, format_, item_id, said.origin, new=new)
        made = [
            (self._ids.new(), ImportedAnswer(item_id, format_, a.kind, a.who, a.values, a.score, a.at, a.counts))
            for a in said.answers
        ]
        if made:
            store.put_imported(uow, scope, format_, seq, made, self._clock.now(), new=new)
        return len(made)


def schema_of(config: Config) -> Schema:
    """Return the schema that a configuration says; raises SchemaInvalid for a type that a schema has not."""
    return Schema.from_dict({"fields": config.document["fields"], "questions": list(config.questions)})


def _check_fits(config: Config, schema: Schema) -> None:
    document = schema.to_dict()
    types = {one["name"]: one["type"] for one in [*document["fields"], *document["questions"]]}
    types |= {one["name"]: "text" for one in document["fields"] if one["type"] in _SHOWN_AS_TEXT}
    wrong = [
        f"{one['name']} is {'no part of it' if one['name'] not in types else 'of the type ' + types[one['name']]}"
        for one in [*config.fields, *config.questions]
        if types.get(one["name"]) != one["type"]
    ]
    if wrong:
        raise FormatUnfit(
            f"The configuration and the schema of the project differ: {'; '.join(wrong[:8])}.",
            hint="Make the project from this configuration, or change the configuration.",
            differ=wrong[:100],
        )


def check_answers(schema: Schema, line: int, answers: Iterable[Answered]) -> list[BadRow]:
    """Return what is wrong with the values of answers given elsewhere."""
    return [
        BadRow(line, reading.shown(problem.field), f"of a {one.kind} {problem.reason}")
        for one in answers
        for problem in schema.read_answers(one.values, partial=one.kind != "annotation")[1]
    ]


def kind_of(format_: str, head: bytes, schema: Schema) -> str:
    """Return the name of the foreign format of a file, or "" for rows in the schema's own words."""
    if format_ in FORMATS or format_ == LABEL_STUDIO:
        return format_
    if format_ != "auto":
        return ""
    if head.startswith(_HEADS) or head[257:262] == b"ustar":
        return _ARCHIVE
    document = schema.to_dict()
    own = {one["name"] for one in [*document["fields"], *document["questions"]]}
    return recognise(head, own | {*ID_WORDS, "subject", "observed_at", "data", "group", "labels"})


@contextmanager
def opened(kind: str, chunks: Iterable[bytes], schema: Schema, config: Config) -> Iterator[tuple[str, Iterator[Row]]]:
    """Give (name of the format, rows of a file in it); raises FileUnreadable, ArchiveRefused, FormatUnfit."""
    document = schema.to_dict()
    one = FORMATS.get(kind)
    if kind == LABEL_STUDIO:
        yield kind, read_tasks(chunks, config)
    elif one is not None and one.read_stream is not None:
        yield kind, one.read_stream(chunks, Target.of(kind, document))
    else:
        with TemporaryDirectory() as folder:
            place = Path(folder) / "source"
            with place.open("wb") as file:
                file.writelines(chunks)
            if one is not None and one.read_place is not None:
                yield kind, one.read_place(place, Target.of(kind, document))
                return
            inside = Path(folder) / "inside"
            inside.mkdir()
            names = unpack(place, inside)
            kind = recognise_folder(names) if kind == _ARCHIVE else kind
            if kind not in FORMATS:
                raise FileUnreadable("The archive holds no format that is known.", hint="Say which with format.")
            read = FORMATS[kind].read_folder
            assert read is not None  # what is neither a stream nor a place is a folder
            yield kind, read(Folder(inside, names), Target.of(kind, document))


def said_of(record: object) -> Said | None:
    """Return what a record says beside data and labels, or None when it says nothing more."""
    if not isinstance(record, Record) or (not record.answers and record.origin is None):
        return None
    origin = record.origin
    text = None if origin is None else json.dumps(origin, ensure_ascii=False, separators=(",", ":"))
    return Said(record.answers, text)


def parts_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file from its beginning, then close it."""
    with file:
        file.seek(0)
        while part := file.read(_CHUNK):
            yield part
