"""A therapist's day: real commands, real gpg, a running centre, clients who write by SMTP."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

import pytest

from e2e.clients import LockedClient, read
from e2e.staffroom import INBOX, Staffroom


@pytest.fixture(scope="module")
def room():
    """A centre with a supervisor and two therapists, in which every reply is held for an hour."""
    made = Staffroom()
    try:
        yield made.open("sari", "wulan", "bayu")
    finally:
        made.close()


def texts(shown) -> list[str]:
    return [entry["text"] for entry in shown["entries"] if entry["direction"] == "in"]


# -- enrolment ------------------------------------------------------------------------------------


def test_enrolling_opens_a_practice_letter(room):
    """Enrolling makes both keys, says where they are, and proves that they work."""
    home = room.home("wulan")
    key = home / "own" / "wulan.reader"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert b"BEGIN PGP MESSAGE" in key.read_bytes()
    code = room.json("sari", "invite", "wulan")["code"]
    again = room.run("wulan", "enrol", code, "--no-passphrase", expect=4)
    assert "reader key of wulan here already" in again.stderr


def test_a_wrong_code_makes_no_key(room):
    """A code nobody made is refused before anything is written."""
    done = room.run("nobody", "enrol", "AAAAA-BBBBB-CCCCC", "--no-passphrase", expect=1)
    assert "This code is not valid here" in done.stderr
    assert not (room.home("nobody") / "own").exists()


def test_a_passphrase_is_asked_for_and_needed(room, until):
    """A key with a passphrase opens a case only with it; pinentry asks at the terminal."""
    home = room.folder / "again"
    (home / "gnupg").mkdir(mode=0o700, parents=True)
    pinentry = home / "pinentry"
    pinentry.write_text(PINENTRY.format(log=home / "asked"))
    pinentry.chmod(0o700)
    (home / "gnupg" / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")
    own = {"HOME": str(home), "GNUPGHOME": str(home / "gnupg"), "MAILCOUNSEL_HOME": str(home / "o")}
    code = room.json("sari", "invite", "dian")["code"]
    terminal = room.terminal("dian", "enrol", code, **own)
    terminal.until("passphrase for your new key")
    terminal.type("correct horse\r")
    terminal.until("Repeat for confirmation")
    terminal.type("correct horse\r")
    screen = terminal.until("your keys work")
    assert terminal.wait() == 0
    assert "correct horse" not in screen
    assert (home / "asked").read_text()


PINENTRY = """#!/bin/sh
echo "OK here"
while read -r word rest; do
    case "$word" in
        GETPIN) echo asked >>"{log}"; echo "D correct horse"; echo OK ;;
        BYE) echo OK; exit 0 ;;
        *) echo OK ;;
    esac
done
"""


def test_without_a_terminal_no_passphrase_is_invented(room):
    """Where nobody can be asked, the choice must be said: a key by name, or none."""
    code = room.json("sari", "invite", "wulan")["code"]
    own = {"MAILCOUNSEL_HOME": str(room.folder / "own2"), "GNUPGHOME": str(room.folder / "gnupg2")}
    (room.folder / "gnupg2").mkdir(mode=0o700)
    done = room.run("wulan", "enrol", code, expect=1, **own)
    assert "--no-passphrase" in done.stderr


# -- reading --------------------------------------------------------------------------------------


def test_a_letter_is_queued_taken_and_read(room, client):
    """A letter shows in the queue without a word of it, and `next` takes and shows it."""
    case = room.write(client, "Hello, I sleep badly since July.")
    listed = room.run("wulan", "queue").stdout
    assert case in listed
    assert "July" not in listed
    assert client not in listed
    room.run("wulan", "assign", case, "wulan")
    shown = room.run("wulan", "show", case).stdout
    assert "I sleep badly since July." in shown
    assert client not in shown
    assert "with wulan" in shown


def test_next_gives_the_most_urgent_case_and_says_how_to_answer(room, client):
    """Signs of danger come first; opening the letter is the receipt."""
    room.write(f"calm-{client}", "I would like to talk about my work.")
    urgent = room.write(client, "I want to kill myself tonight.")
    taken = room.run("bayu", "next")
    assert taken.stdout.startswith(f"{urgent}  letters, en, open, with bayu")
    assert "SIGNS OF DANGER (NOT READ YET)" in taken.stdout
    assert f"mailcounsel reply {urgent}" in taken.stderr
    assert "read by bayu" in room.run("bayu", "show", urgent).stdout
    listed = room.json("wulan", "queue", "--all")["cases"]
    assert urgent not in [one["case"] for one in listed]


def test_case_names_are_taken_as_people_write_them(room, client):
    """C-0001, c-1 and 1 are one case."""
    case = room.write(client, "Hello, a short letter.")
    number = case.removeprefix("C-").lstrip("0")
    for name in (case, case.lower(), f"c-{number}", number):
        assert room.json("sari", "show", name)["case"] == case


def test_raw_mail_is_for_supervisors(room, client):
    """A supervisor gets the mail byte for byte; a therapist is told in a sentence why not."""
    letter = room.letter(client, "Raw words.", subject="raw subject")
    case = room.post(letter, client)
    raw = room.run("sari", "show", case, "--raw", "1").stdout
    assert client in raw
    assert "Subject: raw subject" in raw
    refused = room.run("wulan", "show", case, "--raw", "1", expect=1)
    assert "no key to the raw mail" in refused.stderr
    assert "assign" not in refused.stderr
    assert refused.stdout == ""


HOSTILE_NAME = "../../.profile\x1b[2J"


def test_files_are_saved_where_one_says_and_nowhere_else(room, client):
    """A file is saved under the name given, never over another, never through a link."""
    letter = room.letter(client, "A photo is with this.")
    letter.add_attachment(b"\x89PNG bytes", maintype="image", subtype="png", filename=HOSTILE_NAME)
    case = room.post(letter, client)
    shown = room.json("sari", "show", case)
    (file,) = shown["entries"][0]["attachments"]
    assert "/" not in file["name"]
    assert "\x1b" not in room.run("sari", "show", case).stdout
    home = room.home("sari")
    saved = room.run("sari", "show", case, "--save", "1/1", "photo.png")
    assert "not encrypted there" in saved.stderr
    assert (home / "photo.png").read_bytes() == b"\x89PNG bytes"
    assert stat.S_IMODE((home / "photo.png").stat().st_mode) == 0o600
    assert "there already" in room.run(
        "sari", "show", case, "--save", "1/1", "photo.png", expect=4
    ).stderr  # fmt: skip
    (home / "link").symlink_to(home / "elsewhere")
    room.run("sari", "show", case, "--save", "1/1", "link", expect=4)
    assert not (home / "elsewhere").exists()
    for wrong, code in (("1/0", 3), ("1/7", 3), ("9/1", 3), ("photo", 2), ("/1", 2)):
        room.run("sari", "show", case, "--save", wrong, "new", expect=code)
    assert not (home / "new").exists()


def test_a_picture_is_saved_without_the_place(room, client):
    """A phone writes where it was into a photo; what cannot be cleaned is not saved unasked."""
    place = b"GPS 6.2088 S"
    scan = b"\xff\xda\x00\x02pixels\xff\xd9"
    photo = b"\xff\xd8\xff\xe1\x00\x0e" + place + scan
    letter = room.letter(client, "Two photos.")
    letter.add_attachment(photo, maintype="image", subtype="jpeg", filename="a.jpg")
    letter.add_attachment(b"II*\0" + place, maintype="image", subtype="tiff", filename="b.tif")
    case = room.post(letter, client)
    home = room.home("sari")
    assert "was left out" in room.run("sari", "show", case, "--save", "1/1", "a.jpg").stderr
    assert (home / "a.jpg").read_bytes() == b"\xff\xd8" + scan
    refused = room.run("sari", "show", case, "--save", "1/2", "b.tif", expect=1)
    assert "--as-it-came" in refused.stderr
    assert not (home / "b.tif").exists()
    room.run("sari", "show", case, "--save", "1/2", "b.tif", "--as-it-came")
    assert place in (home / "b.tif").read_bytes()


# -- answering ------------------------------------------------------------------------------------


def test_a_reply_waits_until_the_client_has_chosen(room, client):
    """Without a way the reply waits, and the therapist is told what happens now."""
    case = room.write(client, "Hello, may I write to you?")
    said = room.run("sari", "reply", case, "-m", "Of course.").stdout
    assert f"Your reply to {case} waits" in said
    assert "note without content" in said
    assert "waits for the client's choice" in room.run("sari", "outbox").stdout


def test_a_raised_case_offers_ordinary_mail_first(room, client):
    """Signs of danger and no way yet: the person is asked for a reason before anything waits."""
    case = room.write(client, "I want to end my life.")
    terminal = room.terminal("sari", "reply", case, "-m", "Please call 112 now.")
    terminal.until("Send it at once as ordinary mail?")
    terminal.type("She cannot wait.\r")
    terminal.until("as ordinary mail, by your decision")
    assert terminal.wait() == 0
    hint = room.run("sari", "reply", case, "-m", "And write to me again.").stderr
    assert '--plain "reason"' in hint


def test_undo_brings_the_words_back(room, client):
    """A reply taken back is a draft again: saved unchanged in the editor it goes out once more."""
    case = room.write(client, "Hello, I have a question.")
    room.run("sari", "reply", case, "-m", "An answer of sorts.", "--plain", "agreed by phone")
    undone = room.run("sari", "undo")
    assert "Taken back: your reply of " in undone.stdout
    assert f" in {case}, letter " in undone.stdout
    assert f"mailcounsel reply {case} opens them" in undone.stdout
    assert "taken back, never sent" in room.run("sari", "show", case).stdout
    saw = room.folder / "saw"
    editor = room.folder / "copying-editor"
    editor.write_text(f'#!/bin/sh\ncp "$1" {saw}\ntouch "$1"\n')
    editor.chmod(0o700)
    again = room.run("sari", "reply", case, "--plain", "agreed by phone", EDITOR=str(editor))
    assert "leaves at" in again.stdout
    assert saw.read_text().startswith("An answer of sorts.\n")
    assert "I have a question." in saw.read_text().split(">8", 1)[1]
    assert f"mailcounsel reply {case} --dry-run" in saw.read_text().split(">8", 1)[1]
    assert not list(room.home("sari").rglob("*.draft"))
    twice = room.run("sari", "undo", "ffffff", expect=3)
    assert "no such reply of yours" in twice.stderr


def test_undo_of_an_appointment_says_where_it_stands(room, client):
    """The meeting is taken back with its letter, and its words are no draft of the next reply."""
    case = room.write(client, "Hello, could we talk?")
    day = (datetime.now(UTC) + timedelta(days=9)).date()
    words = ("propose", case, "--start", f"{day} 10:00", "--telephone", "--words", "On Monday?")
    room.run("sari", "appointment", *words, "--plain", "agreed by phone")
    undone = room.run("sari", "undo").stdout
    assert f"as it was before: mailcounsel appointment list {case}" in undone
    (kept,) = room.json("sari", "appointment", "list", case)["appointments"]
    assert kept["state"] == "cancelled"
    assert not list(room.home("sari").rglob("*.draft"))


def test_a_draft_survives_a_short_letter_by_hand(room, client):
    """What lies as a draft is not lost when a short reply is sent with -m."""
    case = room.write(client, "Hello again.")
    room.run("sari", "reply", case, "-m", "The long draft.", "--plain", "agreed")
    room.run("sari", "undo")
    room.run("sari", "reply", case, "-m", "A short word before.", "--plain", "agreed")
    assert list((room.home("sari") / "own").glob(f"sari.{case}.draft"))


def test_a_reply_from_standard_input_and_what_is_refused(room, client):
    """--file - takes the text as it comes; an empty or endless letter is refused in a sentence."""
    case = room.write(client, "Hello, is somebody there?")
    shown = room.run("sari", "reply", case, "--file", "-", "--dry-run", given="Yes, we are.\n")
    assert "Yes, we are." in shown.stdout
    assert "With warm wishes" in shown.stdout
    assert "empty" in room.run("sari", "reply", case, "--file", "-", expect=1).stderr
    long = room.run("sari", "reply", case, "--file", "-", given="x" * 12_001, expect=1)
    assert "12001 characters" in long.stderr
    reason = room.run("sari", "reply", case, "-m", "x", "--plain", " ", expect=1)
    assert f'mailcounsel reply {case} --plain "reason"' in reason.stderr
    assert case not in room.run("sari", "outbox").stdout.replace("acknowledgement", "").split(
        "reply"
    )[-1].split("\n")[0]  # fmt: skip


def test_a_therapist_introduces_themselves_from_their_profile(room, client, tmp_path):
    """Made in their own process; a licence that has expired introduces nobody."""
    case = room.write(client, "Hello, who reads this?")
    profile = tmp_path / "profile.toml"
    missing = room.run("sari", "introduce", case, "--profile", str(profile), expect=3)
    assert "There is no profile in" in missing.stderr
    lines = (
        'name = "Sari"',
        'training = { en = "a counsellor", id = "konselor" }',
        'languages = { en = "English", id = "Inggris" }',
        'licence = "0000-00"',
        "licence_expires = 2099-01-31",
    )
    profile.write_text("\n".join(lines))
    told = room.run("sari", "introduce", case, "-m", "Welcome!", "--profile", str(profile))
    assert f"Your reply to {case}" in told.stdout
    entries = room.json("sari", "show", case)["entries"]
    (sent,) = [entry["text"] for entry in entries if entry["kind"] == "reply"]
    assert "Welcome!" in sent
    assert "My name is Sari. I am a counsellor. I can write with you in English." in sent
    assert "0000-00" in sent
    assert "valid until 31 January 2099" in sent
    profile.write_text(profile.read_text().replace("2099", "2019"))
    expired = room.run("sari", "introduce", case, "--profile", str(profile), expect=1)
    assert "expired on 2019-01-31" in expired.stderr


def test_a_client_is_sent_their_own_progress(room, client):
    """Shown first, sent with words of the therapist's above the lines."""
    case = room.write(client, "Hello, I want to walk more.")
    room.run("sari", "goal", "add", case, "walk 30 minutes", "--at", "Mon 09:00")
    shown = room.run("sari", "case", "progress", case)
    assert shown.stdout.splitlines()[1] == "– walk 30 minutes: no number yet"
    sent = room.run("sari", "case", "progress", case, "--send", "-m", "Well done so far.")
    assert f"Your reply to {case}" in sent.stdout
    entries = room.json("sari", "show", case)["entries"]
    (text,) = [entry["text"] for entry in entries if entry["kind"] == "reply"]
    assert "Well done so far.\n\nThe numbers you gave yourself" in text


def test_the_admins_own_reply_template_is_used(room, client):
    """A template of the admin's shapes replies, though no such folder is at the therapist's."""
    folder = room.folder / "templates" / "en"
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "reply.txt"
    own.write_text("Subject: {{ subject }}\n\nGreetings from our own template.\n\n{{ text }}\n")
    try:
        case = room.write(client, "Hello, how do you write?")
        shown = room.run("sari", "reply", case, "-m", "Like this: {{ sign_off }}", "--dry-run")
        assert shown.stdout.startswith("Greetings from our own template.\n")
        assert "Like this: {{ sign_off }}" in shown.stdout  # words are never a template
        own.write_text("Subject: {{ subject }}\n\n{{ nothing_of_this_name }}\n")
        broken = room.run("sari", "reply", case, "-m", "x", expect=1)
        assert "en/reply.txt asks for a fact it is not given" in broken.stderr
    finally:
        own.unlink()


def test_a_locked_client_reads_the_reply(room, short_tmp):
    """A client with a key gets the reply encrypted, and reads what the therapist wrote."""
    dewi = LockedClient(short_tmp / "d", "dewi@mail.test", "Dewi Contoh")
    case = room.post(dewi.signed(dewi.letter("Halo, saya Dewi.", to=INBOX)), dewi.address)
    room.restart(hold=0)
    try:
        said = room.json("sari", "reply", case, "-m", "Selamat datang, marigold.")
        assert said["channel"] == "encrypted"
        mails = room.mail_for(dewi.address, 2)
    finally:
        room.restart(hold=3600)
    (mail,) = [one for one in mails if b"multipart/encrypted" in one and b"marigold" not in one][
        -1:
    ]
    dewi.learn(mail)
    armour = list(read(mail).iter_parts())[1].get_content()
    assert b"Selamat datang, marigold." in dewi.gpg("--decrypt", data=armour)


# -- the case's life ------------------------------------------------------------------------------


def test_notes_and_goals_are_kept_with_the_case(room, client):
    """A note and a goal are sealed, listed, and a stopped goal is asked about no longer."""
    case = room.write(client, "Hello, I would like to walk more.")
    room.run("sari", "note", case, "--file", "-", given="Asked about the knee.\n")
    assert "empty" in room.run("sari", "note", case, "-m", "  ", expect=1).stderr
    added = room.run("sari", "goal", "add", case, "walk 30 minutes", "--target", "4 times")
    assert f"G1 agreed in {case}" in added.stdout
    wrong = room.run("sari", "goal", "add", case, "x", "--at", "Moonday 9", expect=1)
    assert wrong.stderr.count("\n") <= 2
    listed = room.json("sari", "goal", "list", case)
    assert [(goal["text"], goal["target"]) for goal in listed["goals"]] == [
        ("walk 30 minutes", "4 times")
    ]
    shown = room.run("sari", "show", case).stdout
    assert "Asked about the knee." in shown
    assert "G1  walk 30 minutes (4 times): every week, Mon 09:00" in shown
    room.run("sari", "goal", "stop", case, "g1")
    assert "stopped" in room.run("sari", "goal", "list", case).stdout
    room.run("sari", "goal", "stop", case, "G7", expect=3)
    room.run("sari", "goal", "stop", case, "seven", expect=2)


def forms(room):
    """Return the questionnaires there are, by name and language."""
    listed = room.json("sari", "measure", "list")["measures"]
    return {(one["name"], one["language"]) for one in listed}


LEVELS = [(-2, "stays in"), (-1, "to the gate"), (0, "to the shop"), (1, "twice"), (2, "often")]


def test_a_goal_is_scaled_and_rated(room, client):
    """Five levels are written before the work, ratings follow, and goals give one number."""
    case = room.write(client, "Hello, I would like to go out again.")
    more = ("--baseline", "3", "--review", "2020-01-15")
    room.run("sari", "goal", "add", case, "go out", *more)
    words = [part for level, text in LEVELS for part in ("--level", str(level), text)]
    early = room.run("sari", "goal", "rate", case, "G1", "-1", expect=1)
    assert "no levels yet" in early.stderr
    assert "five levels" in room.run("sari", "goal", "scale", case, "G1", expect=1).stderr
    room.run("sari", "goal", "scale", case, "G1", *words, "--weight", "2")
    room.run("sari", "goal", "rate", case, "G1", "-1")
    room.run("sari", "goal", "rate", case, "g1", "+1")
    assert "stay" in room.run("sari", "goal", "scale", case, "G1", *words, expect=1).stderr
    room.run("sari", "goal", "rate", case, "G1", "3", expect=1)
    room.run("sari", "goal", "rate", case, "G7", "1", expect=3)
    listed = room.json("sari", "goal", "list", case)
    assert [one["level"] for one in listed["goals"][0]["levels"]] == [-1, 1]
    assert listed["together"] == {"t_score": 60.0, "goals": 1}
    shown = room.run("sari", "show", case).stdout
    for part in ("began at 3", "2020-01-15, which is now", "-1 +1: twice", "T 60.0"):
        assert part in shown
    room.run("sari", "case", "report", case, "page.html")
    page = (room.home("sari") / "page.html").read_text()
    for part in ("Goal scales", ": -1, ", ": +1</td>", "<td>twice (weight 2)</td>", "T 60.0"):
        assert part in page


def test_questionnaires_are_listed_sent_and_added(room, client):
    """What there is and what licence others need is listed; one is sent; an admin adds another."""
    case = room.write(client, "Hello, I would like to see how my weeks go.")
    listed = room.run("sari", "measure", "list").stdout
    assert "phq-9" in listed
    assert "who-5  WHO-5 Well-Being Index." in listed
    assert ("gad-7", "en") in forms(room)
    assert "No questionnaire was sent yet" in room.run("sari", "measure", "list", case).stdout
    told = room.run("sari", "measure", "send", case, "who-5", expect=3).stderr
    assert "measure import FILE.toml" in told
    rhythm = ("--every", "week", "--at", "Mon 09:00")
    sent = room.run("sari", "measure", "send", case, "gad-7", *rhythm)
    assert f"Q1 of {case}: gad-7 goes out on" in sent.stdout
    assert "Q1  GAD-7: every week, Mon 09:00" in room.run("sari", "measure", "list", case).stdout
    assert "Q1  GAD-7" in room.run("sari", "show", case).stdout
    assert room.json("sari", "measure", "list", case)["measures"][0]["answers"] == []
    room.run("sari", "goal", "add", case, "walk")
    assert f"G1 of {case}" in room.run("sari", "goal", "stop", case, "G1").stderr
    assert "Q1  GAD-7: every week" in room.run("sari", "measure", "list", case).stdout
    room.run("sari", "goal", "stop", case, "Q1")
    assert "Q1  GAD-7: stopped" in room.run("sari", "measure", "list", case).stdout
    form = room.folder / "own.toml"
    form.write_text(FORM)
    added = room.run("sari", "measure", "import", str(form))
    assert "Own (own, en) can be sent now." in added.stdout
    assert ("own", "en") in forms(room)
    form.write_text(FORM.replace("lower", "up"))
    wrong = room.run("sari", "measure", "import", str(form), expect=1).stderr
    assert 'score.better must be "lower" or "higher"' in wrong
    form.write_text(FORM)
    room.run("wulan", "measure", "import", str(form), expect=1)  # for admins only


FORM = """
name = "own"
title = "Own"
language = "en"
version = "1"
source = "x"
licence = "ours"
question = "How was it?"
items = ["One thing"]
option = [{value = 0, words = "bad"}, {value = 1, words = "good"}]
score = {method = "sum", better = "lower", missing = 0, missing_source = "x"}
"""


def test_a_case_handed_over_opens_for_the_colleague_alone(room, client):
    """Who a case is assigned to opens its old and new letters; another therapist opens none."""
    case = room.write(client, "The first letter.")
    room.run("wulan", "note", case, "-m", "A note before.")
    room.run("wulan", "assign", case, "bayu")
    shown = room.json("bayu", "show", case)
    assert [one.strip() for one in texts(shown)] == ["The first letter."]
    assert "A note before." in [entry["text"] for entry in shown["entries"]]
    for words in (("show", case), ("reply", case, "-m", "x"), ("note", case, "-m", "x")):
        refused = room.run("wulan", *words, expect=3)
        assert "not among the cases you can open" in refused.stderr
    assert room.json("sari", "show", case)["assignee"] == "bayu"
    missing = room.run("bayu", "assign", case, "nobody", expect=1)
    assert "nobody is not enrolled yet" in missing.stderr


def test_the_contact_card_is_for_an_inbox_of_the_centre(room):
    """`--inbox` chooses whose card it is; without a card it would say nothing."""
    assert "BEGIN:VCARD" in room.run("wulan", "key", "--vcard").stdout
    other = ("--inbox", "nobody@example.org")
    assert "no inbox" in room.run("wulan", "key", "--vcard", *other, expect=3).stderr
    assert "add --vcard" in room.run("wulan", "key", *other, expect=2).stderr


def test_two_cases_of_one_client_are_linked(room, client):
    """After linking, the letters of both are shown in one case."""
    first = room.write(client, "I write from my own address.")
    second = room.write(f"other-{client}", "And now from my sister's.")
    room.run("sari", "case", "merge", second, first)
    both = texts(room.json("sari", "show", first))
    assert [one.strip() for one in both] == [
        "I write from my own address.",
        "And now from my sister's.",
    ]
    assert second not in [one["case"] for one in room.json("sari", "queue", "--all")["cases"]]
    said = room.run("sari", "undo", second).stdout
    assert f"{second} is a case of its own again." in said
    assert "is neither merged" in room.run("sari", "undo", second, expect=4).stderr


def test_a_danger_is_closed_with_a_sentence_that_is_sealed(room, client):
    """Only a person's sentence closes a danger, and the sentence cannot be read in the store."""
    case = room.write(client, "I want to die.")
    assert "why the danger" in room.run("sari", "risk", "close", case, " ", expect=1).stderr
    unread = room.run("sari", "risk", "close", case, "typo", expect=4).stderr
    assert f"nobody has read. Read it first: mailcounsel show {case}" in unread
    room.run("sari", "show", case)
    room.run("sari", "risk", "close", case, "Quokka plan agreed with her sister.")
    assert "SIGNS OF DANGER" not in room.run("sari", "show", case).stdout
    state = b"".join(p.read_bytes() for p in (room.folder / "state").glob("mailcounsel.db*"))
    assert b"Quokka" not in state


def test_a_case_is_closed_and_opened_again(room, client):
    """A closed case leaves the queue and comes back when it is opened again."""
    case = room.write(client, "Hello, thank you for all.")
    number = str(int(case.removeprefix("C-")))
    refused = room.run("sari", "close", number, expect=1).stderr
    assert f'say why none is owed: mailcounsel close {case} --reason "…"' in refused
    said = room.run("sari", "close", number, "--reason", "she has found help near her").stderr
    assert "found help near her" in room.run("sari", "show", case).stdout
    assert f"{case} is closed." in said
    assert f"mailcounsel reopen {case}" in said
    closed = {one["case"]: one["state"] for one in room.json("sari", "queue", "--all")["cases"]}
    assert closed[case] == "closed"
    assert case not in [one["case"] for one in room.json("sari", "queue")["cases"]]
    again = room.run("sari", "reopen", number).stderr
    assert f"{case} is open again; no check-ins are agreed in it." in again
    assert room.json("sari", "show", case)["state"] == "open"


def test_nothing_there_says_how_to_make_it(room, client):
    """Where there is no appointment and no way yet, the next command stands there to be typed."""
    case = room.write(client, "Hello, may we talk?")
    assert "mailcounsel appointment propose" in room.run("sari", "appointment", "list", case).stdout
    said = room.run("sari", "way", "show", case).stdout
    assert f'mailcounsel reply {case} --plain "reason"' in said


def test_a_flag_is_cleared_by_who_has_seen_it(room, client):
    """`seen` clears a flag; of another word it says what is meant, or what ends it."""
    case = room.write(client, "Hello there, I am 15 years old and sleep badly.")
    assert f"Cleared. {case} is" in room.run("sari", "seen", case, "may-be-minor").stderr
    again = room.run("sari", "seen", case, "may-be-minor", expect=3)
    assert f"{case} is not flagged may-be-minor" in again.stderr
    wrong = room.run("sari", "seen", case, "bounce", expect=2).stderr
    assert f"There is no flag bounce. Did you mean bounced? Its flags: mailcounsel show {case}" in (
        " ".join(wrong.split())
    )
    later = room.run("sari", "seen", case, "evaluation-due", expect=2).stderr
    assert f"mailcounsel case evaluate {case}" in " ".join(later.split())
    assert "appointment-accepted" not in wrong + later


def test_who_lost_their_laptop_comes_back(room, client):
    """A new key replaces the lost one; what it cannot open is locked until a colleague assigns."""
    case = room.write(client, "Hello, before the laptop was stolen.")
    room.home("wulan").rename(room.folder / "stolen")
    made = room.run("sari", "invite", "wulan").stdout
    assert "wulan is enrolled already, and this code replaces no key" in made
    plain = made.split("mailcounsel enrol ")[1].split()[0]
    refused = room.run("wulan", "enrol", plain, "--no-passphrase", expect=4)
    assert "invite wulan --again" in refused.stderr
    made = room.run("sari", "invite", "wulan", "--again").stdout
    assert "mailcounsel assign CASE wulan" in made
    code = made.split("mailcounsel enrol ")[1].split()[0]
    assert "locked for you" in room.run("wulan", "enrol", code, "--no-passphrase").stderr
    (line,) = [one for one in room.run("wulan", "queue").stdout.splitlines() if case in one]
    assert "locked for you" in line
    room.run("bayu", "assign", case, "wulan")
    assert [one.strip() for one in texts(room.json("wulan", "show", case))] == [
        "Hello, before the laptop was stolen."
    ]
    assert texts(room.json("wulan", "show", room.write(f"new-{client}", "After."))) == ["After."]


def test_a_supervisor_who_lost_their_key_reads_again(room, client):
    """The therapist's own case opens for the supervisor's new key; its older raw mail does not."""
    case = room.write(client, "Hello, for two readers.")
    room.run("bayu", "assign", case, "bayu")
    key = room.home("sari") / "own" / "sari.reader"
    lost = key.rename(key.with_name("lost"))
    code = room.json("sari", "invite", "sari", "--again")["code"]
    fingerprint = lost.read_bytes().split(b"\n")[0].decode()
    room.run("sari", "enrol", code, "--key", fingerprint)
    shut = room.run("sari", "show", case).stdout
    assert shut.count(f"gives you one: mailcounsel assign {case} sari") == 1
    said = room.run("bayu", "assign", case, "bayu").stderr
    assert "sari can open its letters again" in said
    assert [one.strip() for one in texts(room.json("sari", "show", case))] == [
        "Hello, for two readers."
    ]
    assert "no key to the raw mail" in room.run("sari", "show", case, "--raw", "1", expect=1).stderr
    assert "sari" not in room.run("bayu", "assign", case, "bayu").stderr


# -- conventions ----------------------------------------------------------------------------------


def test_everything_that_reads_speaks_json(room, client):
    """Every reading command prints one JSON object with a version, and an empty list is a list."""
    case = room.write(client, "Hello, in JSON.")
    for words in (("queue",), ("show", case), ("outbox",), ("goal", "list", case), ("reconcile",)):
        assert room.json("sari", *words)["version"] == 1
    assert room.json("sari", "goal", "list", case)["goals"] == []


def test_one_account_with_several_people_says_which(room):
    """An account that acts for several people must say for whom, and not for anybody else."""
    unclear = room.run("", "queue", expect=1)
    assert "--as NAME" in unclear.stderr
    other = room.run("", "--as", "root", "queue", expect=1)
    assert "may not act as root" in other.stderr


def test_an_account_that_is_nobody_is_told_so(room):
    """A therapist without the admin's role cannot invite, and hears which role it takes."""
    refused = room.run("wulan", "invite", "bayu", expect=1)
    assert "admin" in refused.stderr


def test_the_reader_key_missing_here_is_said_in_a_sentence(room, client):
    """On a machine without the reader key a case does not open, and the way on is named."""
    case = room.write(client, "Hello from far away.")
    done = room.run("sari", "show", case, expect=69, MAILCOUNSEL_HOME=str(room.folder / "empty"))
    assert "mailcounsel invite sari --again" in done.stderr
