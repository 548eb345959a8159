"""Look at the service's parts from outside, when no service runs, as far as this account may."""

from __future__ import annotations

import contextlib
from datetime import datetime

from mailcounsel.config import Config
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.service import app, checks
from mailcounsel.service.checks import Finding, bad, good
from mailcounsel.store.engine import Store

INIT = "mailcounsel init, as the service's account"
BRING_BACK = "Bring it back from your copy: see docs/backup.md. Do not make a new one."


def of_stopped(config: Config, now: datetime) -> list[Finding]:
    """Look at keys, store and mail servers, changing nothing."""
    keys = BRING_BACK if app.has_store(config) else INIT
    return [
        *checks.looked("keyring", keys, lambda: _keyring(config)),
        *_centre(config, keys, now),
        checks.memory(),
        *checks.disk(config),
        *checks.looked("store", checks.STORE, lambda: _store(config, now)),
        *checks.crisis_directory(config, now),
        *checks.of_servers(config),
    ]


def _keyring(config: Config) -> list[Finding]:
    app.open_office(config)
    return [good("keyring", "there, and can be read")]


def _centre(config: Config, fix: str, now: datetime) -> list[Finding]:
    with contextlib.ExitStack() as stack:

        def opened() -> Centre:
            return stack.enter_context(contextlib.closing(app.open_centre(config)))

        return checks.centre_key(opened, fix, now)


def _store(config: Config, now: datetime) -> list[Finding]:
    """Look into the store; a SQLite file that is not there is not made by looking."""
    is_new_file = (
        config.store.url is None and not (config.centre.state_dir / "mailcounsel.db").exists()
    )
    if is_new_file:
        return [bad("store", "there is none yet", INIT)]
    with contextlib.closing(Store(config.store_url)) as store:
        return [checks.shape(store), *checks.clocks(store, now)]
