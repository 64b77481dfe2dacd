"""One folder for each claim."""
