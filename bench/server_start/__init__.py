"""How long a server takes to its first page, and what it needs while nobody calls."""
