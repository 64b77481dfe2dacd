"""Our own checks and small commands; nothing here is part of the installed package."""
