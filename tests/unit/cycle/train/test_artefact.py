"""Model files somebody made to hurt."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from handrail.cycle.train import artefact
from handrail.cycle.train.artefact import UntrustedArtefact
from handrail.foundation.errors import Broken


def model() -> dict[str, Any]:
    classifier = LogisticRegression().fit(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
    return {"format": "handrail.tabular/1", "classifier": classifier, "classes": ["a", 1, True, None, 2.5]}


def rebuilt(change: Any = None, extra: dict[str, bytes] | None = None) -> bytes:
    with zipfile.ZipFile(io.BytesIO(artefact.dump(model()))) as source:
        contents = {name: source.read(name) for name in source.namelist()}
    if change is not None:
        schema = json.loads(contents["schema.json"])
        change(schema)
        contents["schema.json"] = json.dumps(schema).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, content in {**contents, **(extra or {})}.items():
            made.writestr(name, content)
    return target.getvalue()


def test_a_rebuilt_file_without_a_change_is_accepted() -> None:
    assert artefact.load(rebuilt())["classes"] == ["a", 1, True, None, 2.5]


def test_a_type_of_the_same_library_that_is_not_ours_is_refused_although_the_library_trusts_it() -> None:
    content = skops.io.dumps({"m": GaussianNB()})
    assert skops.io.get_untrusted_types(data=content) == []
    with pytest.raises(UntrustedArtefact, match="GaussianNB"):
        artefact.load(content)


@pytest.mark.parametrize(
    ("module", "name", "loader"),
    [("os", "system", "FunctionNode"), ("builtins", "eval", "TypeNode"), ("builtins", "dict", "ObjectNode"),
     ("sklearn.pipeline", "Pipeline", "TypeNode"), ("operator", "methodcaller", "OperatorFuncNode"),
     ("builtins", "list", "ReduceNode"), (None, None, "JsonNode"), ("builtins", "str", "CachedNode")],
)  # fmt: skip
def test_every_other_type_is_refused_wherever_it_stands(module: str | None, name: str | None, loader: str) -> None:
    node = {"__module__": module, "__class__": name, "__loader__": loader, "content": "1", "is_json": True}

    def outer(schema: dict[str, Any]) -> None:
        schema.update(node)

    def inner(schema: dict[str, Any]) -> None:
        schema["content"]["classifier"]["content"]["content"]["coef_"] = node

    def hidden(schema: dict[str, Any]) -> None:
        schema["content"]["classes"]["content"][0]["surplus"] = [{"deep": node}]

    for change in (outer, inner, hidden):
        with pytest.raises(UntrustedArtefact):
            artefact.load(rebuilt(change))


def test_the_file_cannot_add_to_the_list() -> None:
    def change(schema: dict[str, Any]) -> None:
        schema["trusted"] = ["os.system"]
        schema["content"]["classifier"]["__class__"] = "LogisticRegressionCV"

    with pytest.raises(UntrustedArtefact, match="LogisticRegressionCV"):
        artefact.load(rebuilt(change))


@pytest.mark.parametrize("name", ["../0.npy", "/0.npy", "0.py", "a.npy", "0.npy.npy", "schema.json/x", "٣.npy"])
def test_entries_no_model_has(name: str) -> None:
    with pytest.raises(UntrustedArtefact, match="entry"):
        artefact.load(rebuilt(extra={name: b""}))


def test_a_pickle_inside_an_array_is_not_read(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> Any:
            return (open, (str(tmp_path / "ran"), "w"))

    buffer = io.BytesIO()
    np.save(buffer, np.array([Payload()], dtype=object), allow_pickle=True)
    with pytest.raises(UntrustedArtefact):
        artefact.load(rebuilt(extra={"0.npy": buffer.getvalue()}))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"\x80\x05K\x01.", rebuilt()[:-200]])
def test_no_zip_at_all(content: bytes) -> None:
    with pytest.raises(UntrustedArtefact):
        artefact.load(content)


def test_nesting_and_missing_parts() -> None:
    def deep(schema: dict[str, Any]) -> None:
        node: Any = 1
        for _ in range(300):
            node = [node]
        schema["deep"] = node

    with pytest.raises(UntrustedArtefact, match="deeply"):
        artefact.load(rebuilt(deep))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("0.npy", b"")
    with pytest.raises(UntrustedArtefact):
        artefact.load(target.getvalue())
    with pytest.raises(UntrustedArtefact, match="does not hold"):
        artefact.load(artefact.dump([1, 2]))  # type: ignore[arg-type]


def test_a_zip_that_unpacks_to_more_than_a_model_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "_LARGEST", 100)
    with pytest.raises(UntrustedArtefact, match="larger"):
        artefact.load(rebuilt())


def test_another_format() -> None:
    with pytest.raises(Broken, match="format"):
        artefact.open_model(rebuilt(), "handrail.tabular/2")
