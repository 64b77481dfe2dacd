"""Artefacts of models: skops files that are the same bytes for the same model, loaded only from a fixed list of types.

The list is ours and is part of the program. A file cannot add to it: every type that a file names is checked against it
before the library reads the file.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from skops.io import dumps, loads

from handrail.foundation.errors import Broken, HandrailError

_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LARGEST = 1 << 30
_LARGEST_SCHEMA = 64 << 20
_DEEPEST = 60

_TRUSTED = frozenset(
    {
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "tuple", "TupleNode"),
        ("builtins", "str", "JsonNode"),
        ("builtins", "str", "TypeNode"),
        ("numpy", "dtype", "DTypeNode"),
        ("numpy", "float64", "NdArrayNode"),
        ("numpy", "float64", "TypeNode"),
        ("numpy", "ndarray", "NdArrayNode"),
        ("sklearn.impute._base", "SimpleImputer", "ObjectNode"),
        ("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode"),
        ("sklearn.pipeline", "Pipeline", "ObjectNode"),
        ("sklearn.preprocessing._data", "StandardScaler", "ObjectNode"),
        ("sklearn.preprocessing._encoders", "OneHotEncoder", "ObjectNode"),
    }
)
"""(module, class, how it is read): nothing else is ever loaded."""


class UntrustedArtefact(HandrailError):
    """A model file names a type that Handrail does not load, or is not built as a model file must be."""

    code = "train.untrusted_artefact"
    status = 422


def dump(parts: dict[str, Any]) -> bytes:
    """Return the artefact of a model: equal parts give equal bytes, in every process.

    The library names entries by memory addresses and stamps them with the time; both are replaced here.
    """
    with zipfile.ZipFile(io.BytesIO(dumps(parts))) as made:
        schema = json.loads(made.read(_SCHEMA))
        numbers: dict[int, int] = {}
        files: dict[str, str] = {}
        _renumber(schema, numbers, files)
        contents = {new: made.read(old) for old, new in files.items()}
    contents[_SCHEMA] = json.dumps(schema, separators=(",", ":"), allow_nan=False).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_STORED) as normal:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.external_attr = 0o600 << 16
            entry.create_system = 3
            normal.writestr(entry, content)
    return target.getvalue()


def load(content: bytes) -> dict[str, Any]:
    """Return the parts of a model; raises UntrustedArtefact before anything of an unlisted type is touched."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            _check_entries(source)
            schema = json.loads(source.read(_SCHEMA))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, NotImplementedError) as error:
        raise UntrustedArtefact(f"This is not a model file: {error}") from None
    _check(schema, 0)
    try:
        parts = loads(content, trusted=sorted({f"{module}.{name}" for module, name, _ in _TRUSTED}))
    except Exception as error:  # noqa: BLE001  the edge of a library that reads a file somebody may have made
        raise UntrustedArtefact(f"This model file cannot be read: {error}") from None
    if not isinstance(parts, dict):
        raise UntrustedArtefact("This model file does not hold a model.")
    return parts


def open_model(content: bytes, *expected: str) -> dict[str, Any]:
    """Return the parts of a model whose format must be one of `expected`; raises UntrustedArtefact or Broken."""
    parts = load(content)
    if parts.get("format") not in expected:
        raise Broken(f"The model file has the format {parts.get('format')!r}, not {' or '.join(map(repr, expected))}.")
    return parts


def _check_entries(source: zipfile.ZipFile) -> None:
    entries = source.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise UntrustedArtefact("The model file holds an entry twice.")
    for entry in entries:
        stem, _, kind = entry.filename.partition(".")
        if entry.filename != _SCHEMA and not (stem.isascii() and stem.isdigit() and kind == "npy"):
            raise UntrustedArtefact("The model file holds an entry that no model has.", entry=entry.filename[:100])
    if sum(entry.file_size for entry in entries) > _LARGEST or source.getinfo(_SCHEMA).file_size > _LARGEST_SCHEMA:
        raise UntrustedArtefact("The model file is larger than a model may be.")


def _check(node: Any, depth: int) -> None:
    """Raise unless every type that the file names is on the list."""
    if depth > _DEEPEST:
        raise UntrustedArtefact("The model file is nested too deeply.")
    if isinstance(node, dict):
        if "__loader__" in node or "__class__" in node or "__module__" in node:
            named = (node.get("__module__"), node.get("__class__"), node.get("__loader__"))
            if named not in _TRUSTED:
                said = ".".join(str(part)[:100] for part in named[:2])
                raise UntrustedArtefact(
                    f"The model file names the type {said}, which is not loaded.",
                    hint="Models are loaded only from types that Handrail's own trainers make.",
                    type=said,
                )
        for inner in node.values():
            _check(inner, depth + 1)
    elif isinstance(node, list):
        for inner in node:
            _check(inner, depth + 1)


def _renumber(node: Any, numbers: dict[int, int], files: dict[str, str]) -> None:
    """Replace memory addresses by the order of their first appearance."""
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "__id__" and isinstance(inner, int):
                node[key] = numbers.setdefault(inner, len(numbers))
            elif key == "file" and isinstance(inner, str):
                node[key] = files.setdefault(inner, f"{len(files)}.npy")
            else:
                _renumber(inner, numbers, files)
    elif isinstance(node, list):
        for inner in node:
            _renumber(inner, numbers, files)
