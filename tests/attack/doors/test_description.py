"""The description of the API is exact: what it promises is what the real application does, whatever is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from handrail.app import running
from handrail.doors.api import create
from handrail.foundation.http import reach
from handrail.foundation.settings import Settings
from tests.integration.lived_in import live

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
_EXAMPLES = 6
# They end what the others need: the session or the project's automation, and training takes seconds each time.
_APART = {("POST", "/api/v1/projects/{project}/runs")}


@schemathesis.serializer("application/x-ndjson")
def _lines(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str], dict[str, str]]]:
    """Give the description of a lived-in home, what proves that an owner calls, and ids that exist."""
    home = tmp_path_factory.mktemp("described") / "home"
    with running(Settings(home=home, demo=True)) as system:
        lived = live(system)
        _, secret = system.identity.tokens.make(system.identity.local(), "test", "owner")
        document = schemathesis.openapi.from_asgi(
            "/api/v1/openapi.json", create(system, reach(host="127.0.0.1", port=0, names=["testserver"]))
        )
        known = {"project": "clinic", "decision_id": lived.decisions[0], "model_id": lived.model}
        yield document, {"Authorization": f"Bearer {secret}"}, known


# The library draws in its own way while it makes cases; that is its affair.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
def test_every_answer_is_as_described(
    described: tuple[Any, dict[str, str], dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    document, headers, known = described
    caplog.set_level(logging.CRITICAL)
    seen = 0
    for found in document.get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) in _APART:
            continue
        _call(operation, headers, known)
        seen += 1
    assert seen > 70


def _call(operation: Any, headers: dict[str, str], known: dict[str, str]) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any) -> None:
        for name, value in known.items():
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = value
        case.headers = {**dict(case.headers or {}), **headers}
        case.validate_response(case.call(), checks=list(CHECKS))

    check()
