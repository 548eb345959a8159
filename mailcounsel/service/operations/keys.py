"""The centre's own key, for clients to write to."""

from __future__ import annotations

from typing import Any

from mailcounsel.service.control import Parameters
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import b64


def show(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return the centre's certificate, and the name and addresses it goes with. Nothing secret."""
    config = desk.office.config
    inboxes = [
        {"address": inbox.address, "name": config.sender_name(inbox)} for inbox in config.inboxes
    ]
    certificate = b64(desk.centre.public_certificate())
    return {
        "fingerprint": desk.centre.fingerprint,
        "certificate": certificate,
        "inboxes": inboxes,
    }
