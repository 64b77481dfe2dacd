"""The command line: `handrail`. Every command takes --json and then ends with one JSON object on the last line."""

from handrail.doors.cli.commands import app, main

__all__ = ["app", "main"]
