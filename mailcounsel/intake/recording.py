"""Steps *seal* and *record*: one transaction for a letter, its case, what follows, the ledger.

Everything a letter causes (a new case, a pinned key, a consent, an acknowledgement, a risk) is
committed together with the letter's own end in the inbox, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.casework import (
    acceptance,
    answering,
    case_word,
    cases,
    crisis,
    daytime,
    letters,
    measures,
    records,
    requests,
    risk,
    silence,
    staff,
    unanswered,
    wishes,
)
from mailcounsel.casework.cases import NewCase
from mailcounsel.casework.office import Office
from mailcounsel.casework.records import Entry
from mailcounsel.intake import assessing, classifying, inbox, placing, vouching
from mailcounsel.intake.inbox import Received
from mailcounsel.intake.opening import Offered
from mailcounsel.letter import countries
from mailcounsel.practice import answers, suitability
from mailcounsel.practice.numbers import Number, Unsure
from mailcounsel.store import models, statements
from mailcounsel.trust import addressbook, pins

if TYPE_CHECKING:
    from mailcounsel.intake.looking import Plan

outgoing = models.table(models.Outgoing)

CASE = "case"
OWN_LOOP = "own-loop"
DISCARDED = "discarded"
CHANGED = "changed"  # the case changed since the letter was looked at: place it again
LOST = "lost-claim"  # another process has this letter now
LONG_ANSWER = 200  # characters: a check-in answer longer than this is a letter as well


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a letter ended."""

    state: str
    case_id: str | None = None
    letter_id: str | None = None


def record(
    connection: Connection, office: Office, received: Received, plan: Plan, now: datetime
) -> Outcome:
    """Write down a letter and everything it causes; nothing when it must be placed again."""
    if not statements.holds(connection, inbox.inboxes, received.inbox_id, received.fence):
        return Outcome(LOST)
    if plan.kind.kind == classifying.OWN_LOOP:
        return _settle(connection, received, Outcome(OWN_LOOP), plan.kind.reason)
    if plan.placement.why == placing.ERASED and plan.envelope.mail_from == "":
        return _settle(connection, received, Outcome(DISCARDED), plan.placement.why)
    case = _locked(connection, office, plan, now)
    if case is None:
        return Outcome(CHANGED)
    if plan.placement.case is None and case["maybe_case_id"]:
        kind = "maybe" if plan.placement.maybe else "maybe-word"
        records.flag(connection, now, case["id"], kind, case["maybe_case_id"])
    letter_id = records.write(connection, office.keyring, case["id"], _entry(received, plan))
    _remember(connection, office, case, plan, letter_id, now)
    Follow(connection, office, case, plan, letter_id, received, now).up()
    records.audit(connection, now, "service", f"letter-{plan.placement.why}", case["id"], letter_id)
    return _settle(connection, received, Outcome(CASE, case["id"], letter_id), plan.placement.why)


def _locked(connection: Connection, office: Office, plan: Plan, now: datetime) -> RowMapping | None:
    """Lock the case the letter was placed in, or open a new one, and return it.

    None where the case is not what it was when the letter was looked at, or the stranger who wrote
    it is known by now.
    """
    placed = plan.placement.case
    if placed is None:
        known = _is_known_by_now(connection, office, plan)
        return None if known else _new(connection, office, plan, now)
    row = cases.get(connection, placed.id, lock=True)
    now_is = (row["version"], row["state"], row["client_id"], row["merged_into"])
    return row if now_is == (placed.version, placed.state, placed.client_id, None) else None


def _is_known_by_now(connection: Connection, office: Office, plan: Plan) -> bool:
    address = plan.opened.letter.sender.address
    if plan.placement.why != "new" or address is None:
        return False
    return bool(addressbook.clients_with(connection, office.keyring, address))


def _settle(connection: Connection, received: Received, outcome: Outcome, reason: str) -> Outcome:
    """End a letter's time in the inbox: its raw bytes are forgotten there."""
    ours = inbox.settle(
        connection,
        received,
        cast("inbox.Settled", outcome.state),
        reason=reason,
        case_id=outcome.case_id,
        letter_id=outcome.letter_id,
    )
    if not ours:
        message = "another process has this letter now"
        raise errors.Conflict(message)
    return outcome


def _new(connection: Connection, office: Office, plan: Plan, now: datetime) -> RowMapping:
    language = plan.assessed.language or office.config.language(plan.inbox)
    client_id = plan.placement.client_id or _new_client(connection, office, plan, language, now)
    new = NewCase(
        client_id=client_id,
        inbox=plan.inbox.address,
        queue=plan.decision.queue,
        language=language,
        priority="low" if plan.kind.kind != classifying.LETTER else plan.decision.priority,
        tags=plan.decision.tags,
        suspect=plan.envelope.suspect,
        maybe_case_id=_maybe(connection, office, plan, now),
    )
    return cases.get(connection, cases.open_case(connection, office, new, now))


def _maybe(connection: Connection, office: Office, plan: Plan, now: datetime) -> str | None:
    """Return the case a new one may belong to: the one placing found, else the one it names."""
    if plan.placement.maybe:
        return plan.placement.maybe.id
    word = plan.assessed.case_word
    if word is None or not plan.names_a_case:
        return None
    return case_word.proposal(connection, office, word, now)


def _new_client(
    connection: Connection, office: Office, plan: Plan, language: str, now: datetime
) -> str:
    return addressbook.add_client(
        connection,
        office.keyring,
        plan.opened.letter.sender.address,
        language=language,
        time_zone=office.config.centre.time_zone,
        now=now,
    )


def _entry(received: Received, plan: Plan) -> Entry:
    letter = plan.opened.letter
    kinds = {classifying.BOUNCE: "bounce", classifying.AUTOMATIC: "automatic"}
    content = {
        "subject": letter.subject,
        "text": letter.text,
        "html_used": letter.html_used,
        "message_id": letter.message_id,
        "date": letter.date.isoformat() if letter.date else None,
        "encrypted": plan.opened.was_encrypted,
        "sender_doubt": letter.sender.doubt,
        "problems": list(plan.opened.problems),
        "signs": [[sign.kind, sign.start, sign.end] for sign in plan.assessed.signs],
        "attachments": [
            {"name": one.name, "type": one.content_type, "size": len(one.data)}
            for one in letter.attachments
        ],
    }
    return Entry(
        direction="in",
        kind=kinds.get(plan.kind.kind, "letter"),
        at=received.received_at,
        content=content,
        vouching=plan.vouched.kind,
        suspect=plan.envelope.suspect,
        attachments=[one.data for one in letter.attachments],
        source=received.raw,
    )


def _remember(
    connection: Connection,
    office: Office,
    case: RowMapping,
    plan: Plan,
    letter_id: str,
    now: datetime,
) -> None:
    """Remember what the letter showed: its id, for the thread, and its sender's keys."""
    letter = plan.opened.letter
    if letter.message_id:
        letters.name_message(connection, office, case["id"], letter.message_id, letter_id)
    if plan.kind.kind != classifying.LETTER:
        return
    letters.extend_thread(connection, office, case, letter.message_id)
    is_theirs = plan.placement.case is None or plan.vouched.is_proved
    states = set()
    for offered in plan.opened.offered if is_theirs and not plan.envelope.suspect else ():
        if not offered.usable and not _is_known(connection, office, case, offered):
            continue
        state = pins.meet(
            connection,
            office.keyring,
            case["client_id"],
            offered.fingerprint,
            offered.certificate,
            proved=offered.fingerprint in plan.opened.signed_by,
            now=now,
        )
        states.add(state)
    if "alarm" in states:
        records.flag(connection, now, case["id"], "key-changed", letter_id)
    if "pinned" in states:
        letters.release_waiting(connection, office, case["client_id"], now)


def _is_known(connection: Connection, office: Office, case: RowMapping, offered: Offered) -> bool:
    """Tell whether a client's certificate was met before: its end is worth knowing as well."""
    known = pins.of_client(connection, office.keyring, case["client_id"])
    return offered.fingerprint in {pin.fingerprint for pin in known}


@dataclass(frozen=True, slots=True)
class Follow:
    """What a recorded letter sets in motion. `case` is the row as it was before."""

    connection: Connection
    office: Office
    case: RowMapping
    plan: Plan
    letter_id: str
    received: Received
    now: datetime

    def up(self) -> None:
        """Set it in motion: a bounce, a command, a check-in answer, a letter that waits."""
        if self.plan.kind.kind == classifying.LETTER and self.plan.placement.case is not None:
            unanswered.heard(self.connection, self.case, self.now)
        if self.plan.kind.kind == classifying.BOUNCE:
            self._bounce()
        elif self.plan.kind.kind == classifying.AUTOMATIC:
            if not self._is_about_meeting():
                self._audit_kind("automatic")
        elif self._is_command():
            self._command()
        elif not self._is_about_meeting() and not self._is_answer():
            self._waits()
        if self.plan.kind.kind == classifying.LETTER:
            self._denies()
            self._is_heard()
        self._danger()

    @property
    def case_id(self) -> str:
        """The id of the case."""
        return str(self.case["id"])

    def _stranger(self) -> str | None:
        """Return the letter's words where nobody vouches for who wrote them."""
        return None if self.plan.vouched.is_proved else self.plan.assessed.new_words

    def _case(self) -> RowMapping:
        """Return the case as it is now."""
        return cases.get(self.connection, self.case_id)

    def _audit_kind(self, kind: str) -> None:
        case_id, ref = self.case_id, self.letter_id
        records.audit(self.connection, self.now, "service", f"letter-is-{kind}", case_id, ref)

    def _bounce(self) -> None:
        """Tie a bounce to the mail it reports; a reply that bounced opens the case again, loudly.

        A report that came from a person's address is no mail server's: it raises a flag only.
        """
        outgoing_id = self.plan.placement.outgoing_id
        if outgoing_id is None:
            return
        records.flag(self.connection, self.now, self.case_id, "bounced", outgoing_id)
        if self.plan.envelope.mail_from:
            return
        one = outgoing.c.id == outgoing_id
        row = self.connection.execute(select(outgoing).where(one)).mappings().one()
        if row["state"] not in {"sent", "uncertain", "handing-over", "bounced", "settled"}:
            return  # it has not left, so nobody can have sent it back
        bounced = update(outgoing).where(one, outgoing.c.state.in_(["sent", "uncertain"]))
        self.connection.execute(bounced.values(state="bounced"))
        case = self._case()
        if row["kind"] == "reply":
            cases.letter_waits(self.connection, self.office, case, self.received.received_at)
            cases.raise_priority(self.connection, self.case_id, "high")
            staff.notify(self.connection, self.office, case, f"bounce:{outgoing_id}", self.now)
            if cases.has_open_risk(self.connection, case):
                risk.raise_risk(
                    self.connection,
                    self.office,
                    self.case_id,
                    self.letter_id,
                    self.now,
                    cause="bounced",
                )

    def _is_command(self) -> bool:
        command = self.plan.assessed.command
        if command is None or self.plan.envelope.suspect:
            return False
        if command == "agree":
            return self._may_agree()
        if command in daytime.PARTS and not daytime.asked_about(self.connection, self.case):
            return False  # nobody asks them anything: it was a greeting
        if command in {"copy", "erase"}:
            return self.plan.vouched.kind in {vouching.SIGNED, vouching.TOKEN}
        return command == "help" or self.plan.vouched.is_proved

    def _denies(self) -> None:
        """Stop what was asked in a client's name where this letter answers our notice of it.

        Whoever wrote it: somebody may be reading the client's mail, so a person looks soon.
        """
        letter, command = self.plan.opened.letter, self.plan.assessed.command
        nearest = [*letter.in_reply_to, *letter.references[-1:]]
        stopped = wishes.denied_by(
            self.connection, self.office, nearest, self.letter_id, command, self.now
        )
        for case_id in stopped:
            case = cases.main(self.connection, case_id)
            cases.raise_priority(self.connection, case["id"], "high")
            occasion = f"denied:{self.letter_id}"
            staff.notify(self.connection, self.office, case, occasion, self.now)

    def _may_agree(self) -> bool:
        """Consent counts only with our token in the letter, for a client without a pinned key."""
        client_id = self.case["client_id"]
        has_key = pins.pinned(self.connection, self.office.keyring, client_id) is not None
        return self.plan.vouched.kind == vouching.TOKEN and not has_key

    def _command(self) -> None:
        """Do what a word asks; a call for help, and words beyond the one, wait for a person."""
        command = self.plan.assessed.command or ""
        requests.carry_out(
            self.connection,
            self.office,
            self._case(),
            command,
            self.letter_id,
            self.now,
            proof=self.plan.vouched.kind,
            may_answer=self.plan.kind.may_answer,
            stranger=self._stranger(),
        )
        is_asking = command in requests.FOR_A_PERSON
        is_pressing = command == assessing.HELP or (is_asking and command != requests.PROGRESS)
        if is_pressing or is_asking or self.plan.assessed.says_more:
            self._waits(acknowledge=False)
        else:
            self._retype("command")
        if is_pressing:
            cases.raise_priority(self.connection, self.case_id, "high")
            occasion = f"{command}:{self.letter_id}"
            staff.notify(self.connection, self.office, self._case(), occasion, self.now)

    def _is_about_meeting(self) -> bool:
        """Read the letter as the answer to an invitation; True when nobody needs to act on it.

        What a calendar answers counts whichever program sent it; plain words only where a person
        wrote them. A refusal, a word more and a sign of danger are for a person.
        """
        if not self.plan.vouched.is_proved or self.plan.placement.case is None:
            return False
        if self.plan.envelope.suspect or self.plan.assessed.signs:
            return False
        is_letter = self.plan.kind.kind == classifying.LETTER
        said, is_all = acceptance.take(
            self.connection,
            self.office,
            cases.family(self.connection, self.case),
            self.plan.opened.letter,
            self.plan.assessed.new_words if is_letter else "",
            self.now,
        )
        if said == acceptance.DECLINED and not is_letter:
            self._waits(acknowledge=False)
        if said != acceptance.ACCEPTED or not is_all:
            return False
        self._retype("answer")
        return True

    def _is_answer(self) -> bool:
        """Read the letter as the answer to a check-in; True when nobody needs to act on it."""
        if not self.plan.vouched.is_proved or self.plan.placement.case is None:
            return False
        if self.plan.envelope.suspect:
            return False
        letter = self.plan.opened.letter
        family = cases.family(self.connection, self.case)
        references = [*letter.in_reply_to, *reversed(letter.references)]
        form = measures.named_by(self.connection, self.office, family, references)
        if form is not None:
            return self._is_measure(form)
        asked = answering.letter_for(self.connection, self.office, family, references, self.now)
        if asked is None:
            return False
        if asked.rows[0]["asks"] == measures.MEASURE:
            return self._is_measure(asked.rows[0], named=False)
        words = self.plan.assessed.new_words
        read = self._read_answers(asked, words)
        certain = [isinstance(said, Number) for said in read.values()]
        if not any(certain) and not asked.named:
            return False  # a letter about something else: the question stays open
        answering.answer(
            self.connection,
            self.office,
            self._case(),
            asked,
            read,
            words.strip(),
            self.letter_id,
            self.now,
            thank=self.plan.kind.may_answer,
        )
        if not all(certain) or len(words) > LONG_ANSWER:
            return False
        self._retype("answer")
        return True

    def _is_measure(self, checkin: RowMapping, *, named: bool = True) -> bool:
        """Read the letter as the answers to a questionnaire; True when all is done about it.

        Danger in it goes to the risk lane whatever else it holds. A sign of danger in its words
        bends no number, and is raised by itself.
        """
        text, may_answer = self.plan.opened.letter.text, self.plan.kind.may_answer
        reply = measures.Reply(self.letter_id, text, named, may_answer)
        read = measures.take(self.connection, self.office, self._case(), checkin, reply, self.now)
        if read.is_danger:
            self._waits()  # first, since a letter that waits sets the priority of its rule
            self._raise("answer")
            return True
        is_all = read.is_all and not self.plan.assessed.is_fresh_danger
        if is_all:
            self._retype("answer")
        return is_all

    def _read_answers(self, asked: answering.OpenLetter, words: str) -> answers.Answers:
        """Read what was asked; beside a sign of danger nothing is read, so that a person reads."""
        if self.plan.assessed.signs:
            return {one.name: Unsure("danger") for one in asked.asks}
        language = self.plan.assessed.language or self.case["language"]
        return answers.read(words, asked.asks, language)

    def _retype(self, kind: str) -> None:
        one = records.letters.c.id == self.letter_id
        self.connection.execute(update(records.letters).where(one).values(kind=kind))

    def _waits(self, *, acknowledge: bool = True) -> None:
        priority = self.plan.decision.priority if self.plan.placement.case else "low"
        came = self.received.received_at
        case = cases.letter_waits(self.connection, self.office, self.case, came, priority)
        if self.plan.placement.case:
            cases.add_tags(self.connection, self.office, case, self.plan.decision.tags)
        if self.plan.envelope.suspect:
            records.flag(self.connection, self.now, self.case_id, "suspect", self.letter_id)
            return
        if self.plan.placement.case is None:
            self._propose()
        if acknowledge and self.plan.kind.may_answer and not self._is_noted():
            requests.acknowledge(
                self.connection,
                self.office,
                case,
                is_new=self.plan.placement.case is None,
                template=self.plan.decision.acknowledgement,
                received_at=self.received.received_at,
                now=self.now,
                stranger=self._stranger(),
                ask_when=self.plan.names_a_case,
            )
        staff.notify(self.connection, self.office, case, "", self.now)

    def _propose(self) -> None:
        """Show to a person where a new client may need something else than letters."""
        country = countries.of_zone(self.office.config.centre.time_zone)
        for sign in suitability.proposals(self.plan.assessed.new_words, country):
            kind = f"may-be-{sign.kind}"
            records.flag(self.connection, self.now, self.case_id, kind, self.letter_id)

    def _is_heard(self) -> None:
        """A client who writes is not silent; whoever proves nothing may be somebody else."""
        if self.plan.vouched.is_proved:
            silence.heard(self.connection, cases.family(self.connection, self._case()))

    def _danger(self) -> None:
        """Raise the case for signs of danger."""
        if self._is_danger():
            self._raise("words")

    def _is_danger(self) -> bool:
        """Tell whether a letter shows danger; a proved client's old words in a quote do not."""
        is_old = self.plan.placement.case is not None and not self.plan.assessed.is_fresh_danger
        if not self.plan.assessed.is_danger or is_old or self._is_only_form():
            return False
        is_report = self.plan.kind.kind == classifying.BOUNCE or self.plan.opened.letter.report
        return not is_report

    def _is_noted(self) -> bool:
        """Tell whether a known client in danger gets the note with help instead.

        Beside it, a day by which we aim to answer would sound as if it could wait until then. A new
        client gets both, since the first acknowledgement asks how letters may reach them.
        """
        is_known = self.plan.placement.case is not None
        return is_known and self.plan.assessed.is_plain_danger and self._is_danger()

    def _is_only_form(self) -> bool:
        """Tell whether all signs are words of a questionnaire of ours, quoted without marks.

        What is answered to such words is read for itself (`_is_measure`).
        """
        if not self.plan.vouched.is_proved or self.plan.placement.case is None:
            return False
        letter, family = self.plan.opened.letter, cases.family(self.connection, self.case)
        references = [*letter.in_reply_to, *reversed(letter.references)]
        form = measures.named_by(self.connection, self.office, family, references)
        start = len(letter.subject) + 2  # the places of signs count from the subject
        fresh = [one for one in self.plan.assessed.signs if not one.quoted]
        places = [(one.start - start, one.end - start) for one in fresh]
        case = self._case()
        return form is not None and measures.are_ours(
            self.connection, self.office, case, form, letter.text, places
        )

    def _raise(self, cause: str) -> None:
        """Put the case into the risk lane, from which only a person takes it."""
        risk.raise_risk(
            self.connection, self.office, self.case_id, self.letter_id, self.now, cause=cause
        )
        # Again, now that it is urgent: the promise to look is the urgent one.
        cases.letter_waits(self.connection, self.office, self._case(), self.received.received_at)
        if cause == "answer" or self.plan.assessed.is_plain_danger:
            self._help_near()

    def _help_near(self) -> None:
        """Say at once where help is, to whoever may be answered."""
        is_told = self.plan.assessed.command == assessing.HELP  # that answer says it as well
        if self.plan.kind.may_answer and not self.plan.envelope.suspect and not is_told:
            crisis.offer(
                self.connection,
                self.office,
                self._case(),
                self.letter_id,
                self.now,
                self._stranger(),
            )
