"""Look at every part and say how it is, with a fix for each fault.

`of_machine` needs only the configuration; `of_running` is what the service finds out about
itself, and `mailcounsel.service.outside` looks at the same parts when no service runs.
`of_servers` connects, and is the same for both.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from mailcounsel import errors
from mailcounsel.casework import letters
from mailcounsel.config import Config, Imap, Inbox, wording
from mailcounsel.crypto import homes, openpgp
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.intake import inbox, watcher
from mailcounsel.letter import lessons, templates
from mailcounsel.outgoing import courier
from mailcounsel.practice import directory
from mailcounsel.service import standing
from mailcounsel.service.clockback import DRIFT
from mailcounsel.service.desk import Desk
from mailcounsel.store import models, schema
from mailcounsel.store.columns import database_now
from mailcounsel.store.engine import Store

PATIENCE = 10  # seconds the smarthost has for each answer
KEY_SOON = timedelta(days=30)
MEGABYTE = 1_000_000
ROOM = 100  # megabytes: with fewer, somebody should look before letters have to wait outside

STORE = "Check [store] in config.toml, and that its disk or server is there."
LATER = "Nothing has to be brought back. When that is done: mailcounsel doctor"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one part is. `fix` says what to do and is "" when all is well."""

    part: str
    is_ok: bool
    says: str
    fix: str = ""


def good(part: str, says: str) -> Finding:
    """Say that a part is well."""
    return Finding(part, True, says)


def bad(part: str, says: str, fix: str) -> Finding:
    """Say that a part is not well, and what to do."""
    return Finding(part, False, says, fix)


def looked(part: str, fix: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """Look at a part; what stops that is its finding, and the other parts are seen all the same."""
    try:
        return look()
    except errors.TryLater as fault:
        return [bad(part, str(fault), LATER)]
    except errors.MailcounselError as fault:
        return [bad(part, str(fault), fix)]
    except OSError as fault:
        return [bad(part, f"cannot be read: {fault.strerror}", fix)]


# -- this machine ---------------------------------------------------------------------------------


def of_machine(config: Config) -> list[Finding]:
    """Look at the programs and files of this machine."""
    return [_gpg(), _templates(config), _accounts(config), _ladder(config)]


def _gpg() -> Finding:
    try:
        command = [homes.program("gpg"), "--version"]
        done = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    except (errors.Unavailable, OSError, subprocess.SubprocessError):
        return bad("gpg", "gpg is not installed, or does not start", "sudo apt install gnupg")
    version = done.stdout.decode("ascii", "replace").splitlines()[0]
    return good("gpg", version)


def disk(config: Config) -> list[Finding]:
    """Say how much room there is where the centre keeps what it has."""
    place = config.centre.state_dir
    if not place.exists():
        return []
    free = shutil.disk_usage(place).free // MEGABYTE
    if free < ROOM:
        fix = "Free some space there. Once it is full, letters wait at the server they come from."
        return [bad("disk", f"{free} MB are free at {place}", fix)]
    return [good("disk", f"{free} MB are free at {place}")]


def memory() -> Finding:
    """Say whether gpg can work without a client's address on a disk."""
    try:
        homes.check()
    except errors.Unavailable:
        says = "there is no place in memory for gpg to work in; the service does not start"
        return bad("memory", says, "Mount a writable tmpfs on /dev/shm.")
    return good("memory", "gpg works in memory, and leaves no address on a disk")


def _templates(config: Config) -> Finding:
    languages = config.centre.languages
    own = config.centre.templates
    problems = templates.check(languages, own) + lessons.check(tuple(languages), own)
    if problems:
        fix = f"Mend the files in {config.centre.templates or 'the installation'}."
        return bad("templates", " ".join(problems), fix)
    return good("templates", f"complete in {', '.join(languages)}")


def _accounts(config: Config) -> Finding:
    """Say whose account is missing: they can type nothing here, nor through ssh."""
    missing = [f"{one.os_user} ({one.name})" for one in config.without_account()]
    if missing:
        fix = "sudo adduser NAME for each, or mend os_user in config.toml, then reload the service."
        return bad("people", f"no account on this machine: {', '.join(missing)}", fix)
    return good("people", "everybody has an account on this machine")


def _ladder(config: Config) -> Finding:
    """Say whether anybody is told while danger is unread."""
    untold = config.untold()
    if untold:
        fix = f"{wording.NOTIFY} Then reload or restart the service."
        return bad("danger", wording.untold(untold), fix)
    return good("danger", "somebody is told in every queue while it is unread")


def crisis_directory(config: Config, now: datetime) -> list[Finding]:
    """Say which entries of the crisis directory are not used, where the centre has one."""
    path = config.centre.crisis_directory
    if path is None:
        return []
    today = now.astimezone(ZoneInfo(config.centre.time_zone)).date()
    found = directory.faults(path, today)
    if found:
        fix = f"Try each number, then write the day into {path.name} as verified_on."
        return [bad("crisis directory", " ".join(found), fix)]
    return [good("crisis directory", "every entry was verified within a year")]


# -- the service's own parts ----------------------------------------------------------------------


def of_running(desk: Desk) -> list[Finding]:
    """Look at the parts from inside the running service."""
    now, config = desk.now(), desk.office.config
    found = [
        good("keyring", "in use by the running service"),
        *centre_key(lambda: desk.centre, LATER, now),
        memory(),
        *disk(config),
        *looked("store", STORE, lambda: _kept(desk, now)),
        *crisis_directory(config, now),
    ]
    servers = of_servers(config)
    reached = {one.part for one in servers if one.is_ok}
    return found + servers + _copies(desk, reached)


def centre_key(opened: Callable[[], Centre], fix: str, now: datetime) -> list[Finding]:
    """Say whether the centre's OpenPGP key can be used, and how long."""
    gpg = _gpg()
    if not gpg.is_ok:
        return [bad("centre key", f"cannot be used: {gpg.says}", gpg.fix)]
    return looked("centre key", fix, lambda: [_key(opened(), now)])


def _key(centre: Centre, now: datetime) -> Finding:
    facts = openpgp.examine(centre.public_certificate())
    name, until = facts.fingerprint, facts.expires
    if facts.revoked:
        fix = "Bring the key back from a copy made before that: see docs/backup.md."
        return bad("centre key", f"{name} is revoked", fix)
    if facts.expired or not facts.can_encrypt:
        return bad(
            "centre key", f"{name} has expired, so nothing can leave encrypted", _extend(centre)
        )
    if until and until - now < KEY_SOON:
        return bad("centre key", f"{name} expires on {until:%d %b %Y}", _extend(centre))
    return good(
        "centre key", f"{name}, {f'good until {until:%d %b %Y}' if until else 'does not expire'}"
    )


def _extend(centre: Centre) -> str:
    """Return what is typed to extend a key. gpg's `*` passes over a subkey that has expired."""
    home, key = shlex.quote(str(centre.home)), centre.fingerprint
    command = f"gpg --homedir {home} --quick-set-expire {key} 0"
    every = " ".join([command, *centre.subkeys()])
    return f"{command} && {every}; then restart the service (typed as the service's account)"


def _kept(desk: Desk, now: datetime) -> list[Finding]:
    """Look at the store, and at what stands in it."""
    desk.store.write(lambda _: None)  # raises where another program holds it
    return [shape(desk.store), *clocks(desk.store, now), _readers(desk), *_letters(desk)]


def shape(store: Store) -> Finding:
    """Say whether the store answers and has this release's shape."""
    there, newest = store.read(schema.revision), schema.newest()
    kind = "SQLite" if store.is_sqlite else "PostgreSQL"
    if there == newest:
        return good("store", f"{kind}, in this release's shape ({newest})")
    if there is None:
        return bad("store", f"{kind}, empty", "mailcounsel init")
    fix = "Start the service once: it brings an older store up to date, and refuses a newer one."
    return bad("store", f"{kind}, in another release's shape ({there})", fix)


def clocks(store: Store, now: datetime) -> list[Finding]:
    """Compare this machine's clock with the store's, and with what is written there."""
    if store.read(schema.revision) is None:
        return []

    def read(connection: Connection) -> tuple[int, datetime | None]:
        audit = models.table(models.Audit)
        latest = connection.execute(select(func.max(audit.c.at))).scalar_one()
        return int(connection.execute(select(database_now())).scalar_one()), latest

    seconds, latest = store.read(read)
    fix = "Set the clock of this machine and the store's: timedatectl set-ntp true"
    if latest and latest - now > DRIFT:
        return [bad("clock", "the store has entries from the future", fix)]
    apart = abs(seconds - now.timestamp())
    if apart > DRIFT.total_seconds():
        return [bad("clock", f"this machine and the store are {apart:.0f} s apart", fix)]
    return [good("clock", f"{now:%d %b %Y %H:%M} UTC, as the store says")]


def _readers(desk: Desk) -> Finding:
    config = desk.office.config
    names = sorted({queue.supervisor for queue in config.queues})
    try:
        missing = standing.not_enrolled(desk, config)
    except errors.SealBroken:
        fix = "Somebody changed the roster. Bring back a backup, and enrol everybody anew."
        return bad("supervisors", "the roster was changed by somebody else", fix)
    if missing:
        meanwhile = standing.meanwhile(config, missing)
        fix = f"mailcounsel invite {missing[0]} (until then {meanwhile})"
        return bad("supervisors", f"not enrolled yet: {', '.join(missing)}", fix)
    return good("supervisors", f"enrolled: {', '.join(names)}")


def _letters(desk: Desk) -> Iterator[Finding]:
    waiting = len(inbox.quarantined(desk.store))
    if waiting:
        yield bad("quarantine", f"{waiting} waiting", "mailcounsel quarantine list")
    else:
        yield good("quarantine", "empty")
    out = letters.outgoing
    stuck = select(func.count()).where(out.c.state.in_(["uncertain", "failed"]))
    count = desk.store.read(lambda c: int(c.execute(stuck).scalar_one()))
    if count:
        yield bad("outbox", f"{count} stuck", "mailcounsel outbox, then resend or settle each")
    else:
        yield good("outbox", "nothing is stuck")


# -- other people's servers -----------------------------------------------------------------------


def of_servers(config: Config) -> list[Finding]:
    """Connect to every mailbox and to the smarthost, all at once, and log in."""
    tests: list[Callable[[], list[Finding]]] = [lambda: [_smarthost(config)]]
    tests += [partial(_mailbox, box, box.imap) for box in config.inboxes if box.imap]
    with ThreadPoolExecutor(len(tests)) as pool:
        return [one for found in pool.map(lambda test: test(), tests) for one in found]


def _smarthost(config: Config) -> Finding:
    quick = min(PATIENCE, config.smarthost.timeout_seconds)
    smarthost = config.smarthost.model_copy(update={"timeout_seconds": quick})
    problems = courier.check(smarthost)
    if problems:
        fix = "Check host, port, tls, user and its secret in [smarthost], and the network."
        return bad("smarthost", " ".join(problems), fix)
    return good("smarthost", f"{smarthost.host}:{smarthost.port} takes our mail")


FIXES = {
    "unreachable": "Check host, port and tls in [inbox.imap], and the network.",
    "tls": "Check tls and port; the certificate must bear the host's name and be trusted here.",
    "secret": "Check where [inbox.imap] says the password is: the file, its owner, its mode 0600.",
    "login-refused": "Check user and password. Gmail and Microsoft 365 want a token_command.",
    "folder-missing": "Check folder in [inbox.imap]; capital letters count.",
    "junk-missing": "Name the provider's junk folder in junk_folder, or set it to false.",
    "server-cannot": 'It has neither UIDPLUS nor MOVE, so nothing is removed: set after = "keep".',
    "protocol": "Is this an IMAP server, and is tls right for that port?",
}


def _mailbox(box: Inbox, imap: Imap) -> list[Finding]:
    part, place = f"mailbox {box.address}", f"{imap.host}:{imap.port}"
    problems = watcher.check(box)
    if not problems:
        return [good(part, f"{place} lets us in")]
    return [
        bad(part, f"{place}: {code}", FIXES.get(code, "See the service's log."))
        for code in problems
    ]


# -- what lies at the mail provider ---------------------------------------------------------------


def mailboxes(desk: Desk) -> list[dict[str, Any]]:
    """Compare every mailbox with the ledger: how much is there, how much was never kept."""
    boxes = [box for box in desk.office.config.inboxes if box.imap]
    return [one for box in boxes for one in _compared(desk, box)]


def _compared(desk: Desk, box: Inbox) -> list[dict[str, Any]]:
    empty = {"inbox": box.address, "folder": "", "there": 0, "missing": 0, "problem": ""}
    try:
        folders = watcher.compare(box, desk.store, desk.office.keyring)
    except errors.MailcounselError as fault:
        return [{**empty, "problem": str(fault)}]
    return [
        {**empty, "folder": one.folder, "there": one.there, "missing": one.missing}
        for one in folders
    ]


def _copies(desk: Desk, reached: set[str]) -> list[Finding]:
    """Say which copies of letters remain in the mailboxes that can be reached, and how long."""
    boxes = [box for box in desk.office.config.inboxes if f"mailbox {box.address}" in reached]
    found = ((box, one) for box in boxes for one in _compared(desk, box))
    return [_remaining(one, box) for box, one in found if not one["problem"]]


def _remaining(one: dict[str, Any], box: Inbox) -> Finding:
    part = f"copies {one['inbox']} {one['folder']}"
    says = f"{one['there']} at the mail provider, {_how_long(box)}"
    if one["missing"]:
        fix = "Wait a minute and look again; if it stays so, see the service's log."
        return bad(part, f"{says}; {one['missing']} not fetched yet", fix)
    return good(part, says)


def _how_long(box: Inbox) -> str:
    if box.after == "keep":
        return 'kept there for good (after = "keep")'
    what = "deleted" if box.after == "delete" else f"moved to {box.move_to}"
    return f"each {what} {box.after_days} days after it was seen"


def as_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as they go over the socket."""
    return [
        {"part": one.part, "ok": one.is_ok, "says": one.says, "fix": one.fix} for one in findings
    ]
