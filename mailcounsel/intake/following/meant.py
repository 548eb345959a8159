"""A letter that may have meant the word that agrees to ordinary mail: which, is asked back."""

from __future__ import annotations

from mailcounsel.casework import requests, spoken
from mailcounsel.intake.following.recorded import Recorded
from mailcounsel.trust import pins


def asks_back(this: Recorded) -> bool:
    """Ask which word was meant, where a letter may have meant to agree; True where that is sent.

    It takes the place of the acknowledgement: the letter waits for a person all the same. While a
    key of theirs is doubted no word is enough, so none is asked for.
    """
    client_id, keyring = this.case["client_id"], this.office.keyring
    is_proved = this.plan.vouched.is_proved and this.plan.placement.case is not None
    if not is_proved or this.plan.assessed.may_be_fresh_danger:
        return False
    if not spoken.may_mean_agree(this.plan.assessed.new_words):
        return False
    if pins.is_doubted(this.connection, keyring, client_id):
        return False
    return requests.ask_word(this.connection, this.office, this.as_it_is(), this.now)
