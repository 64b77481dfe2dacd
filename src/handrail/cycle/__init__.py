"""The product: read the folders in the order of an item's life, and loop.py to see where the circle closes."""
