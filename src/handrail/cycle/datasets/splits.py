"""Parts of a version for training, validation and test that share nobody and nothing alike. Pure.

Items that share a key (a person, a hospital, a text that is nearly the same) belong together, and so do those that
share one through others. Together they fall into one part, drawn by a hash of the seed and of the smallest name among
them: the same items give the same parts in every home, and a new item moves others only where it joins two groups.
Shares are those of groups, so that a part's rows come near its share when no group is large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from handrail.foundation.errors import Invalid

DEFAULT: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}


class SplitInvalid(Invalid):
    """The parts of a split are not named, or their shares do not make up one."""

    code = "datasets.split_invalid"


@dataclass(frozen=True)
class SplitWish:
    """A split to make: `by` names what a group shares: subject, group.NAME, or a field."""

    seed: int
    shares: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT))
    by: tuple[str, ...] = ("subject",)


def read_shares(text: str) -> dict[str, float]:
    """Return the shares of "train=0.8,test=0.2"; raises SplitInvalid."""
    shares: dict[str, float] = {}
    for one in text.split(","):
        name, _, share = one.strip().partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            raise SplitInvalid(f"{one.strip()[:80]!r} is no part with a share.", hint="train=0.8,test=0.2") from None
    check_shares(shares)
    return shares


def together(keys: Sequence[Sequence[str]]) -> list[int]:
    """Return for each item the index of the first item of its group; `keys[i]` are the keys of item i."""
    root = list(range(len(keys)))

    def find(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    first: dict[str, int] = {}
    for at, some in enumerate(keys):
        for key in some:
            a, b = find(at), find(first.setdefault(key, at))
            root[max(a, b)] = min(a, b)
    return [find(at) for at in range(len(keys))]


def split(names: Sequence[str], keys: Sequence[Sequence[str]], *, seed: int, shares: Mapping[str, float]) -> list[str]:
    """Return the part of each item, by the item's name in the data and its keys; raises SplitInvalid."""
    check_shares(shares)
    groups = together(keys)
    called: dict[int, str] = {}
    for name, group in zip(names, groups, strict=True):
        called[group] = min(name, called.get(group, name))
    parts = {group: _part(name, seed, shares) for group, name in called.items()}
    return [parts[group] for group in groups]


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise SplitInvalid unless there are parts with names and shares that make up one."""
    if not shares or any(not name or not 0 < share <= 1 for name, share in shares.items()):
        raise SplitInvalid("A split has parts with names, each with a share above 0.", hint="train=0.8 test=0.2")
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise SplitInvalid(f"The shares add up to {sum(shares.values()):g}, not to 1.")


def _part(name: str, seed: int, shares: Mapping[str, float]) -> str:
    drawn = int.from_bytes(sha256(f"{seed}\n{name}".encode()).digest()[:8], "big") / 2**64
    reached = 0.0
    for part, share in shares.items():
        reached += share
        if drawn < reached:
            return part
    return list(shares)[-1]
