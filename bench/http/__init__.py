"""Decisions over HTTP: CPU of the server's process."""
