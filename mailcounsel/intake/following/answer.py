"""A letter that answers a question of ours: a check-in, a questionnaire, an invitation."""

from __future__ import annotations

import re

from sqlalchemy import RowMapping

from mailcounsel.casework import acceptance, answering, measures, meetings
from mailcounsel.intake import classifying
from mailcounsel.intake.following import danger, waiting
from mailcounsel.intake.following.recorded import Recorded
from mailcounsel.practice import answers, lint, names
from mailcounsel.practice.numbers import Number, Unsure

LONG_ANSWER = 10  # words: a check-in answer of more is a letter as well
_WORD = re.compile(r"[^\W\d_]{2,}")
_PLEADS = re.compile(
    r"\b(?:tolong|mohon|balas|hubungi|telepon|telp|bantu|please|pls|help|call|write|contact)\b",
    re.IGNORECASE,
)
# No sign of danger by itself, and nothing that a machine should thank for.
_LOSES_HEART = re.compile(
    r"\b(?:(?:gak?|ngg?ak?|enggak?|gk|tidak|tak|tdk)(?: ada)? (?:guna(?:nya)?|arti(?:nya)?|kuat|"
    r"sanggup|tahan)|percuma|sia-sia|(?:me)?nyerah|putus asa|capek?|lelah|hampa|(?:me)?nangis|"
    r"no (?:point|use|hope)|pointless|useless|worthless|hopeless|giv(?:e|ing) up|gave up|"
    r"(?:can['’]?t|cannot) (?:go on|cope|bear|take)|exhausted|cry(?:ing)?|cried|numb|empty)\b",
    re.IGNORECASE,
)


def is_about_meeting(this: Recorded) -> bool:
    """Read the letter as the answer to an invitation; True when nobody needs to act on it.

    What a calendar answers counts whichever program sent it; plain words only where surely a
    person wrote them. A refusal, a word more and a fresh sign of danger are for a person.
    """
    if not _is_theirs(this) or this.plan.assessed.may_be_fresh_danger:
        return False
    is_letter = this.plan.kind.kind == classifying.LETTER
    said, is_all = acceptance.take(
        this.connection,
        this.office,
        this.family,
        this.plan.opened.letter,
        "" if this.plan.kind.may_be_machine else this.plan.assessed.new_words,
        this.now,
    )
    if said == meetings.DECLINED and not is_letter:
        waiting.wait(this, acknowledge=False)
    if said != meetings.ACCEPTED or not is_all:
        return False
    this.retype("answer")
    return True


def _is_theirs(this: Recorded) -> bool:
    """Tell whether a client is proved to answer, in a letter that something may be taken from."""
    is_proved = this.plan.vouched.is_proved and this.plan.placement.case is not None
    return is_proved and not this.is_for_reading


def is_answer(this: Recorded) -> bool:
    """Read the letter as the answer to a check-in; True when nobody needs to act on it.

    What a machine may have written gives no number, whatever stands in it: a person reads it.
    """
    if not _is_theirs(this):
        return False
    form = measures.named_by(this.connection, this.office, this.family, this.references)
    if form is not None:
        return _is_measure(this, form)
    asked = answering.letter_for(
        this.connection, this.office, this.family, this.references, this.now
    )
    if asked is None:
        return False
    if asked.rows and asked.rows[0]["asks"] == names.MEASURE:
        return _is_measure(this, asked.rows[0], named=False)
    if this.plan.kind.may_be_machine:
        return False
    words = this.plan.assessed.new_words
    read = _read_answers(this, asked, words)
    certain = [isinstance(said, Number) for said in read.values()]
    is_all = all(certain) and not _says_more(words) and not _is_lowest(read)
    is_all = is_all and answers.numbered(words) <= set(read)  # no number is left over
    if not any(certain) and not asked.named:
        return False  # a letter about something else: the question stays open
    answering.answer(
        this.connection,
        this.office,
        this.as_it_is(),
        asked,
        read,
        words.strip(),
        this.letter_id,
        this.now,
        thank=this.plan.kind.may_answer and is_all,
    )
    if is_all:
        this.retype("answer")
    return is_all


def _says_more(words: str) -> bool:
    """Tell whether somebody should read the words: they ask, tell a story, or lose heart."""
    calls = any(one.search(words) for one in (_PLEADS, _LOSES_HEART))
    return calls or lint.asks(words) or len(_WORD.findall(words)) > LONG_ANSWER


def _is_lowest(read: answers.Answers) -> bool:
    """Tell whether a rating is 0: no machine says that it is good to hear so, a person reads it."""
    lowest = [name for name, said in read.items() if said == Number(0)]
    return any(answers.question(name).kind == "rating" for name in lowest)


def _is_measure(this: Recorded, checkin: RowMapping, *, named: bool = True) -> bool:
    """Read the letter as the answers to a questionnaire; True when all is done about it.

    Danger in it goes to the risk lane whatever else it holds. A sign of danger in its words
    bends no number, and is raised by itself.
    """
    text, kind = this.plan.opened.letter.text, this.plan.kind
    counts = not kind.may_be_machine
    reply = measures.Reply(this.letter_id, text, named, kind.may_answer, counts)
    read = measures.take(this.connection, this.office, this.as_it_is(), checkin, reply, this.now)
    if read.is_danger:
        # First, since a letter that waits sets the priority of its rule. The note with help is the
        # answer: a day beside it would sound as if it could wait until then.
        waiting.wait(this, acknowledge=False)
        danger.raise_it(this, "answer")
        return True
    is_all = read.is_all and not this.plan.assessed.is_fresh_danger
    if is_all:
        this.retype("answer")
    return is_all


def _read_answers(this: Recorded, asked: answering.OpenLetter, words: str) -> answers.Answers:
    """Read what was asked; beside a fresh sign of danger nothing is, so that a person reads."""
    if this.plan.assessed.may_be_fresh_danger:
        return {one.name: Unsure("danger") for one in asked.asks}
    language = this.plan.assessed.language or this.case["language"]
    own = answers.read(words, asked.asks, language)
    return own | answers.by_name(words, asked.asks_beside)
