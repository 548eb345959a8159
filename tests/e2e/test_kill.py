"""Power fails at every sync of the store and at every word sent, in all that happens to a letter.

strace kills the service at the Nth such call of a thread, for each N until the whole story is told
without a kill. After each kill it starts again, and whoever got no answer asks again, as mail
programs and people do. Then everything must be there, and nothing twice.

A kill at a sync leaves what was written in the page cache, so that what the service meets
afterwards is committed, and nobody was told. A kill at a send stands between two commits.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from e2e import running
from e2e.running import Centre, Watched, attempt
from servers import tools

MOST = 60  # kill points of a story; each story ends far sooner
SYNCS = "fdatasync,fsync"
SENDS = "sendto,sendmsg"

ANI, BUDI = "ani@client.test", "budi@client.test"


class Story:
    """Something that happens at a centre. `tell` goes on where it was interrupted."""

    inbox = ""
    fewest = 5  # kill points below which the test would prove little

    def __init__(self, centre: Centre, server: Watched) -> None:
        self.centre, self.server = centre, server
        self.written: dict[str, bytes] = {}
        self.acknowledged: list[str] = []

    def prepare(self) -> None:
        """Change the store before the service starts."""

    def tell(self) -> None:
        """Do what is still to be done. Raises: Gone, when the service dies meanwhile."""
        raise NotImplementedError

    def expect(self) -> Counter[str]:
        """Return how many letters of each kind the centre must have written."""
        raise NotImplementedError

    def inside(self) -> list[str]:
        """Return the words of every letter the cases must hold."""
        return sorted([*self.before(), *self.acknowledged])

    def before(self) -> list[str]:
        return []

    def hand_over(self, sender: str, text: str, name: str, answers: str = "") -> None:
        """Send a letter until it is acknowledged; from then on it must never be lost."""
        if text not in self.acknowledged:
            letter = running.mail(sender, text, name=name, answers=answers)
            # A mail program tries again with the same bytes.
            self.centre.send(self.written.setdefault(text, letter), sender)
            self.acknowledged.append(text)


class Receive(Story):
    """Two strangers write; each becomes a case and gets one acknowledgement."""

    def tell(self) -> None:
        self.hand_over(ANI, "The house is loud.", "a")
        self.hand_over(BUDI, "The house is quiet.", "b")
        self.centre.settle()

    def expect(self) -> Counter[str]:
        return Counter({"acknowledgement": 2})


class Write(Story):
    """A stranger writes; it becomes a case and gets an acknowledgement."""

    def tell(self) -> None:
        self.hand_over(ANI, "The house is loud.", "a")
        self.centre.settle()

    def expect(self) -> Counter[str]:
        return Counter({"acknowledgement": 1})


class Acquainted(Story):
    """What is the same for every story that begins with a client who agreed to ordinary mail."""

    def before(self) -> list[str]:
        return ["AGREE", "I cannot sleep since we moved."]


class Reply(Acquainted):
    """A therapist approves a reply; if the service did not answer, they approve the same again."""

    draft: dict[str, str] | None = None
    is_approved = False

    def tell(self) -> None:
        if self.draft is None:
            self.draft = self.centre.begin_reply("wulan", "C-0001", "Breathe slowly.")
        if not self.is_approved:
            self.approve(self.draft)
        self.centre.settle()

    def approve(self, draft: dict[str, str]) -> None:
        try:
            self.centre.call("wulan", "reply.approve", **draft)
        except running.Refusal as refusal:
            if str(refusal) != "This reply is in the outbox already.":
                raise
        self.is_approved = True

    def expect(self) -> Counter[str]:
        return Counter({"reply": 1})


class CheckIn(Acquainted):
    """A check-in is due; the client answers it, once they have it."""

    def prepare(self) -> None:
        self.centre.sql("UPDATE goal SET next_due_at = datetime('now', '-1 hour')")

    def tell(self) -> None:
        tools.until(self.was_asked, "the check-in to be asked")
        self.centre.settle()
        if self.question():
            self.hand_over(ANI, "7", "seven", answers=self.question())
        self.centre.settle()

    def was_asked(self) -> bool:
        if not self.centre.is_alive():
            raise running.Gone
        return self.centre.sql("SELECT count(*) FROM checkin") != [(0,)]

    def question(self) -> str:
        taken = self.server.for_(ANI)
        return running.header(taken[0].content, "Message-ID") if taken else ""

    def expect(self) -> Counter[str]:
        return Counter({"checkin": 1, "checkin-thanks": len(self.acknowledged)})


class Fetch(Story):
    """Two letters lie in a mailbox; each becomes a case, and is moved away when it is safe."""

    def __init__(self, centre: Centre, server: Watched, dovecot: Any, user: str) -> None:
        super().__init__(centre, server)
        self.dovecot, self.user = dovecot, user
        for sender, text in ((ANI, "The door is red."), (BUDI, "The door is blue.")):
            dovecot.append(user, running.mail(sender, text, name=text.split()[3]))
            self.acknowledged.append(text)

    def tell(self) -> None:
        tools.until(self.was_moved, "the letters to be moved")
        self.centre.settle()

    def was_moved(self) -> bool:
        if not self.centre.is_alive():
            raise running.Gone
        moved = self.centre.sql("SELECT count(*) FROM sighting WHERE server = 'moved'")
        return moved == [(2,)]

    def expect(self) -> Counter[str]:
        found = {name: self.dovecot.list_uids(self.user, name) for name in ("INBOX", "Archive")}
        assert [len(found["INBOX"]), len(found["Archive"])] == [0, 2]
        return Counter({"acknowledgement": 2})


# -- the kills ------------------------------------------------------------------------------------


@pytest.fixture
def house(short_tmp, enrolled, acquainted, warm):
    """`house(Story, N)`: a fresh copy of a centre to tell a story in."""
    return Copies(short_tmp, {False: enrolled, True: acquainted})


class Copies:
    """Fresh copies of centres, each with a mail server of its own."""

    def __init__(self, folder: Path, originals: dict[bool, Centre]) -> None:
        self.folder, self.originals = folder, originals

    def centre(self, name: str, port: int, *, knows_ani: bool, inbox: str = "") -> Centre:
        made = Centre(self.folder / name, port, inbox=inbox)
        return made.copied_from(self.originals[knows_ani])


def kill_everywhere(warm, at: str, make) -> int:
    """Tell a story again and again, killed at one call later each time; return how many kills."""
    for when in range(1, MOST):
        server = Watched()
        server.start()
        story: Story = make(when, server)
        try:
            if not killed_at(warm, story, at, when):
                assert when > story.fewest, "too few kill points: is the writer still watched?"
                return when - 1
        finally:
            print(f"kill point {when}:\n{story.centre.words()[-3000:]}")  # shown when it fails
            story.centre.close()
            server.stop()
    pytest.fail(f"the story does not end within {MOST} syncs")


def killed_at(warm, story: Story, at: str, when: int) -> bool:
    """Tell a story, kill it at that call, tell the rest, and look; True if it was killed."""
    centre = story.centre
    story.prepare()
    bad_luck = ("-e", f"trace={at}", "-e", f"inject={at}:signal=KILL:when={when}")
    centre.start_warm(warm, *bad_luck, ready=False)
    was_told = attempt(centre.wait_until_ready) and attempt(story.tell)
    centre.kill()
    centre.start_warm(warm)
    story.tell()
    look(story, was_killed=not was_told)
    return not was_told


def look(story: Story, *, was_killed: bool) -> None:
    """Look at everything: nothing lost, nothing twice, nothing damaged."""
    centre, server = story.centre, story.server
    balance = centre.call("sari", "reconcile")
    assert (balance["lost"], balance["received"], balance["quarantine"]) == (0, 0, 0)
    assert balance["case"] == balance["in"]
    assert sorted(centre.received()) == story.inside()
    assert running.integrity(centre.store) == []
    names = server.names()
    assert len(names) == len(set(names)), "a letter was sent twice"
    fresh = [row for row in centre.outbox() if row["once"] not in already_sent(story)]
    assert Counter(row["kind"] for row in fresh) == story.expect()
    check_uncertain(story, fresh, was_killed=was_killed)


def already_sent(story: Story) -> set[str]:
    """Return what the centre had written before the story began."""
    kinds = {"acknowledgement", "consent-thanks"} if isinstance(story, Acquainted) else set()
    rows = story.centre.outbox()
    return {row["once"] for row in rows if row["kind"] in kinds}


def check_uncertain(story: Story, fresh: list[dict[str, Any]], *, was_killed: bool) -> None:
    """At most the one letter that was under way is uncertain, and a person is shown it."""
    centre, server = story.centre, story.server
    uncertain = [row for row in fresh if row["state"] == "uncertain"]
    sent = [row for row in fresh if row["state"] == "sent"]
    assert len(sent) + len(uncertain) == len(fresh)
    assert len(uncertain) <= was_killed
    assert len(sent) <= len(server.letters) <= len(fresh)
    assert len(fresh) <= sum(server.announced.values()), "uncertain, and never announced"
    flags = centre.sql("SELECT ref FROM flag WHERE kind = 'uncertain' AND cleared_at IS NULL")
    assert sorted(flags) == sorted((row["id"],) for row in uncertain)


@pytest.mark.parametrize(
    ("told", "at"),
    [(Receive, SYNCS), (Write, SENDS), (Reply, SYNCS), (Reply, SENDS), (CheckIn, SYNCS)],
)
def test_a_kill_loses_nothing_and_doubles_nothing(told, at, house, warm):
    """Whichever sync or send the power fails at, a restart finishes the story, once."""

    def make(when, server):
        centre = house.centre(f"c{when}", server.port, knows_ani=issubclass(told, Acquainted))
        return told(centre, server)

    print(kill_everywhere(warm, at, make), "kill points")


@pytest.mark.parametrize(
    ("moment", "taken", "state"),
    [("RCPT", 1, "sent"), ("text", 0, "uncertain"), ("answer", 1, "uncertain")],
)
def test_a_kill_while_the_text_is_under_way_is_shown_to_a_person(
    moment, taken, state, house, warm, mailserver
):
    """Before DATA a reply is sent after all; from DATA on it is uncertain, and never sent again.

    A person who decides so sends it once more, with the same Message-ID.
    """
    centre = house.centre("c", mailserver.port, knows_ani=True)
    story = Reply(centre, mailserver)
    try:
        centre.start_warm(warm)
        mailserver.strike(moment, centre.running.kill)
        if moment == "text":
            mailserver.hang_up_after_data(keep=False)
        assert not attempt(story.tell)
        centre.kill()
        centre.start_warm(warm)
        story.tell()
        (reply,) = (row for row in centre.outbox() if row["kind"] == "reply")
        assert (reply["state"], len(mailserver.letters)) == (state, taken)
        if state == "uncertain":
            centre.call("wulan", "outbox.resend", id=reply["id"])
            centre.settle()
            assert len(mailserver.letters) == taken + 1
            assert len(set(mailserver.names())) == 1
    finally:
        centre.close()


def test_a_kill_loses_no_letter_of_a_mailbox(house, warm, dovecot, short_tmp):
    """Letters found by IMAP are kept once and moved once, whichever sync the power fails at."""
    secret = short_tmp / "secret"
    secret.write_text(dovecot.password)
    secret.chmod(0o600)

    def make(when, server):
        user = f"kill{when}-{server.port}"
        inbox = running.mailbox(dovecot, user, secret)
        centre = house.centre(f"c{when}", server.port, knows_ani=False, inbox=inbox)
        return Fetch(centre, server, dovecot, user)

    print(kill_everywhere(warm, SYNCS, make), "kill points")
