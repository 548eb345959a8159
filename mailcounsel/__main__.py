"""The program: `mailcounsel`, or `python -m mailcounsel`."""

from __future__ import annotations

from mailcounsel.cli.main import main

if __name__ == "__main__":
    main()
