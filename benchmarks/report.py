"""One line a figure, so that two runs can be laid side by side."""

from __future__ import annotations


def show(name: str, aim: str, **figures: str) -> None:
    """Print a measurement with its figures in order, and what it aims at."""
    shown = "   ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
    print(f"{name:8} {shown}   (aim {aim})", flush=True)
