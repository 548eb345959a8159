"""`mailcounsel case progress`: a client's own numbers, put together where the case is open."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output

ASKED = "asks-progress"  # the flag that this answers


@click.command()
@click.argument("case")
@click.option("-m", "--message", default="", help="Your own words above the lines.")
@click.option("--send", is_flag=True, help="Send them to the client as a letter of yours.")
@click.option(
    "--plain", metavar="REASON", help="Send it as ordinary mail this once, and record why."
)
@output.json_option
@click.pass_obj
def progress(
    setting: client.Settings,
    case: str,
    *,
    message: str,
    send: bool,
    plain: str | None,
    as_json: bool,
) -> None:
    """Show a client's progress in ten lines of their own language, and send it with --send.

    Their goals with the numbers they gave, and what they practised; no score and no judgement. A
    client asks for it with the word PROGRESS or KEMAJUAN, and you decide whether to add words.

    \b
    Example: mailcounsel case progress C-0042 --send
    """
    from mailcounsel.cli import journey_view, reply, unlock
    from mailcounsel.practice import progress as telling

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        begun = service.call("reply.begin", case=opened.shown["case"])
        journey = journey_view.opened(service, opened).journey
    lines = telling.lines(journey, begun["language"])
    name = opened.shown["case"]
    if not send:
        output.emit({"case": name, "lines": lines}, as_json, lambda: "\n".join(lines))
        return
    words = reply.checked("\n\n".join(filter(None, (message.strip(), "\n".join(lines)))))
    reason = reply.reason_for(opened.shown, begun["ticket"]["channel"], plain)
    statement = reply.statement_of(begun, words, reason, activities=["support"])
    with client.connect(setting) as service:
        sent = service.call("reply.approve", **reply.signed(opened, statement))
        if ASKED in opened.shown["flags"]:
            service.call("case.clear", case=name, kind=ASKED)
    answer = {**sent, "case": name, "lines": lines, "channel": begun["ticket"]["channel"]}
    output.emit(answer, as_json, lambda: reply.said_of(answer, reason))
