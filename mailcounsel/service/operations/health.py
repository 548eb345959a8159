"""How the parts are, as the service itself finds them: for `doctor`."""

from __future__ import annotations

from typing import Any

from mailcounsel import errors
from mailcounsel.service import checks, roundtrip, standing
from mailcounsel.service.control import Parameters, text
from mailcounsel.service.desk import Caller, Desk


def doctor(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Look at every part, connecting to the mail servers. Takes up to a minute."""
    return {"findings": checks.as_data(checks.of_running(desk))}


def config_standing(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say whether the configuration's file is in force, and who has to enrol for it."""
    if not caller.people:
        message = "This account is nobody in config.toml."
        raise errors.Refused(message)
    return standing.of_file(desk)


def roundtrip_send(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Mail one of our own addresses."""
    box = roundtrip.box_of(desk, text(parameters, "address"))
    return {"token": roundtrip.send(desk, box)}


def roundtrip_look(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say whether that mail is back, and what survived of it."""
    box = roundtrip.box_of(desk, text(parameters, "address"))
    return roundtrip.look(desk, box, text(parameters, "token"))
