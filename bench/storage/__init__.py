"""The storage part of a decision: its four rows in one durable transaction, beside plain sqlite3."""
