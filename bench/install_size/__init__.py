"""How much `pip install handrail` brings."""
