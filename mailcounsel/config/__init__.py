"""What the centre's `config.toml` says.

`load` reads the file and returns a frozen `Config`, or raises `ConfigError` with every problem
at once. pydantic takes a fifth of a second to import, so nothing of it is imported before a
configuration is really loaded: commands that only speak to the socket stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcounsel.config.fields import LANGUAGES
    from mailcounsel.config.loading import load
    from mailcounsel.config.models import Config
    from mailcounsel.config.people import Person, PriorityPromise, Queue, Rule
    from mailcounsel.config.secrets import Secret, SecretValue
    from mailcounsel.config.servers import Imap, Inbox, Smarthost, Smtp
    from mailcounsel.config.spans import Span
    from mailcounsel.config.tables import Centre, Emergency, Hours, Limits, Store, Working

_HOMES = {
    "Centre": "tables",
    "Config": "models",
    "Emergency": "tables",
    "Hours": "tables",
    "Imap": "servers",
    "Inbox": "servers",
    "LANGUAGES": "fields",
    "Limits": "tables",
    "Person": "people",
    "PriorityPromise": "people",
    "Queue": "people",
    "Rule": "people",
    "Secret": "secrets",
    "SecretValue": "secrets",
    "Smarthost": "servers",
    "Smtp": "servers",
    "Span": "spans",
    "Store": "tables",
    "Working": "tables",
    "load": "loading",
}

__all__ = [
    "LANGUAGES",
    "Centre",
    "Config",
    "Emergency",
    "Hours",
    "Imap",
    "Inbox",
    "Limits",
    "Person",
    "PriorityPromise",
    "Queue",
    "Rule",
    "Secret",
    "SecretValue",
    "Smarthost",
    "Smtp",
    "Span",
    "Store",
    "Working",
    "load",
]


def __getattr__(name: str) -> object:
    """Import a name of this package when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"mailcounsel.config.{_HOMES[name]}"), name)
