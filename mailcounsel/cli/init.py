"""Set up a centre: the configuration, the keys, and the first person's code."""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailcounsel import errors
from mailcounsel.cli import output
from mailcounsel.cli.main import Setting

if TYPE_CHECKING:
    from mailcounsel.service.answers import Answers, Server
    from mailcounsel.service.machine import Account, Places

LANGUAGES = ("id", "en")
NOTIFY = "Your own address for notes without content (empty: nobody is told of danger)"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@click.command()
@click.option("--name", help="What the centre is called; its own people see it.")
@click.option("--address", help="The address clients write to.")
@click.option("--sender-name", help="The name clients see on every mail; keep it neutral.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice(LANGUAGES),
    help="Repeat it; the first counts most.",
)
@click.option("--time-zone", help="An IANA name, such as Asia/Jakarta.")
@click.option(
    "--imap", metavar="HOST[:PORT]", help="The mailbox to read; without it, letters come by SMTP."
)
@click.option("--imap-user", help="Its account.  [default: the address]")
@click.option(
    "--listen", metavar="HOST:PORT", help="Without --imap, where to take letters by SMTP."
)
@click.option("--smarthost", metavar="HOST[:PORT]", help="The server that takes our mail.")
@click.option("--smarthost-user", help="Its account; none for a server on this machine.")
@click.option(
    "--store", metavar="URL", help="A PostgreSQL database for the cases.  [default: SQLite]"
)
@click.option("--person", help="Your short name here.  [default: your account's]")
@click.option("--notify", help="Your address for notes without content, such as: danger is unread.")
@click.option(
    "--system", is_flag=True, help="Set up a server: account, folders, systemd unit (root)."
)
@click.option("--root", type=click.Path(path_type=Path), default=Path("/"), hidden=True)
@output.json_option
@click.pass_obj
def init(setting: Setting, /, system: bool, root: Path, as_json: bool, **given: Any) -> None:
    """Set up a centre.

    Asks what it needs to know, unless the options say it. May be run again: what is there is
    kept, what is missing is made.

    \b
    Example: mailcounsel init
    """
    if system:
        done = _init_system(root.absolute(), given)
    else:
        done = _init_here(setting.config or Path("config.toml"), given)
    output.emit(done, as_json, lambda: _text(done))


def _init_here(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    if path.exists():
        _say_kept(path, given)
    answers = None if path.exists() else _answers(given, _account_name(), {})
    made = [] if answers is None else [_write(path, answers, 0o600)]
    kept = [str(path)] if answers is None else []
    done = _complete(path)
    made, kept = made + done["made"], kept + done["kept"]
    waiting = _ask_secrets(done["missing_secrets"], None)
    return {**done, "made": made, "kept": kept, "missing_secrets": waiting, "system": False}


def _say_kept(path: Path, given: Mapping[str, Any]) -> None:
    """Say which options change nothing, since the configuration they would be for is there."""
    named = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if named:
        options = ", ".join(named).replace("--languages", "--language")
        output.say(
            f"{path} is there already and is kept as it is, so {options} changed nothing. Edit "
            "that file; then: mailcounsel config check"
        )


def _complete(path: Path) -> dict[str, Any]:
    from datetime import UTC, datetime

    from mailcounsel import config
    from mailcounsel.service import setup

    loaded = config.load(path)
    done = setup.complete(loaded, datetime.now(UTC))
    invited = done.invitation
    return {
        "config": str(path),
        "made": done.made,
        "kept": done.kept,
        "fingerprint": done.fingerprint,
        "invited": {"person": invited.person, "code": invited.code} if invited else None,
        "missing_secrets": [str(one) for one in setup.missing_secrets(loaded)],
        "untold": list(loaded.untold()),
    }


def _ask_secrets(paths: list[str], owner: Account | None) -> list[str]:
    """Ask for the passwords that are not there yet; return the files that still wait for one."""
    from mailcounsel.service import setup

    waiting = []
    for path in paths:
        question = f"The password for {Path(path).name} (empty: later)"
        typed = _ask_hidden(question) if sys.stdin.isatty() else ""
        if typed:
            setup.write_secret(Path(path), typed, (owner.uid, owner.gid) if owner else None)
        else:
            waiting.append(path)
    return waiting


def _ask_hidden(question: str) -> str:
    typed: str = click.prompt(question, hide_input=True, default="", show_default=False, err=True)
    return typed.strip()


def _write(path: Path, answers: Answers, mode: int) -> str:
    from mailcounsel.service import answers as questions
    from mailcounsel.service import setup

    text = questions.config_text(answers)
    path.parent.mkdir(parents=True, exist_ok=True)
    setup.write_private(path, text.encode(), mode)
    return str(path)


# -- a server -------------------------------------------------------------------------------------


def _init_system(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    from mailcounsel.service import machine

    machine.must_be_root()
    places = machine.Places(root)
    person = os.environ.get("SUDO_USER") or _account_name()
    has_config = places.config.exists()
    if has_config:
        _say_kept(places.config, given)
    own = {"state_dir": places.state, "socket": places.socket}
    answers = None if has_config else _answers(given, person, own)
    account, is_new = machine.ensure_account(root)
    made = [f"the account {machine.ACCOUNT}"] if is_new else []
    kept = [] if is_new else [f"the account {machine.ACCOUNT}"]
    made += machine.ensure_folders(places, account)
    if answers is not None:
        made.append(_write(places.config, answers, 0o640))
        person = answers.os_user
    else:
        kept.append(str(places.config))
    machine.give_config(places, account)
    _unit_and_member(places, person, made, kept)
    return _as_service(places, account, made, kept)


def _unit_and_member(places: Places, person: str, made: list[str], kept: list[str]) -> None:
    from mailcounsel.service import machine

    unit = machine.ensure_unit(places)
    (made if unit else kept).append(str(places.unit))
    if machine.ensure_member(places.root, person):
        made.append(f"{person} as a member of the group {machine.ACCOUNT}")


def _as_service(
    places: Places, account: Account, made: list[str], kept: list[str]
) -> dict[str, Any]:
    """Make the keys in the service's own name, and return everything that was done."""
    from mailcounsel.service import machine

    arguments = ["--config", str(places.config), "init", "--json"]
    done = json.loads(machine.run_as(account, arguments, places.state))
    kept += [one for one in done["kept"] if one != str(places.config)]
    waiting = _ask_secrets(done["missing_secrets"], account)
    made = made + done["made"]
    return {**done, "made": made, "kept": kept, "missing_secrets": waiting, "system": True}


# -- questions ------------------------------------------------------------------------------------


def _answers(given: Mapping[str, Any], os_user: str, own: Mapping[str, Any]) -> Answers:
    from mailcounsel.service import answers as questions

    _refuse_to_guess(given)
    listen = _listen(given["listen"] or "127.0.0.1:2525")
    name = given["name"] or _ask_open("What is the centre called?", _good("name"))
    address = given["address"] or _ask_open("Which address do clients write to?", _good("address"))
    languages = tuple(given["languages"]) or _asked_languages()
    neutral = questions.SENDER_NAMES.get(languages[0], "Letters")
    sender = "The name clients see on every mail (a lock screen shows it)"
    imap = given["imap"] or _asked_imap(given)
    smarthost = given["smarthost"] or _ask_open("Which server takes our mail?", _good_server)
    return questions.Answers(
        name=name,
        sender_name=given["sender_name"] or _ask(sender, neutral, _good("sender_name")),
        address=address,
        languages=languages,
        time_zone=given["time_zone"] or _ask("Time zone", system_zone(), _good("time_zone")),
        smarthost=_server(smarthost, given["smarthost_user"], address, {465: "tls", 25: "none"}),
        imap=_server(imap, given["imap_user"] or address, address, {143: "starttls"})
        if imap
        else None,
        listen=listen,
        store=store_url(given["store"] or _asked_store()),
        person=given["person"]
        or _ask("Your short name here", short_name(os_user), _good("person")),
        os_user=os_user,
        notify=given["notify"] or _ask(NOTIFY, "", _good("notify")),
        **own,
    )


def _refuse_to_guess(given: Mapping[str, Any]) -> None:
    """Stop, rather than wait for an answer nobody can type."""
    missing = [f"--{name}" for name in ("name", "address", "smarthost") if not given[name]]
    if missing and not sys.stdin.isatty():
        message = f"Nobody can be asked here (this is not a terminal). Give {', '.join(missing)}."
        raise click.UsageError(message)


Check = Callable[[str], str]  # returns what was typed; a UsageError has it asked for again


def _ask(question: str, default: str, check: Check) -> str:
    """Ask on a terminal, until the answer can be used; elsewhere take the default."""
    if not sys.stdin.isatty():
        return default
    answer: str = click.prompt(
        question, default=default, show_default=bool(default), value_proc=check, err=True
    )
    return answer


def _ask_open(question: str, check: Check) -> str:
    """Ask what only the person knows; the question ends with its own mark."""
    answer: str = click.prompt(question, prompt_suffix=" ", value_proc=check, err=True)
    return answer


def _good(key: str) -> Check:
    """Return a check of one answer by the rules of the configuration's own file."""

    def check(typed: str) -> str:
        from mailcounsel.service import answers as questions

        fault = questions.fault_in(**{key: typed.strip()})
        if fault:
            message = f"{typed.strip()!r} {fault}"
            raise click.UsageError(message)
        return typed.strip()

    return check


def _good_server(typed: str) -> str:
    """Check HOST[:PORT] as an answer."""
    from mailcounsel.service import answers as questions

    fault = questions.fault_in(smarthost=questions.Server(*split_host(typed)))
    if fault:
        message = f"{typed.strip()!r} {fault}"
        raise click.UsageError(message)
    return typed.strip()


SQLITE = "sqlite"


def _asked_store() -> str:
    question = f"Where are the cases kept ({SQLITE}, or the URL of a PostgreSQL database)"
    return _ask(question, SQLITE, lambda typed: _good("store")(store_url(typed) or "") or SQLITE)


def store_url(typed: str) -> str | None:
    """Read where cases are kept, as it is typed; None is the SQLite file in the state folder."""
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", typed.strip())
    return None if url == SQLITE else url


def _asked_languages() -> tuple[str, ...]:
    if not sys.stdin.isatty():
        return LANGUAGES
    question, usual = "Languages, the main one first (id, en)", ", ".join(LANGUAGES)
    found: tuple[str, ...] = click.prompt(
        question, default=usual, value_proc=languages_of, err=True
    )
    return found


def languages_of(typed: str) -> tuple[str, ...]:
    """Read languages as they are typed. Raises: UsageError, and then they are asked for again."""
    named = tuple(dict.fromkeys(typed.replace(",", " ").split()))
    unknown = [name for name in named if name not in LANGUAGES]
    if unknown or not named:
        message = f"there are letters in {' and '.join(LANGUAGES)} only: write one of them or both."
        raise click.UsageError(message)
    return named


def _asked_imap(given: Mapping[str, Any]) -> str:
    if given["listen"] or not sys.stdin.isatty():
        return ""
    if not click.confirm("Do the letters come from a mailbox (IMAP)?", default=True, err=True):
        return ""
    return _ask_open("On which server?", _good_server)


def _server(text: str, user: str | None, address: str, tls: Mapping[int, str]) -> Server:
    """Read HOST[:PORT]. On this machine the line is plain, as a rule without log-in."""
    from mailcounsel.service.answers import Server

    host, port = split_host(text)
    is_near = host in LOOPBACK
    if user is None and not is_near:
        user = _ask("The account there (its password is asked for later)", address, str.strip)
    return Server(host, port, user, "none" if is_near else tls.get(port or 0))


def _listen(text: str) -> Server:
    from mailcounsel.service.answers import Server

    host, port = split_host(text)
    if port is None or not 0 < port < 65536:
        message = f"--listen {text}: write a host and a port, such as 127.0.0.1:2525."
        raise click.UsageError(message)
    return Server(host, port)


def split_host(text: str) -> tuple[str, int | None]:
    """Split HOST[:PORT] or [IPv6]:PORT. Raises: UsageError."""
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:]+)(?::(\d{1,5}))?", text.strip())
    if found is None:
        message = "A server is written as HOST or HOST:PORT."
        raise click.UsageError(message)
    port = found[2] or found[4]
    return found[1] or found[3], int(port) if port else None


def short_name(account: str) -> str:
    """Return a name that the configuration takes for an account's name."""
    kept = re.sub(r"[^a-z0-9-]+", "-", account.lower()).strip("-")
    return kept if re.match(r"[a-z]", kept) else f"p-{kept}".rstrip("-")


def system_zone() -> str:
    """Return the machine's own time zone by its IANA name, UTC when it does not say."""
    linked = os.path.realpath("/etc/localtime")
    _, found, name = linked.partition("/zoneinfo/")
    return name if found and name.count("/") <= 2 else "UTC"


def _account_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as fault:
        message = "This account has no name. Run this as a person's own account."
        raise errors.Refused(message) from fault


# -- what is said ---------------------------------------------------------------------------------


def _text(done: Mapping[str, Any]) -> str:
    lines = [f"made  {what}" for what in done["made"]]
    lines += [f"kept  {what}" for what in done["kept"]]
    lines += [f"todo  {_todo_password(path)}" for path in done["missing_secrets"]]
    if done["made"] and done["config"] in done["made"]:
        lines.append(f"todo  write your own emergency numbers into {done['config']}, [emergency]")
    if done["untold"]:
        lines.append(f"todo  {_todo_notify(done)}")
    return "\n".join([*lines, "", *_next(done)])


def _todo_notify(done: Mapping[str, Any]) -> str:
    from mailcounsel.config import wording

    return f"{wording.untold(done['untold'])}. {wording.NOTIFY}"


def _todo_password(path: str) -> str:
    return f"run this again and type the password, or write it into {path} (chmod 600)"


def _next(done: Mapping[str, Any]) -> list[str]:
    command = _command(done)
    here = "" if done["system"] or not _is_usual(done) else f", in {Path.cwd()}"
    serve = "sudo systemctl enable --now mailcounsel" if done["system"] else f"{command} serve"
    if done["invited"] is None:
        return [f"Nobody is left to invite. Next{here}:", f"  {serve}", f"  {command} doctor"]
    person, code = done["invited"]["person"], done["invited"]["code"]
    again = "" if done["config"] in done["made"] else BEFORE
    return [
        f"The code for {person}, good for three days: {code}{again}",
        f"Next{here}, and the second in another terminal:",
        f"  {serve}",
        f"  {command} enrol {code}",
    ]


BEFORE = "\n(one made before is good as well, until either is used or its three days are over)"


def _is_usual(done: Mapping[str, Any]) -> bool:
    return Path(done["config"]) == Path("config.toml")


def _command(done: Mapping[str, Any]) -> str:
    if done["system"] or _is_usual(done):
        return "mailcounsel"
    return f"mailcounsel --config {shlex.quote(str(Path(done['config']).absolute()))}"
