"""All SQL of training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from handrail.cycle.train.model import ModelState, ModelVersion, Run, RunState
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import from_micros, micros
from handrail.foundation.storage import UnitOfWork, metadata

model_version = Table(
    "model_version",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("question", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("commit_id", String(64), nullable=False),
    Column("run_id", String(36)),
    Column("seed", BigInteger, nullable=False),
    Column("classes", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("out_of_fold", String(64), nullable=False),
    Column("rows", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "number"),
    UniqueConstraint("project_id", "run_id"),
)
Index(
    "one_champion",
    model_version.c.project_id,
    model_version.c.question,
    unique=True,
    sqlite_where=model_version.c.state == "champion",
    postgresql_where=model_version.c.state == "champion",
)

run = Table(
    "run",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("question", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", Double, nullable=False),
    Column("step", Text, nullable=False),
    Column("args", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("run_newest", "project_id", "created_at", "id"),
    Index("run_open", "state", "created_at"),
)

_MODEL_NAMES = [column.name for column in model_version.columns]
_MODELS = select(model_version).where(model_version.c.project_id == bindparam("project"))
_INSERT_MODEL = insert(model_version)
_MODEL = _MODELS.where(model_version.c.id == bindparam("by_id"))
_MODEL_OF_RUN = _MODELS.where(model_version.c.run_id == bindparam("by_run"))
_CHAMPION = _MODELS.where(model_version.c.question == bindparam("by_question"), model_version.c.state == "champion")
_MODELS_IN_ORDER = _MODELS.order_by(model_version.c.number)
_LAST_NUMBER = select(func.max(model_version.c.number)).where(model_version.c.project_id == bindparam("project"))
_SET_STATE = (
    update(model_version)
    .where(model_version.c.project_id == bindparam("project"), model_version.c.id == bindparam("by_id"))
    .values(state=bindparam("to"), changed_at=bindparam("at"))
)

_RUN_NAMES = [column.name for column in run.columns]
# every project: at a start the unfinished runs of all of them go on; each use below adds its own condition
_RUNS = select(run)
_INSERT_RUN = insert(run)
_RUN = _RUNS.where(run.c.project_id == bindparam("project"), run.c.id == bindparam("by_id"))
_NEWEST_RUNS = (
    _RUNS.where(run.c.project_id == bindparam("project"))
    .order_by(run.c.created_at.desc(), run.c.id.desc())
    .limit(bindparam("count"))
)
_OPEN = or_(run.c.state == "queued", run.c.state == "running")
# every project: the server starts again what it had promised before it went down
_OPEN_RUNS = _RUNS.where(_OPEN).order_by(run.c.created_at, run.c.id)
_UNDER_WAY = (
    _RUNS.where(
        run.c.project_id == bindparam("project"),
        run.c.workflow == bindparam("kind"),
        run.c.question == bindparam("by_question"),
        _OPEN,
    )
    .order_by(run.c.created_at, run.c.id)
    .limit(1)
)
_REPORT = (
    update(run)
    .where(run.c.project_id == bindparam("project"), run.c.id == bindparam("by_id"), _OPEN)
    .values(state="running", progress=bindparam("fraction"), step=bindparam("words"), changed_at=bindparam("at"))
)
_END = (
    update(run)
    .where(run.c.project_id == bindparam("project"), run.c.id == bindparam("by_id"), _OPEN)
    .values(
        state=bindparam("to"),
        progress=bindparam("fraction"),
        step="",
        result=bindparam("out"),
        error=bindparam("why"),
        changed_at=bindparam("at"),
    )
)


def insert_model(uow: UnitOfWork, model: ModelVersion) -> None:
    """Add a model version."""
    values = {name: getattr(model, name) for name in _MODEL_NAMES}
    for name in ("classes", "metrics", "card"):
        values[name] = encode(values[name])
    values["created_at"], values["changed_at"] = micros(model.created_at), micros(model.changed_at)
    uow.run(_INSERT_MODEL, **values)


def next_number(uow: UnitOfWork, scope: Scope) -> int:
    """Return the number of the next model version of the project."""
    return int(uow.run(_LAST_NUMBER, project=scope.project_id).scalar() or 0) + 1


def get_model(uow: UnitOfWork, scope: Scope, model_id: str) -> ModelVersion | None:
    """Return one model version or None."""
    return _one_model(uow.run(_MODEL, project=scope.project_id, by_id=model_id).first())


def model_of_run(uow: UnitOfWork, scope: Scope, run_id: str) -> ModelVersion | None:
    """Return the model version that a run has made, or None."""
    return _one_model(uow.run(_MODEL_OF_RUN, project=scope.project_id, by_run=run_id).first())


def get_champion(uow: UnitOfWork, scope: Scope, question: str) -> ModelVersion | None:
    """Return the champion of a question or None."""
    return _one_model(uow.run(_CHAMPION, project=scope.project_id, by_question=question).first())


def list_models(uow: UnitOfWork, scope: Scope) -> list[ModelVersion]:
    """Return every model version of the project, oldest first."""
    return [_model(row) for row in uow.run(_MODELS_IN_ORDER, project=scope.project_id).all()]


def set_model_state(uow: UnitOfWork, scope: Scope, model_id: str, state: ModelState, at: int) -> None:
    """Change the state of a model version; `at` in microseconds."""
    uow.run(_SET_STATE, project=scope.project_id, by_id=model_id, to=state, at=at)


def insert_run(uow: UnitOfWork, one: Run) -> None:
    """Add a run."""
    values = {name: getattr(one, name) for name in _RUN_NAMES}
    values["args"], values["result"] = encode(dict(one.args)), encode(dict(one.result))
    values["created_at"], values["changed_at"] = micros(one.created_at), micros(one.changed_at)
    uow.run(_INSERT_RUN, **values)


def get_run(uow: UnitOfWork, scope: Scope, run_id: str) -> Run | None:
    """Return one run or None."""
    row = uow.run(_RUN, project=scope.project_id, by_id=run_id).first()
    return None if row is None else _run(row)


def newest_runs(uow: UnitOfWork, scope: Scope, limit: int) -> list[Run]:
    """Return the newest runs of the project first."""
    return [_run(row) for row in uow.run(_NEWEST_RUNS, project=scope.project_id, count=limit).all()]


def open_runs(uow: UnitOfWork) -> list[Run]:
    """Return the runs of every project that have not ended, oldest first."""
    return [_run(row) for row in uow.run(_OPEN_RUNS).all()]


def run_under_way(uow: UnitOfWork, scope: Scope, workflow: str, question: str) -> Run | None:
    """Return the oldest run of a kind and question that has not ended, or None."""
    row = uow.run(_UNDER_WAY, project=scope.project_id, kind=workflow, by_question=question).first()
    return None if row is None else _run(row)


def report_run(uow: UnitOfWork, scope: Scope, run_id: str, fraction: float, step: str, at: int) -> None:
    """Keep how far a run is, unless it has ended; `at` in microseconds."""
    uow.run(_REPORT, project=scope.project_id, by_id=run_id, fraction=fraction, words=step, at=at)


def end_run(
    uow: UnitOfWork, scope: Scope, run_id: str, state: RunState, result: Mapping[str, Any], error: str, at: int
) -> bool:
    """End a run and return True, or False when it had ended already; `at` in microseconds."""
    one = get_run(uow, scope, run_id)
    if one is None:
        return False
    fraction = 1.0 if state == "done" else one.progress
    values = {"to": state, "fraction": fraction, "out": encode(dict(result)), "why": error, "at": at}
    return uow.run(_END, project=scope.project_id, by_id=run_id, **values).rowcount == 1


def _one_model(row: tuple[Any, ...] | None) -> ModelVersion | None:
    return None if row is None else _model(row)


def _model(row: tuple[Any, ...]) -> ModelVersion:
    values = dict(zip(_MODEL_NAMES, row, strict=True))
    for name in ("metrics", "card"):
        values[name] = json.loads(values[name])
    values["classes"] = tuple(json.loads(values["classes"]))
    values["created_at"], values["changed_at"] = from_micros(values["created_at"]), from_micros(values["changed_at"])
    return ModelVersion(**values)


def _run(row: tuple[Any, ...]) -> Run:
    values = dict(zip(_RUN_NAMES, row, strict=True))
    values["args"], values["result"] = json.loads(values["args"]), json.loads(values["result"])
    values["created_at"], values["changed_at"] = from_micros(values["created_at"]), from_micros(values["changed_at"])
    return Run(**values)
