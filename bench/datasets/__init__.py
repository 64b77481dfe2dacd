"""What a version of a dataset costs."""
