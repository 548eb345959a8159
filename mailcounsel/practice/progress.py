"""A client's progress in a few lines of their own language: goals, practice, letters.

What a client reads holds no score, no band and no diagnosis, only the numbers they gave themselves
and what they practised. Ten lines at most, plain digits, so that any phone shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mailcounsel.practice.milestones import GoalLine, Journey, SkillLine

MOST_LINES = 10
NUMBERS = 8  # of a goal's line, the latest

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "id": MappingProxyType(
            {
                "begin": "Angka yang Anda berikan sendiri, dari 0 sampai 10:",
                "both": "Angka yang Anda berikan sendiri, dari 0 sampai 10, dan latihan Anda:",
                "none": "Belum ada angka atau latihan yang tercatat.",
                "no_number": "belum ada angka",
                "practice": "{exercise}: sudah dilatih {times} kali",
                "once": "{exercise}: sudah dilatih sekali",
                "told": "{exercise}: belum ada kabar latihan, dan itu tidak apa-apa",
                "letters": "Sejauh ini kami sudah menulis {written} surat kepada Anda.",
            }
        ),
        "en": MappingProxyType(
            {
                "begin": "The numbers you gave yourself, from 0 to 10:",
                "both": "The numbers you gave yourself, from 0 to 10, and what you practised:",
                "none": "There are no numbers and no practice on record yet.",
                "no_number": "no number yet",
                "practice": "{exercise}: practised {times} times",
                "once": "{exercise}: practised once",
                "told": "{exercise}: no word of practice yet, and that is fine",
                "letters": "So far we have written you {written} letters.",
            }
        ),
    }
)


def lines(journey: Journey, language: str) -> tuple[str, ...]:
    """Return at most ten lines for a client, in Indonesian or English.

    Goals that are asked about come first, then skills, the newest kept where there are too many.
    """
    words = _WORDS.get(language, _WORDS["en"])
    goals = [_goal(goal, words) for goal in journey.goals if goal.state == "active"]
    skills = [_skill(skill, words) for skill in journey.skills]
    room = MOST_LINES - 2  # the first and the last
    shown = goals[-(room - min(len(skills), room // 2)) :]
    practice = skills[-(room - len(shown)) :] if room > len(shown) else []
    begin = words["both" if practice else "begin"] if shown or practice else words["none"]
    written = len(journey.replies)
    end = [words["letters"].format(written=written)] if written > 1 else []
    return (begin, *shown, *practice, *end)


def _goal(goal: GoalLine, words: Mapping[str, str]) -> str:
    numbers = [f"{point.value:g}" for point in goal.points[-NUMBERS:]]
    return f"– {goal.text}: {', '.join(numbers) or words['no_number']}"


def _skill(skill: SkillLine, words: Mapping[str, str]) -> str:
    times = sum(point.value for point in skill.practised)
    told = words["told" if not times else "once" if times == 1 else "practice"]
    return "– " + told.format(exercise=skill.exercise, times=f"{times:g}")
