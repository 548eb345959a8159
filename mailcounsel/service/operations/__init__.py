"""What the service does when asked, by name, and which roles may ask."""

from __future__ import annotations

from mailcounsel.service.control import Operation
from mailcounsel.service.operations import (
    cases,
    centre,
    erasing,
    goals,
    health,
    journey,
    keys,
    letters,
    people,
    skills,
    splits,
    ways,
)

READERS = frozenset({"therapist", "supervisor"})
ADMINS = frozenset({"admin"})
STAFF = READERS | ADMINS
ANYBODY: frozenset[str] = frozenset()

OPERATIONS: dict[str, Operation] = {
    "hello": Operation(centre.hello, ANYBODY),
    "queue.list": Operation(cases.queue, READERS),
    "case.next": Operation(cases.take_next, READERS),
    "case.show": Operation(cases.show, READERS),
    "case.read": Operation(cases.mark_read, READERS),
    "case.reader": Operation(cases.reader, READERS),
    "case.give": Operation(cases.give_keys, READERS),
    "case.keyless": Operation(people.keyless, READERS),
    "case.assign": Operation(cases.assign, READERS),
    "case.close": Operation(cases.close, READERS),
    "case.reopen": Operation(cases.reopen, READERS),
    "case.link": Operation(cases.link, READERS),
    "case.unlink": Operation(cases.unlink, READERS),
    "case.agree": Operation(journey.agree, READERS),
    "case.end": Operation(journey.end, READERS),
    "split.proposed": Operation(splits.proposed, READERS),
    "split.begin": Operation(splits.begin, READERS),
    "split.piece": Operation(splits.piece, READERS),
    "split.finish": Operation(splits.finish, READERS),
    "case.clear": Operation(cases.clear_flag, READERS),
    "case.erasing": Operation(erasing.ahead, READERS),
    "case.erase": Operation(erasing.erase, READERS),
    "risk.close": Operation(cases.close_risk, READERS),
    "letter.piece": Operation(letters.piece, READERS),
    "note.add": Operation(letters.add_note, READERS),
    "reply.begin": Operation(letters.begin_reply, READERS),
    "reply.approve": Operation(letters.approve_reply, READERS),
    "reply.undo": Operation(letters.undo_reply, READERS),
    "outbox.list": Operation(letters.outbox, STAFF),
    "outbox.resend": Operation(letters.resend, READERS),
    "outbox.settle": Operation(letters.settle, READERS),
    "goal.add": Operation(goals.add, READERS),
    "goal.list": Operation(goals.listed, READERS),
    "goal.stop": Operation(goals.stop, READERS),
    "lesson.list": Operation(skills.lessons, READERS),
    "lesson.show": Operation(skills.lesson, READERS),
    "skill.assign": Operation(skills.assign, READERS),
    "centre.key": Operation(keys.show, ANYBODY),
    "way.show": Operation(ways.show, READERS),
    "way.accept": Operation(ways.accept, READERS),
    "way.withdraw": Operation(ways.withdraw, READERS),
    "person.invite": Operation(people.invite, ADMINS),
    "person.invited": Operation(people.invited, ANYBODY),
    "person.enrol": Operation(people.enrol, ANYBODY),
    "quarantine.list": Operation(centre.quarantine, ADMINS),
    "quarantine.retry": Operation(centre.retry, ADMINS),
    "reconcile": Operation(centre.reconcile, ADMINS),
    "status": Operation(centre.status, ADMINS),
    "doctor": Operation(health.doctor, ADMINS),
    "roundtrip.send": Operation(health.roundtrip_send, ADMINS),
    "roundtrip.look": Operation(health.roundtrip_look, ADMINS),
}
