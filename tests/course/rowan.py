"""Rowan: locked letters, in English, with questionnaires, a pause and a changed plan."""

from __future__ import annotations

from course.scenes import Scene, fills, types, writes

CASE = "C-0002"

# fmt: off
STORY = (
    # -- introduction ----------------------------------------------------------------------------
    Scene("1 Mon 10:05", writes(
        "Hello. I moved here in spring for work, and since then I hardly talk to anybody. The "
        "evenings are long. I used to be a cheerful person, and I would like to be one again.",
    )),
    Scene("1 Mon 14:30", types("assign", CASE, "wulan")),
    Scene("1 Mon 14:31", types(
        "introduce", CASE, "-m",
        "Thank you for your letter. A new town with long evenings: I can picture that.",
    )),
    Scene("1 Wed 10:00", types(
        "reply", CASE, "--template", "questions", "-m",
        "To understand you better I have a few questions.",
    )),
    Scene("1 Sat 15:20", writes(
        "1. Rowan.",
        "2. I want people around me again. Since May.",
        "3. My sister, but she lives far away.",
        "4. Yes, 42.",
        "5. Indonesia, in the west of Java.",
        "6. No, and no medicine.",
        "7. No.",
        "8. Any time. Reminders are fine.",
        "9. A Sunday that I look forward to.",
    )),
    # -- understanding ---------------------------------------------------------------------------
    Scene("2 Tue 10:00", types(
        "case", "summary", CASE, "--send", "-m",
        "Since you moved here in spring there is nobody to share an evening with. Your sister is "
        "dear to you and far away. The longer it goes on, the harder it seems to speak to somebody "
        "new.",
    )),
    Scene("2 Wed 18:00", writes(
        "That is right. What is missing: I did try a choir once, and left early.",
    )),
    Scene("2 Thu 11:00", types("case", "strength", CASE, "goes and tries things, even alone")),
    Scene("2 Thu 11:05", types(
        "reply", CASE, "--activity", "understanding", "--activity", "support", "-m",
        "Thank you, I have added the choir. You went there alone, to people you did not know. Not "
        "everybody dares that.\n\n"
        "May I suggest that we write once a week, and look back together after six of my letters? "
        "I would also like to send you two short lists of questions, so that we both see how you "
        "are.",
    )),
    Scene("2 Thu 19:00", writes("Yes to both.")),
    Scene("2 Fri 10:00", types(
        "case", "contract", CASE, "--rhythm", "every week", "--exchanges", "6",
    )),
    Scene("3 Mon 09:30", types(
        "measure", "send", CASE, "phq-9", "--every", "2 weeks", "--at", "Wed 10:00",
    )),
    Scene("3 Mon 09:31", types("measure", "send", CASE, "gad-7")),
    Scene("3 Tue 18:00", writes("1 1 2 1 0 1 0")),
    Scene("3 Wed 18:30", writes("2 2 1 2 1 1 1 0 0")),
    # -- goals -----------------------------------------------------------------------------------
    Scene("3 Thu 10:00", types(
        "reply", CASE, "--activity", "goals", "-m",
        "Thank you for answering both lists. What they say to me is what you say yourself: it is "
        "hard, and you are there every day. Shall we choose one thing that can be counted? I "
        "thought of this: talk with somebody for ten minutes, three times a week.",
    )),
    Scene("3 Thu 20:00", writes("Good. At the moment it is once a week, at the bakery.")),
    Scene("3 Fri 10:00", types(
        "goal", "add", CASE, "talk with somebody for ten minutes", "--target", "3 times a week",
        "--baseline", "2", "--at", "Mon 09:00",
    )),
    Scene("3 Fri 10:01", types(
        "goal", "scale", CASE, "G1", "--level", "-2", "with nobody", "--level", "-1", "once",
        "--level", "0", "twice", "--level", "1", "three times", "--level", "2", "more often",
    )),
    Scene("3 Fri 10:02", types(
        "goal", "add", CASE, "--asks", "mood", "--every", "week", "--at", "Mon 09:00",
    )),
    Scene("3 Fri 10:03", types("case", "plan", CASE, "-m", "Small talks first; the choir later.")),
    # -- skills, practice, check-ins -------------------------------------------------------------
    Scene("4 Mon 18:00", writes("G1 4 / mood 5")),
    Scene("4 Thu 10:00", types(
        "skill", "assign", CASE, "activity-planning", "--at", "Mon 09:00", "--words",
        "The bakery is a good place to begin. Here is a way to bring a little more of that into "
        "the week.",
        "--praise", "That is worth something, whatever the week was like.",
    )),
    Scene("5 Mon 18:10", writes("G1 5", "mood 5", "practice 2")),
    Scene("5 Thu 10:00", types(
        "reply", CASE, "--activity", "practice", "--activity", "support", "-m",
        "Two small plans that came true, and I noticed that you put them on the two hardest days. "
        "What was it like at the market?",
    )),
    Scene("5 Wed 18:00", writes("2", "1", "1", "2", "1", "1", "1", "0", "0")),
    Scene("5 Fri 18:00", writes(
        "Loud, and then fine. The man with the mangoes knows my name now.",
    )),
    Scene("6 Mon 18:00", writes("hard to say this week, my landlord wants to sell the flat")),
    Scene("6 Tue 10:00", types(
        "reply", CASE, "--activity", "support", "-m",
        "That would unsettle anybody. No number is needed in such a week. If the questions are too "
        "much just now, send the word PAUSE, and they rest until you want them again.",
    )),
    Scene("6 Tue 18:00", writes("PAUSE")),
    Scene("7 Wed 18:00", writes(
        "The flat is not sold after all. I slept for the first time in days.",
    )),
    Scene("7 Thu 10:00", types(
        "reply", CASE, "--activity", "support", "-m",
        "What good news. Sleep first, then everything else. When you are ready for the Monday "
        "questions again, send the word CONTINUE.",
    )),
    Scene("8 Sun 18:00", writes("CONTINUE")),
    Scene("9 Mon 18:00", writes("G1: seven", "mood: six", "practice: three times")),
    Scene("9 Wed 19:00", writes("1 1 1 1 1 0 1 0 0")),
    # -- evaluation ------------------------------------------------------------------------------
    Scene("9 Thu 10:00", fills("case", "evaluate", CASE, gaps=[
        "You talk with people most days, and one of them knows your name.",
        "Sundays, and news that come all at once.",
        "Planning something small for the hardest days, and giving yourself a rest.",
        "You say plainly when it is too much.",
        "The talks go on by themselves. I would like to turn to the Sundays, and to the choir.",
    ])),
    Scene("9 Fri 18:00", writes("It fits. More questions like the one about the market, please.")),
    Scene("10 Mon 10:00", types(
        "case", "plan", CASE, "-m", "Sundays and the choir; the talks go on by themselves.",
        "--reason", "He talks with people most days; Sundays are what is left.",
    )),
    Scene("10 Mon 10:01", types("goal", "rate", CASE, "G1", "1")),
    Scene("10 Mon 18:00", writes("8 / 6 / 2")),
    Scene("10 Thu 10:00", types(
        "reply", CASE, "--activity", "goals", "-m",
        "Then a question of that kind: which song would you sing if nobody listened? And when does "
        "the choir meet?",
    )),
    Scene("10 Fri 18:00", writes("An old one my sister knows. It meets on Sundays, of all days.")),
    Scene("11 Mon 18:00", writes("8 / 7 / 3")),
    Scene("11 Tue 18:00", writes("PROGRESS")),
    Scene("11 Wed 10:01", types("case", "progress", CASE, "--send")),
    Scene("11 Wed 18:00", writes("1 0 1 1 0 0 1 0 0")),
    Scene("12 Mon 18:00", writes("9, mood 8, practice 2. I stayed to the end.")),
    Scene("12 Thu 10:00", types(
        "reply", CASE, "--activity", "support", "--activity", "practice", "-m",
        "You stayed to the end. I read that line three times. How was the way home?",
    )),
    Scene("12 Fri 18:00", writes("I hummed. Please ask me no numbers for a while, I will write.")),
    Scene("12 Sat 10:00", types("goal", "stop", CASE, "G1")),
    Scene("12 Sat 10:01", types("goal", "stop", CASE, "M1")),
    Scene("12 Sat 10:02", types("goal", "stop", CASE, "P1")),
    Scene("12 Sat 10:03", types("goal", "stop", CASE, "Q1")),
    Scene("12 Sat 10:04", types(
        "reply", CASE, "--activity", "support", "-m",
        "No numbers, then, and no questions on Mondays. I am glad about the humming. Write when "
        "you like; I will be here.",
    )),
)
