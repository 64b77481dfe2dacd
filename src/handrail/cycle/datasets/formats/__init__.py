"""The languages of the field: each module reads and writes one format, as a stream, knowing no database."""
