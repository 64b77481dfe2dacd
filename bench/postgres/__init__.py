"""The storage part of a decision on PostgreSQL."""
