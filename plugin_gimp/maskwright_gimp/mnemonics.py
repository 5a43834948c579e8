"""Letters that are pressed with Alt: each once in a dialog, in whatever language it is."""

from string import ascii_lowercase
from typing import Iterable, Set

DIALOG_BUTTONS = "rcls"  # Reset, Cancel, Load and Save Settings of GIMP's procedure dialogs

FIRST_CJK = "\u2e80"  # letters from here on are composed, and cannot be pressed with Alt


class Mnemonics:
    """Gives out the letters of one dialog."""

    def __init__(self, taken: Iterable[str] = DIALOG_BUTTONS) -> None:
        self._taken: Set[str] = {letter.casefold() for letter in taken}

    def give(self, label: str) -> str:
        """The label with a letter that is still free marked by ``_``: the one that it marks itself, else the first
        letter of a word, else any letter; unmarked when all are taken. Where none can be pressed, as in Chinese and
        Japanese, a free one is written behind the label."""
        before, _, after = label.partition("_")
        text = before + after
        starts = [place for place in range(len(text)) if place == 0 or not text[place - 1].isalnum()]
        wished = [len(before)] if "_" in label else []
        for place in (*wished, *starts, *range(len(text))):
            letter = text[place : place + 1].casefold()
            if letter.isalnum() and letter < FIRST_CJK and letter not in self._taken:
                self._taken.add(letter)
                return f"{text[:place]}_{text[place:]}"
        free = next((letter for letter in ascii_lowercase if letter not in self._taken), "")
        if not free or all(letter < FIRST_CJK for letter in text):
            return text
        self._taken.add(free)
        return f"{text}(_{free.upper()})"
