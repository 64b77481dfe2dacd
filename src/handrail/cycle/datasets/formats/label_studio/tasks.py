"""Tasks of Label Studio with their annotations and predictions, in and out. Pure.

A task that goes out as it came in is the same to the last key: its own JSON is kept beside the item, and what was said
in Handrail since is one more annotation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from handrail.cycle.datasets.formats.entries import Stopped, entries
from handrail.cycle.datasets.formats.label_studio.parts import Config, Shown
from handrail.cycle.datasets.formats.label_studio.results import results_of
from handrail.cycle.datasets.formats.label_studio.values import Problem, values_of
from handrail.cycle.datasets.formats.record import Answered, AnswerKind, Found, Record, agreed, bare, name_of, refused
from handrail.cycle.datasets.reading import Unread
from handrail.foundation.canonical import encode

MARK = "handrail"
"""Key in the meta of a task that names the item it came from."""


def read_tasks(chunks: Iterable[bytes], config: Config) -> Iterator[Found]:
    """Yield the tasks of a file: a JSON list, JSON lines, or one task."""
    try:
        for entry in entries(chunks):
            yield read_task(config, entry.content, entry.line)
    except Stopped as stopped:
        yield Unread(stopped.line, stopped.reason)


def read_task(config: Config, task: Any, line: int = 0) -> Found:
    """Return one task; every result that the configuration or the schema cannot say refuses it."""
    if not isinstance(task, Mapping):
        return refused(line, [("", "is not a task: an object with data")])
    whole = task if isinstance(task.get("data"), Mapping) else {"data": task}
    raw = whole["data"]
    problems: list[Problem] = []
    data = _data(config, raw, problems)
    answers: list[Answered] = []
    for word, kind in (("annotations", "annotation"), ("completions", "annotation"), ("predictions", "prediction")):
        for place, one in enumerate(_list(whole, word, problems)):
            answer = _answer(config, one, raw, kind, f"{word}[{place}]", problems)  # type: ignore[arg-type]
            if answer is not None:
                answers.append(answer)
    if problems:
        return refused(line, problems)
    origin = dict(whole) if whole is task else None
    return Record(line, _name(whole), data, agreed(answers), tuple(answers), origin)


def _name(task: Mapping[str, Any]) -> str:
    meta = task.get("meta")
    mark = meta.get(MARK) if isinstance(meta, Mapping) else None
    if isinstance(mark, Mapping) and isinstance(mark.get("external_id"), str):
        return str(mark["external_id"])
    found = task.get("id")
    return str(found) if isinstance(found, int | str) and found != "" else name_of(task["data"])


def _list(task: Mapping[str, Any], word: str, problems: list[Problem]) -> Sequence[Any]:
    found = task.get(word) or []
    if isinstance(found, list):
        return found
    problems.append((word, "is not a list"))
    return []


def _data(config: Config, raw: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the fields of the task; a key that the configuration does not show stays in the origin."""
    objects = {one.field: one for one in config.objects}
    data: dict[str, Any] = {}
    for field in config.fields:
        name = field["name"]
        shown = objects.get(name)
        value = raw.get(name if shown is None else shown.key)
        if value is None:
            continue
        try:
            data[name] = _field_in(shown, field["type"], value)
        except ValueError as error:
            problems.append((name, str(error)))
    return data


def _field_in(shown: Shown | None, type_: str, value: Any) -> Any:
    if type_ == "conversation" and shown is not None:
        return _turns(shown, value)
    if type_ == "time_series" and isinstance(value, Mapping):
        return {"columns": dict(value)}
    if type_ in ("text", "html") and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _turns(shown: Shown, value: Any) -> Any:
    if not isinstance(value, list):
        return value  # an address
    turns = []
    for turn in value:
        if not isinstance(turn, Mapping) or not isinstance(turn.get(shown.text_key), str):
            raise ValueError(f"has a turn without {shown.text_key}")
        turns.append({"role": str(turn.get(shown.role_key, "")), "text": turn[shown.text_key]})
    return turns


def _answer(
    config: Config, one: Any, raw: Mapping[str, Any], kind: AnswerKind, place: str, problems: list[Problem]
) -> Answered | None:
    if not isinstance(one, Mapping):
        problems.append((place, "is not an object"))
        return None
    said = values_of(config, one.get("result", []), raw)
    problems.extend((f"{place}.{name}", reason) for name, reason in said.problems)
    if one.get("was_cancelled") is True or not said.values:
        return None  # skipped by its annotator; it stays in the origin
    who = one.get("model_version") if kind == "prediction" else one.get("completed_by")
    if isinstance(who, Mapping):
        who = who.get("email") or who.get("id")
    score = one.get("score")
    return Answered(
        kind=kind,
        who="" if who is None else str(who)[:200],
        values=said.values,
        score=float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
        at=_moment(one.get("updated_at") or one.get("created_at")),
        counts=one.get("ground_truth") is True,
    )


def _moment(text: Any) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return ""
    return text if moment.tzinfo is not None else ""


# Out


def write_task(config: Config, record: Record) -> dict[str, Any]:
    """Return a record as a task: as it came in where it came from Label Studio, with what was said since."""
    origin = record.origin
    if origin is None:
        task = _new_task(config, record)
        known: Mapping[str, Any] = {}
    else:
        task = json.loads(json.dumps(origin))
        came = read_task(config, origin)
        known = came.labels if isinstance(came, Record) else {}
    if not same(known, record.labels):
        data = task["data"]
        made = {"result": results_of(config, record.labels, data), "ground_truth": True, "was_cancelled": False}
        if made["result"]:
            task["annotations"] = [*(task.get("annotations") or []), made]
    return task


def same(known: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Return whether two sets of labels say the same; numbers are floats in one and may be whole in the other."""
    return known.keys() == labels.keys() and all(
        encode(_plain(bare(known[name]))) == encode(_plain(bare(labels[name]))) for name in known
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _new_task(config: Config, record: Record) -> dict[str, Any]:
    objects = {one.field: one for one in config.objects}
    data = {}
    for name, value in record.data.items():
        shown = objects.get(name)
        data[name if shown is None else shown.key] = _field_out(shown, value)
    task: dict[str, Any] = {"data": data, "annotations": [], "predictions": []}
    if (
        record.external_id.isdecimal()
        and len(record.external_id) < 16
        and str(int(record.external_id)) == record.external_id
    ):
        task = {"id": int(record.external_id)} | task
    task["meta"] = {MARK: {"external_id": record.external_id}}
    for one in record.answers:
        if one.kind == "prediction":
            made: dict[str, Any] = {"model_version": one.who, "result": results_of(config, one.values, data)}
            task["predictions"].append(made if one.score is None else made | {"score": one.score})
    return task


def _field_out(shown: Shown | None, value: Any) -> Any:
    if shown is None:
        return value
    if shown.type == "conversation" and isinstance(value, list):
        return [{shown.role_key: turn.get("role", ""), shown.text_key: turn.get("text", "")} for turn in value]
    if shown.type == "time_series" and isinstance(value, Mapping):
        return dict(value.get("columns", value))
    return value


def write_tasks(config: Config, records: Iterable[Record]) -> Iterator[bytes]:
    """Yield a JSON list of tasks, one to a line."""
    start = b"[\n"
    for record in records:
        text = json.dumps(write_task(config, record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        yield start + text.encode()
        start = b",\n"
    yield b"[]\n" if start == b"[\n" else b"\n]\n"
