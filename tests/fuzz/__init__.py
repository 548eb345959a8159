"""Inputs nobody would write, for a bounded time: `./dev fuzz`. See `tests/fuzz/__main__.py`."""
