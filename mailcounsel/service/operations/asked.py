"""What a client is to be asked about, as a request says it: a goal, a practice, a questionnaire."""

from __future__ import annotations

from mailcounsel.casework.goals import NewGoal
from mailcounsel.service.control import Parameters, data, number, text


def new_goal(
    parameters: Parameters,
    asks: str,
    *,
    label: str = "label",
    every: str | None = None,
    at: str | None = None,
) -> NewGoal:
    """Return what a request wants a client asked about.

    `label` names the parameter that is released for check-ins; `every` and `at` are the rhythm
    where the request names none. Raises: Refused for what is missing.
    """
    return NewGoal(
        id=text(parameters, "goal"),
        text=text(parameters, label),
        detail=data(parameters, "detail"),
        epoch=number(parameters, "epoch"),
        every=text(parameters, "every", every),
        at=text(parameters, "at", at),
        asks=asks,
        praise=text(parameters, "praise", ""),
    )
