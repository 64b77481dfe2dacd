"""The ways in: command line, Python, HTTP. Each says the same verbs."""
