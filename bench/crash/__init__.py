"""Decisions under kill -9, two servers and wrong clocks: none lost, doubled or overwritten late; the brake holds."""
