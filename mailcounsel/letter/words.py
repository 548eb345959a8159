"""The single words a client may send back, and which languages have them.

The templates print these words and the recognition of commands by mail reads them, so both
take them from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "id": MappingProxyType(
            {
                "agree": "SETUJU",
                "stop": "BERHENTI",
                "pause": "JEDA",
                "resume": "LANJUT",
                "help": "BANTUAN",
                "key": "KUNCI",
                "counsellor": "GANTI",
                "progress": "KEMAJUAN",
                "copy": "SALINAN",
                "erase": "HAPUS",
                "morning": "PAGI",
                "evening": "MALAM",
            }
        ),
        "en": MappingProxyType(
            {
                "agree": "AGREE",
                "stop": "STOP",
                "pause": "PAUSE",
                "resume": "CONTINUE",
                "help": "HELP",
                "key": "KEY",
                "counsellor": "CHANGE",
                "progress": "PROGRESS",
                "copy": "COPY",
                "erase": "ERASE",
                "morning": "MORNING",
                "evening": "EVENING",
            }
        ),
    }
)


def word(language: str, meaning: str) -> str:
    """Return the word for *meaning* in *language*, in English where the language has none."""
    return WORDS.get(language, WORDS["en"])[meaning]
