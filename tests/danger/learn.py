"""Learn from the labelled sentences how much each word weighs: `./dev learn` writes `weights.tsv`.

A logistic regression, fitted by stochastic gradients whose steps shrink with what each weight has
moved (AdaGrad: Duchi, Hazan and Singer, J. Mach. Learn. Res. 12, 2011, 2121). The order is that of
a seeded generator, so everybody who learns from the same sentences gets the same weights.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mailcounsel.casework.lexicon import weighing

HERE = Path(__file__).parent
WEIGHTS = Path(weighing.__file__).with_name("weights.tsv")
UNSEEN = "unseen"  # what such a file holds is never learned from
CALM = "calm"

EPOCHS = 12
STEP = 0.5
SHRINK = 1e-4  # how strongly a weight is drawn to nothing
SEEN_WORD, SEEN_PAIR = 8, 30  # in fewer texts a word, or a pair of words, says nothing
SMALLEST = 0.2  # a pair whose weight is below this says nothing
SEED = 7
HEAD = """\
# How much a word, or two that follow each other, weighs as a sign of danger, in hundredths.
# Learned by `./dev learn` from the sentences in tests/danger; see weighing.py.
"""

Example = tuple[dict[str, float], int]


def labelled(folder: Path = HERE) -> list[tuple[str, str, str]]:
    """Return the sentences of the files to learn from: kind, language, text."""
    files = [path for path in sorted(folder.rglob("*.tsv")) if not path.stem.startswith(UNSEEN)]
    return [row for path in files for row in read(path)]


def read(path: Path) -> list[tuple[str, str, str]]:
    """Return the sentences of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("# "))
    return [(kind, language, text) for kind, language, text in rows]


def examples() -> list[Example]:
    """Return what is learned from: the scaled counts of a text, and whether it is danger."""
    known = list(_examples())
    seen = Counter(name for found, _ in known for name in found)
    enough = {name for name, texts in seen.items() if texts >= _needed(name)}
    return [({name: found[name] for name in found if name in enough}, is_) for found, is_ in known]


def _needed(name: str) -> int:
    return SEEN_PAIR if " " in name else SEEN_WORD


def _examples() -> Iterator[Example]:
    """Yield every example whole.

    A calm text is cut into the runs that are weighed, since none of them may weigh too much.
    """
    for kind, _, text in labelled():
        if kind == CALM:
            yield from ((counts(run), 0) for run in weighing.words_of_runs(text))
        else:
            yield counts(weighing.words(text)), 1


def counts(words: list[str]) -> dict[str, float]:
    """Return how often each feature of some words stands there, scaled by their number."""
    scale = 1 / math.sqrt(len(words))
    return {name: often * scale for name, often in Counter(weighing.features(words)).items()}


def fit(known: list[Example]) -> dict[str, float]:
    """Return the weights that tell the examples apart; what every text weighs stands under ""."""
    weights: dict[str, float] = {}
    moved: dict[str, float] = {}
    order = random.Random(SEED)
    rows = [({**found, weighing.ALWAYS: 1.0}, is_danger) for found, is_danger in known]
    for _ in range(EPOCHS):
        order.shuffle(rows)
        for found, is_danger in rows:
            weight = sum(weights.get(name, 0.0) * often for name, often in found.items())
            miss = 1 / (1 + math.exp(-weight)) - is_danger
            for name, often in found.items():
                own = weights.get(name, 0.0)
                slope = miss * often + SHRINK * own
                moved[name] = moved.get(name, 0.01) + slope * slope
                weights[name] = own - STEP * slope / math.sqrt(moved[name])
    return weights


def written(weights: dict[str, float]) -> str:
    """Return the weights as the file holds them: of every word, and of the pairs that say more."""
    told = (name for name, one in weights.items() if " " not in name or abs(one) >= SMALLEST)
    return HEAD + "".join(f"{name}\t{round(100 * weights[name])}\n" for name in sorted(told))


if __name__ == "__main__":
    WEIGHTS.write_text(written(fit(examples())), encoding="utf-8")
