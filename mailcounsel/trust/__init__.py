"""Whose key, whose address, and who may read."""
