"""Whole stories on real data, written on the public package alone."""
