"""What Krita tells is what every editor tells."""

import numpy as np
import pytest
from PIL import Image

from maskwright_client.client import Client

from .. import questions
from .driver import Krita
from .studio import Studio

pytestmark = pytest.mark.editor


@pytest.mark.parametrize("name", questions.QUESTIONS)
def test_what_is_told(studio: Studio, krita: Krita, client: Client, name: str) -> None:
    question = questions.QUESTIONS[name]
    photo = studio.photo("photos/bus.jpg").resize((480, 640), Image.Resampling.LANCZOS)
    studio.open(Image.new("RGB", photo.size, "white") if question.scene == questions.BLANK else photo)
    if question.scene == questions.EMPTY:
        krita.run("n = d.createNode('empty', 'paintlayer'); d.rootNode().addChildNode(n, None); d.setActiveNode(n)")
        studio.settle()
    for option, value in question.options.items():
        krita.run(f"C.options.{option} = {value!r}")
    krita.run(f"FAILED.clear(); TOLD.clear(); C.{question.krita}")
    studio.idle()
    failure = studio.failure()
    if failure is None:
        said = next(iter(krita.get("[str(one) for one in TOLD]")), "")
    elif name == questions.IN_PART:
        said = failure[1]  # the hint is the model that understands more, for those who sit there
    else:
        said = f"{failure[1]} {failure[2]}".strip()
    assert said == questions.expected(client, question, np.asarray(photo))
