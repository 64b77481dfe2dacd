"""The clinic and the ward of the integration tests, under attack."""

from tests.integration.cycle.conftest import clinic, ward

__all__ = ["clinic", "ward"]
