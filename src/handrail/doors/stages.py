"""What the loop page says of each stage: one figure, one fact, one state, in the words of a reader. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel

State = Literal["auto", "pending", "decided", "blocked", "warned", "braked", "expired", "running"]

NARROW = "\u202f"  # narrow no-break space: in thousands and before the per cent sign
DASH = "\u2013"
_MOST_DECIMALS = 4
_SHOWN: dict[str, State] = {"auto": "auto", "warned": "warned", "braked": "braked", "stopped": "braked"}
_AUTOMATION = {
    "shadow": "people decide",
    "certifying": "people decide, certifying",
    "auto": "the model decides above its threshold",
    "warned": "automatic, warned",
    "braked": "braked, people decide",
    "stopped": "stopped by a person",
}
# A blind check looks like any other label, also in a count.
_WORK = {"audit": "label", "sign_off": "signature"}


class Stage(BaseModel):
    """One stage of the ring."""

    key: Literal["prepare", "train", "review", "feedback", "watch"]
    title: str
    figure: str
    detail: str
    state: State
    state_text: str


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 label`, `2 428 labels`."""
    return f"{grouped(number)} " + (one if number == 1 else many or f"{one}s")


def grouped(number: int) -> str:
    """Return a count as it is read: `2 428`."""
    return f"{number:,}".replace(",", NARROW)


def percent(share: float, decimals: int, *, sign: str = f"{NARROW}%") -> str:
    """Return a share as per cent; only everything is 100 and only nothing is 0."""
    text = f"{share * 100:.{decimals}f}"
    rounded_away = 0 < share < 1 and float(text) in (0, 100)
    return percent(share, decimals + 1, sign=sign) if rounded_away and decimals < _MOST_DECIMALS else text + sign


def _decimals(width: float) -> int:
    """Return how many decimals of a per cent an interval of this width supports."""
    return 0 if width >= 0.03 else 1 if width >= 0.003 else 2


def prepare(items: int, labels: Mapping[str, int], waiting: int) -> Stage:
    """Tell how much there is to learn from; `waiting` labels are in no commit yet."""
    total = sum(labels.values())
    return Stage(
        key="prepare",
        title="Prepare",
        figure=counted(total, "label"),
        detail=f"of {counted(items, 'item')}" + ("" if len(labels) < 2 else f", {len(labels)} questions"),
        state="decided" if items else "pending",
        state_text=f"{grouped(total - waiting)} in a commit" if items else "add items",
    )


def train(name: str | None, commit: str, accuracy: Mapping[str, Any] | None, running: bool) -> Stage:
    """Tell how good the champion is on items it has not learned from: the share right, its interval, n."""
    if name is None:
        figure, detail = "no model", "label items, then train"
    elif accuracy is None:
        figure, detail = name, f"commit {commit[:7]}; not measured on held-out items"
    else:
        decimals = _decimals(accuracy["high"] - accuracy["low"])
        figure = f"{percent(accuracy['value'], decimals)} right"
        low, high = percent(accuracy["low"], decimals, sign=""), percent(accuracy["high"], decimals)
        level = percent(accuracy["level"], 0)
        detail = f"{name}, {low}{DASH}{high} ({level} interval), n = {accuracy['n']} held out"
    return Stage(
        key="train",
        title="Train",
        figure=figure,
        detail=detail,
        state="running" if running else "pending" if name is None else "decided",
        state_text="trains" if running else "waits for labels" if name is None else "champion",
    )


def review(open_by_kind: Mapping[str, int], automation: str, groups: Sequence[str] = ()) -> Stage:
    """Tell how much waits for people, and who decides what arrives now.

    `groups`: the state of each group of the certificate in force; while the whole is on, it is told by group.
    """
    kinds: dict[str, int] = {}
    for kind, number in open_by_kind.items():
        word = _WORK.get(kind, kind.replace("_", " "))
        kinds[word] = kinds.get(word, 0) + number
    waiting = sum(kinds.values())
    on = automation in ("auto", "warned")
    return Stage(
        key="review",
        title="Decide and review",
        figure=f"{counted(waiting, 'open task')}",
        detail=", ".join(counted(number, word) for word, number in kinds.items() if number) or "nothing waits",
        state="warned" if on and "braked" in groups else _SHOWN.get(automation, "pending"),
        state_text=by_group(groups) if on and groups else _AUTOMATION.get(automation, automation),
    )


def by_group(groups: Sequence[str]) -> str:
    """Return how many groups are automatic, with people and braked: `2 groups automatic, 1 with people`."""
    automatic = sum(one in ("auto", "warned") for one in groups)
    parts = {
        "of them warned": groups.count("warned"),
        "with people": groups.count("human"),
        "braked": groups.count("braked"),
    }
    told = [f"{grouped(number)} {word}" for word, number in parts.items() if number]
    return ", ".join([f"{counted(automatic, 'group')} automatic", *told])


def feedback(waiting: int) -> Stage:
    """Tell how many verdicts no model has learned from."""
    return Stage(
        key="feedback",
        title="Feed back",
        figure=counted(waiting, "verdict"),
        detail="since the last commit",
        state="pending" if waiting else "decided",
        state_text="wait for a commit" if waiting else "all in a commit",
    )


def watch(alarms: int, sentence: str, campaign: tuple[int, int] | None, days: int) -> Stage:
    """Tell what differs: `alarms` that are open or have a campaign under way, with (answered, wanted) of the newest.

    `days` counts the days profiled lately.
    """
    if alarms == 0:
        detail = f"{counted(days, 'day')} profiled" if days else "no day profiled yet"
        return Stage(key="watch", title="Watch", figure="0 alarms", detail=detail, state="decided", state_text="quiet")
    return Stage(
        key="watch",
        title="Watch",
        figure=counted(alarms, "alarm"),
        detail=sentence,
        state="warned",
        state_text="no campaign yet" if campaign is None else f"campaign, {campaign[0]} of {campaign[1]}",
    )
