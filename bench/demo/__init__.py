"""The default demo as a user starts it: how long it takes, what it holds, and that a seed repeats it."""
