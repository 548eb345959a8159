"""An editor: fills each gap of a letter, in order. fill_gaps.py WORDS.json LETTER"""

import json
import sys
from pathlib import Path

words, letter = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
above, line, below = letter.read_text().partition("---- >8 ----")
for gap in words:
    above = above.replace("\n…\n", f"\n{gap}\n", 1)
letter.write_text(above + line + below)
