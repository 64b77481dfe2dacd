"""HTTP routes of datasets: projects, schema, items, labels, versions.

Permissions: datasets.create_project; datasets.read (see), datasets.write (put items in), datasets.export (take whole
files out), datasets.commit (make versions, branches and tags).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from handrail.cycle.datasets.formats.catalogue import FORMATS
from handrail.cycle.datasets.forms import (
    AlikeItemsOut,
    AlikeOut,
    ChangeOut,
    CommitIn,
    CommitMadeOut,
    CommitOut,
    CompactedOut,
    CompactIn,
    CountsOut,
    DiffOut,
    EditsIn,
    ImportOut,
    ItemOut,
    ItemsIn,
    ItemsOut,
    LabelConfigIn,
    LabelConfigOut,
    LabelOut,
    PointerIn,
    PointerOut,
    ProjectIn,
    ProjectOut,
    SchemaOut,
    VerifiedOut,
)
from handrail.cycle.datasets.model import DatasetBroken, ExportFormat, ImportFormat, Pointer
from handrail.cycle.datasets.schema import Schema
from handrail.cycle.datasets.service import Datasets
from handrail.cycle.datasets.splits import SplitWish, read_shares
from handrail.foundation.authorize import allowed
from handrail.foundation.http import (
    SIGNED_IN,
    After,
    BadCursor,
    In,
    Limit,
    Once,
    Page,
    Routes,
    Who,
    cursor,
    keys,
    received,
)
from handrail.foundation.storage import Storage

MAX_UPLOAD = 1 << 30
_BLOCK = 1 << 16  # bytes sent at once of a file
_KINDS = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_KINDS_OUT = _KINDS | {"label-studio": "application/json"} | {name: one.media_type for name, one in FORMATS.items()}
_ENDINGS = {"label-studio": "json"} | {name: one.ending for name, one in FORMATS.items()}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_FILE: dict[str, Any] = {
    "response_class": StreamingResponse,
    "openapi_extra": {"responses": {"200": {"content": {kind.partition(";")[0]: {} for kind in _KINDS.values()}}}},
}
_ITEMS_FILE: dict[str, Any] = {
    "response_class": StreamingResponse,
    "openapi_extra": {
        "responses": {"200": {"content": {kind.partition(";")[0]: {} for kind in dict.fromkeys(_KINDS_OUT.values())}}}
    },
}
Version = Annotated[str, Query(min_length=1, max_length=100, description="A branch, a tag, or the id of a commit.")]


def routes(storage: Storage, datasets: Datasets) -> Routes:
    """Return the routes of datasets."""
    routes = Routes("datasets")
    _projects(routes, storage, datasets)
    _files(routes, datasets)
    _items(routes, storage, datasets)
    _labels(routes, storage, datasets)
    _versions(routes, storage, datasets)
    _contents(routes, storage, datasets)
    _pointers(routes, storage, datasets)
    return routes


def _projects(routes: Routes, storage: Storage, datasets: Datasets) -> None:
    @routes.post("/projects", permission="datasets.create_project", status=201)
    async def create_project(body: ProjectIn, who: Who, once: Once) -> ProjectOut:
        """Make a project with its schema."""
        schema = Schema.from_dict(body.schema_)
        return await once.write(
            lambda uow: ProjectOut.of(datasets.create_project(uow, who, body.name, schema, body.description))
        )

    @routes.get("/projects", permission=SIGNED_IN)
    async def list_projects(who: Who) -> Page[ProjectOut]:
        """List the projects that you may see, oldest first."""
        found = await storage.aread(datasets.projects)
        return Page(items=[ProjectOut.of(one) for one in found if allowed(who, "datasets.read", one.id)], next=None)

    @routes.get("/projects/{project}", permission="datasets.read")
    async def get_project(scope: In) -> ProjectOut:
        """Return a project."""
        return ProjectOut.of(await storage.aread(lambda uow: datasets.project(uow, scope.project_id)))

    @routes.get("/projects/{project}/schema", permission="datasets.read")
    async def get_schema(scope: In) -> SchemaOut:
        """Return the fields and questions of a project."""
        schema = await storage.aread(lambda uow: datasets.schema(uow, scope))
        return SchemaOut(digest=schema.digest, **schema.to_dict())

    @routes.get("/projects/{project}/label-config", permission="datasets.read")
    async def get_label_config(scope: In) -> LabelConfigOut:
        """Return the project's configuration in the language of Label Studio: the one kept, else one for its schema."""
        return LabelConfigOut.of(*await storage.aread(lambda uow: datasets.label_config(uow, scope)))

    @routes.post("/projects/{project}/label-config", permission="datasets.write")
    async def set_label_config(body: LabelConfigIn, who: Who, scope: In, once: Once) -> LabelConfigOut:
        """Keep a configuration of Label Studio that says what the schema says; files come and go by it."""
        return await once.write(
            lambda uow: LabelConfigOut.of(body.text, datasets.put_label_config(uow, who, scope, body.text))
        )

    @routes.get("/projects/{project}/counts", permission="datasets.read")
    async def get_counts(scope: In) -> CountsOut:
        """Return how many items and labels there are, and how many no version holds yet."""
        return CountsOut(**vars(await storage.aread(lambda uow: datasets.counts(uow, scope))))


def _items(routes: Routes, storage: Storage, datasets: Datasets) -> None:
    @routes.get("/projects/{project}/items", permission="datasets.read")
    async def list_items(scope: In, limit: Limit = 50, after: After = None) -> Page[ItemOut]:
        """List the items in the order in which they came in."""
        page = await storage.aread(lambda uow: datasets.items(uow, scope, _seq(after), limit))
        return Page(items=[ItemOut.of(one) for one in page.items], next=_cursor(page.next))

    @routes.post("/projects/{project}/items", permission="datasets.write", status=201, body_limit=64 << 20)
    async def add_items(body: ItemsIn, who: Who, scope: In, once: Once) -> ItemsOut:
        """Put items in, all or none; one that is there with the same content is given back as it is."""
        wanted = [one.wanted() for one in body.items]
        return await once.write(
            lambda uow: ItemsOut(items=[ItemOut.of(one) for one in datasets.add_items(uow, who, scope, wanted)])
        )

    @routes.get("/projects/{project}/items/{item_id}", permission="datasets.read")
    async def get_item(item_id: str, scope: In) -> ItemOut:
        """Return an item."""
        return ItemOut.of(await storage.aread(lambda uow: datasets.item(uow, scope, item_id)))


def _files(routes: Routes, datasets: Datasets) -> None:
    @routes.post("/projects/{project}/items/import", permission="datasets.write", own_key=True, openapi_extra=_UPLOAD)
    async def import_items(
        request: Request,
        who: Who,
        scope: In,
        format: Annotated[ImportFormat, Query(description="auto looks at the name and the content.")] = "auto",  # noqa: A002
        on_error: Annotated[Literal["refuse", "keep"], Query(description="What to do when rows are bad.")] = "refuse",
        purpose: Annotated[Literal["train", "holdout"], Query(description="Of labels in the file.")] = "train",
        name: Annotated[str, Query(max_length=200, description="Name of the file, for the journal.")] = "",
    ) -> ImportOut:
        """Import items from a file sent as the body: CSV, JSON, or what another tool exports.

        With on_error=refuse one bad row refuses the whole file, and the error lists the rows. A file sent again
        changes nothing: its rows are known.
        """
        async with received(request, MAX_UPLOAD) as place:
            report = await asyncio.to_thread(
                datasets.import_file,
                who,
                scope,
                place,
                format=format,
                on_error=on_error,
                purpose=purpose,
                name=name or "upload",
            )
        return ImportOut.of(report)

    @routes.get("/projects/{project}/items/export", permission="datasets.export", **_ITEMS_FILE)
    def export_items(
        scope: In,
        format: Annotated[ExportFormat, Query()] = "csv",  # noqa: A002
    ) -> StreamingResponse:
        """Return all items with their current labels as a file, in the words of another tool if wanted."""
        return _download(datasets.export_items(scope, format=format), "items", format)


def _labels(routes: Routes, storage: Storage, datasets: Datasets) -> None:
    @routes.get("/projects/{project}/labels", permission="labels.read")
    async def list_labels(
        scope: In, question: Annotated[str, Query(max_length=128)], limit: Limit = 50, after: After = None
    ) -> Page[LabelOut]:
        """List the current labels of a question, in the order of their items."""
        page = await storage.aread(
            lambda uow: datasets.labels_page(uow, scope, question=question, after=_seq(after), limit=limit)
        )
        return Page(items=[LabelOut.of(one) for one in page.items], next=_cursor(page.next))

    @routes.get("/projects/{project}/items/{item_id}/labels", permission="labels.read")
    async def label_history(item_id: str, scope: In, question: Annotated[str, Query(max_length=128)]) -> Page[LabelOut]:
        """List every label that an item ever had for a question, oldest first."""
        found = await storage.aread(lambda uow: datasets.label_history(uow, scope, item_id, question))
        return Page(items=[LabelOut.of(one) for one in found], next=None)


def _versions(routes: Routes, storage: Storage, datasets: Datasets) -> None:
    @routes.get("/projects/{project}/commits", permission="datasets.read")
    async def log(
        scope: In, branch: Annotated[str, Query(max_length=100)] = "main", limit: Limit = 50
    ) -> Page[CommitOut]:
        """List the newest versions of a branch, newest first."""
        found = await storage.aread(lambda uow: datasets.log(uow, scope, branch, limit=limit))
        return Page(items=[CommitOut.of(one) for one in found], next=None)

    @routes.post("/projects/{project}/commits", permission="datasets.commit")
    def commit(body: CommitIn, who: Who, scope: In) -> CommitMadeOut:
        """Make a version of what is new since the branch's last one."""
        made = datasets.commit(who, scope, body.message, branch=body.branch)
        return CommitMadeOut(commit=None if made is None else CommitOut.of(made))

    @routes.post("/projects/{project}/edits", permission="datasets.commit", body_limit=64 << 20)
    def edit(body: EditsIn, who: Who, scope: In) -> CommitMadeOut:
        """Change labels on a branch of its own and make a version of that; live labels do not change."""
        made = datasets.edit(who, scope, body.branch, body.message, [one.wanted() for one in body.edits])
        return CommitMadeOut(commit=None if made is None else CommitOut.of(made))

    @routes.get("/projects/{project}/diff", permission="labels.read")
    def diff(
        scope: In,
        b: Version,
        a: Annotated[str | None, Query(max_length=100, description="Nothing: the empty version.")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> DiffOut:
        """Return what differs from version `a` to version `b`, row by row, with who changed it and why."""
        changes = datasets.diff(scope, a, b)
        return DiffOut(total=len(changes), changes=[ChangeOut.of(one) for one in changes[:limit]])


def _contents(routes: Routes, storage: Storage, datasets: Datasets) -> None:
    @routes.get("/projects/{project}/verify", permission="datasets.read")
    def verify(scope: In, version: Version = "main") -> VerifiedOut:
        """Compute the ids of a version and of all before it again from their files."""
        commit_id = storage.read(lambda uow: datasets.commit_of(uow, scope, version)).id
        try:
            datasets.verify(scope, commit_id)
        except DatasetBroken as error:
            file = str(error.facts.get("file", ""))
            return VerifiedOut(commit_id=commit_id, verified=False, file=file, reason=error.sentence)
        return VerifiedOut(commit_id=commit_id, verified=True, file=None, reason="")

    @routes.post("/projects/{project}/compactions", permission="datasets.commit")
    def compact(body: CompactIn, scope: In) -> CompactedOut:
        """Make what lets a version and those before it be read fast; the system does it by itself now and then."""
        return CompactedOut(**vars(datasets.compact(scope, body.version)))

    @routes.get("/projects/{project}/checkout", permission="datasets.export", **_FILE)
    def checkout(
        scope: In,
        version: Version = "main",
        format: Annotated[Literal["csv", "jsonl", "parquet"], Query()] = "csv",  # noqa: A002
        seed: Annotated[int | None, Query(ge=0, lt=1 << 63, description="Adds the column split, by this seed.")] = None,
        shares: Annotated[str, Query(max_length=500, description="Of groups.")] = "train=0.8,validation=0.1,test=0.1",
        by: Annotated[
            str, Query(max_length=500, description="What a part shares with no other: subject, group.NAME, fields.")
        ] = "subject",
    ) -> StreamingResponse:
        """Return a version as a file: items, fields, labels and their purposes; with a seed, the part of each item."""
        wish = None if seed is None else SplitWish(seed, read_shares(shares), tuple(filter(None, by.split(","))))
        return _download(datasets.checkout_file(scope, version, format=format, split=wish), "dataset", format)

    @routes.get("/projects/{project}/alike", permission="datasets.export")
    def alike(scope: In, version: Version = "main", limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> AlikeOut:
        """Return which items of a version are the same or nearly, first those on both sides of a border."""
        found = datasets.alike(scope, version)
        groups = [
            AlikeItemsOut(kind=one.kind, external_ids=list(one.external_ids), sides=list(one.sides))
            for one in found.groups[:limit]
        ]
        return AlikeOut(items=found.items, total=len(found.groups), leaks=found.leaks, groups=groups)


def _pointers(routes: Routes, storage: Storage, datasets: Datasets) -> None:
    @routes.get("/projects/{project}/branches", permission="datasets.read")
    async def list_branches(scope: In) -> Page[PointerOut]:
        """List the branches by name."""
        return _pointed(await storage.aread(lambda uow: datasets.branches(uow, scope)))

    @routes.post("/projects/{project}/branches", permission="datasets.commit", status=201)
    async def make_branch(body: PointerIn, who: Who, scope: In, once: Once) -> PointerOut:
        """Make a branch."""
        return await once.write(lambda uow: PointerOut.of(datasets.branch(uow, who, scope, body.name, body.at)))

    @routes.get("/projects/{project}/tags", permission="datasets.read")
    async def list_tags(scope: In) -> Page[PointerOut]:
        """List the tags by name."""
        return _pointed(await storage.aread(lambda uow: datasets.tags(uow, scope)))

    @routes.post("/projects/{project}/tags", permission="datasets.commit", status=201)
    async def make_tag(body: PointerIn, who: Who, scope: In, once: Once) -> PointerOut:
        """Give a version a name that never moves."""
        return await once.write(lambda uow: PointerOut.of(datasets.tag(uow, who, scope, body.name, body.at)))


def _pointed(found: list[Pointer]) -> Page[PointerOut]:
    return Page(items=[PointerOut.of(one) for one in found], next=None)


def _seq(after: str | None) -> int | None:
    if after is None:
        return None
    (seq,) = keys(after, int)
    if not 0 <= seq < 1 << 63:
        raise BadCursor("The list cannot go on from here.", hint="Send the `next` of the page before, unchanged.")
    return int(seq)


def _cursor(following: int | None) -> str | None:
    return None if following is None else cursor(following)


def _download(parts: Iterator[bytes], name: str, format_: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{_ENDINGS.get(format_, format_)}"'}
    return StreamingResponse(_blocks(parts), media_type=_KINDS_OUT[format_], headers=headers)


def _blocks(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Gather lines: each part sent costs a hop between threads, five times what making a line does."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
