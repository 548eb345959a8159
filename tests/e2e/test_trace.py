"""What the kernel saw: the store is synced before anybody outside is told anything.

strace writes down, in one order for all threads, when the write-ahead log was written and synced
and what was said on which socket. A line of its output stands where a call began; where another
thread came in between, a second line stands where the call ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from e2e import running
from servers import tools

CALLS = "pwrite64,fdatasync,fsync,sendto,recvfrom,write,writev,sendmsg"
STRACE = ("-f", "-D", "--seccomp-bpf", "-yy", "-s", "600", "-e", f"trace={CALLS}")

ANI, BUDI = "ani@client.test", "budi@client.test"

_CALL = re.compile(
    r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<file>\d+<.*?>)(?P<rest>, .*|\).*| <unf.*)$"
)
_END = re.compile(r"^(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")


@dataclass(frozen=True)
class Call:
    """A system call: the lines on which it began and ended, on what, and what it said."""

    name: str
    began: int
    ended: int
    file: str
    said: str

    @property
    def is_wal(self) -> bool:
        return "mailcounsel.db-wal" in self.file


def calls(trace: str) -> list[Call]:
    """Return every call that ended, in the order they began."""
    found, open_calls = [], {}
    for number, line in enumerate(trace.splitlines()):
        if match := _CALL.match(line):
            begun = (match["name"], number, match["file"], match["rest"])
            if "<unfinished" in line:
                open_calls[match["thread"]] = begun
            else:
                name, began, file, rest = begun
                found.append(Call(name, began, number, file, rest))
        elif (match := _END.match(line)) and match["thread"] in open_calls:
            name, began, file, rest = open_calls.pop(match["thread"])
            found.append(Call(name, began, number, file, rest + match["rest"]))
    return sorted(found, key=lambda call: call.began)


def commits(every: list[Call], after: int, before: int) -> int:
    """Count the syncs of the log that began after one line and ended before another.

    Only those count before which something new was written into the log since that line.
    """
    count, written = 0, False
    for call in every:
        if not call.is_wal or call.began < after:
            continue
        if call.name == "pwrite64":
            written = True
        elif call.name in {"fdatasync", "fsync"} and written and call.ended < before:
            assert call.said.rstrip().split("= ")[-1].startswith("0"), "the sync failed"
            count, written = count + 1, False
    return count


def said(every: list[Call], word: str) -> Iterator[tuple[Call, list[Call]]]:
    """Yield each call that sends something with this word, with what that socket heard before."""
    for call in every:
        if call.name in {"sendto", "write", "writev", "sendmsg"} and word in call.said:
            heard = [
                one
                for one in every
                if one.name == "recvfrom" and one.file == call.file and one.ended < call.began
            ]
            yield call, heard


@pytest.fixture
def traced(need, short_tmp, mailserver, enrolled):
    """`traced(story, inbox=…)`: the calls of a service that lived through the story."""
    need("strace")
    centres = []

    def trace(story, inbox=""):
        centre = running.Centre(short_tmp / "centre", mailserver.port, inbox=inbox)
        centres.append(centre.copied_from(enrolled))
        output = short_tmp / "trace"
        try:
            centre.start("strace", *STRACE, "-o", str(output))
        except running.Gone:
            tools.absent("strace may not start a program here")
        story(centre)
        centre.settle()
        centre.stop()
        return calls(output.read_text(errors="replace"))

    yield trace
    for centre in centres:
        centre.close()


def write_letters(centre):
    for number, sender in enumerate((ANI, BUDI, ANI)):
        letter = running.mail(sender, f"Words {number}.", name=str(number))
        centre.send(letter, sender)


def test_every_250_and_every_data_comes_after_a_sync(traced):
    """The log is synced between a letter's last byte and `250`, and between RCPT and DATA."""
    every = traced(write_letters)
    kept = list(said(every, '"250 2.0.0 Kept'))
    handed = list(said(every, '"DATA\\r\\n'))
    assert (len(kept), len(handed)) == (3, 3)
    for call, heard in kept + handed:
        assert commits(every, heard[-1].ended, call.began) >= 1, call


def test_a_mailbox_is_touched_only_after_the_letter_is_safe(traced, dovecot, short_tmp):
    """A letter is fetched, kept and placed, each with a sync of its own, before it is moved."""
    secret = short_tmp / "secret"
    secret.write_text(dovecot.password)
    secret.chmod(0o600)
    user = f"trace-{short_tmp.name}"
    dovecot.append(user, running.mail(ANI, "The door is red.", name="red"))

    def story(centre):
        tools.until(lambda: dovecot.list_uids(user, "Archive"), "the letter to be moved")

    every = traced(story, running.mailbox(dovecot, user, secret))
    moves = list(said(every, "UID MOVE"))
    assert len(moves) == 1
    fetched = [heard for heard in moves[0][1] if "The door is red." in heard.said]
    asked = [call for call, _ in said(every, "UID FETCH")]
    assert asked, "the letter was never fetched"
    after = fetched[-1].ended if fetched else asked[-1].began
    assert commits(every, after, moves[0][0].began) >= 2


def test_the_trace_tells_a_wrong_order():
    """A sync that ends after the answer, or without anything written before, does not count."""
    wal, line = "8</s/mailcounsel.db-wal>", "9<TCP:[127.0.0.1:1->127.0.0.1:2]>"
    heard = f'7 recvfrom({line}, ".\\r\\n", 99, 0, NULL, NULL) = 3'
    write, sync = f'8 pwrite64({wal}, "x", 1, 0) = 1', f"8 fdatasync({wal}) = 0"
    begin, end = f"8 fdatasync({wal} <unfinished ...>", "8 <... fdatasync resumed>) = 0"
    answer = f'7 sendto({line}, "250 2.0.0 Kept\\r\\n", 16, 0, NULL, 0) = 16'

    def count(*lines: str) -> int:
        every = calls("\n".join(lines))
        ((call, before),) = said(every, '"250 2.0.0 Kept')
        return commits(every, before[-1].ended, call.began)

    assert count(heard, write, sync, answer) == 1
    assert count(heard, write, begin, end, answer) == 1
    assert count(heard, answer, write, sync) == 0
    assert count(heard, write, begin, answer, end) == 0
    assert count(write, heard, sync, answer) == 0
    assert count(heard, sync, answer) == 0
