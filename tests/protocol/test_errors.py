"""What failures say: a sentence, and a hint without anything left to fill in."""

import re

import pytest

from maskwright_protocol import errors
from maskwright_protocol.errors import MaskwrightError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MaskwrightError)]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_hint_names_the_model_that_it_is_about(kind: type[MaskwrightError]) -> None:
    hint = kind("Something failed.", model="birefnet").hint
    assert not re.search(r"\bMODEL\b", hint)
    assert hint == "" or hint.endswith((".", ")"))


def test_a_hint_of_its_own_stays_as_it_is() -> None:
    assert MaskwrightError("No.", "Say MODEL.", model="x").hint == "Say MODEL."
    assert MaskwrightError("No.", "").hint == ""
