"""Decisions at the door: how they are asked for and told."""
