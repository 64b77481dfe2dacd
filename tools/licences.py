"""Nothing that is installed or shipped with Handrail has a licence that we did not allow.

The rules are in tools/licences.toml: SPDX identifiers, then packages by name with the reason. Run-time packages
(the core dependencies, and what the web build bundles) and development packages are judged apart.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from tools.locks import closure, core_requirements, normal
from tools.tree import ROOT, Finding

RULE = "licence"
_FILE = "tools/licences.toml"
# The names that older metadata uses (trove classifiers and free text), and the identifier each of them means.
_MEANS = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_LONGEST_ID = 40


@dataclass(frozen=True)
class Package:
    """One package and what it says about its licence: an SPDX expression, or empty when it says nothing usable."""

    name: str
    says: str


def check(root: Path = ROOT) -> list[Finding]:
    """Judge the Python packages installed here and the npm packages of the lock file."""
    with (root / _FILE).open("rb") as file:
        allowed = tomllib.load(file)
    core = closure(core_requirements(root))
    locked = _locked(root / "requirements" / "dev.txt") | _locked(root / "requirements" / "build.txt")
    findings = judge("Python run time", python_packages(core), allowed["runtime"], allowed["python"])
    findings += judge("Python development", python_packages(locked - set(core)), _both(allowed), allowed["python_dev"])
    lock = root / "web" / "package-lock.json"
    if lock.is_file():
        shipped, building = npm_packages(json.loads(lock.read_text(encoding="utf-8")))
        findings += judge("npm run time", shipped, allowed["runtime"], allowed["npm"])
        findings += judge("npm development", building, _both(allowed), allowed["npm_dev"])
    return findings


def _both(allowed: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"ids": [*allowed["runtime"]["ids"], *allowed["development"]["ids"]]}


def judge(
    where: str, packages: Iterable[Package], allowed: Mapping[str, Any], by_name: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    """Return packages whose licence is not allowed, and names that were allowed and are not there any more."""
    findings = []
    ids = set(allowed["ids"])
    unused = set(by_name)
    for package in packages:
        if package.name in by_name:
            unused.discard(package.name)
        elif not package.says:
            findings.append(Finding(_FILE, 0, RULE, f"{where}: {package.name} states no licence; read it and list it"))
        elif not satisfied(package.says, ids):
            sentence = f"{where}: {package.name} is under {package.says}, which is not allowed"
            findings.append(Finding(_FILE, 0, RULE, sentence))
    for name in sorted(unused):
        findings.append(Finding(_FILE, 0, RULE, f"{where}: {name} is allowed by name and is not there any more"))
    for name, entry in by_name.items():
        if not entry.get("licence") or not entry.get("reason"):
            findings.append(Finding(_FILE, 0, RULE, f"{where}: {name} needs a licence and a reason"))
    return findings


def satisfied(expression: str, ids: set[str]) -> bool:
    """True when an SPDX expression can be met with the allowed identifiers; AND binds closer than OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression)
    value, rest = _either(tokens, ids)
    return value and not rest


def _either(tokens: list[str], ids: set[str]) -> tuple[bool, list[str]]:
    value, tokens = _all(tokens, ids)
    while tokens and tokens[0].upper() == "OR":
        other, tokens = _all(tokens[1:], ids)
        value = value or other
    return value, tokens


def _all(tokens: list[str], ids: set[str]) -> tuple[bool, list[str]]:
    value, tokens = _one(tokens, ids)
    while tokens and tokens[0].upper() == "AND":
        other, tokens = _one(tokens[1:], ids)
        value = value and other
    return value, tokens


def _one(tokens: list[str], ids: set[str]) -> tuple[bool, list[str]]:
    if not tokens:
        return False, []
    if tokens[0] == "(":
        value, rest = _either(tokens[1:], ids)
        return (value, rest[1:]) if rest[:1] == [")"] else (False, rest)
    if len(tokens) > 2 and tokens[1].upper() == "WITH":
        return f"{tokens[0]} WITH {tokens[2]}" in ids, tokens[3:]
    return tokens[0] in ids, tokens[1:]


def python_packages(names: Iterable[str]) -> list[Package]:
    """Read the licence of installed packages from their metadata."""
    found = []
    for name in sorted(names):
        metadata: Message = importlib.metadata.metadata(name)  # type: ignore[assignment]
        classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
        found.append(Package(name, _says(metadata.get("License-Expression"), metadata.get("License"), classifiers)))
    return found


def _says(expression: str | None, free: str | None, classifiers: Iterable[str]) -> str:
    if expression:
        return expression
    text = (free or "").strip()
    if len(text) <= _LONGEST_ID:
        if text.lower() in _MEANS:
            return _MEANS[text.lower()]
        if _ID.fullmatch(text) and text not in ("BSD", "Apache", "UNKNOWN"):
            return text
    meant = [_MEANS.get(text.rpartition("::")[2].strip().lower(), "") for text in classifiers]
    return " OR ".join(meant) if meant and all(meant) else ""


def npm_packages(lock: Mapping[str, Any]) -> tuple[list[Package], list[Package]]:
    """Return (packages that are bundled, packages that only build and test) of a package-lock.json."""
    shipped: dict[str, Package] = {}
    building: dict[str, Package] = {}
    for place, entry in lock["packages"].items():
        if place:
            package = Package(place.rpartition("node_modules/")[2], str(entry.get("license", "")))
            (building if entry.get("dev") or entry.get("devOptional") else shipped)[package.name] = package
    return list(shipped.values()), list(building.values())


def _locked(path: Path) -> set[str]:
    pins = (line.partition("==")[0] for line in path.read_text(encoding="utf-8").splitlines() if "==" in line)
    return {normal(pin) for pin in pins}
