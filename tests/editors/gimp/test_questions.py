"""What GIMP tells is what every editor tells."""

import pytest

from maskwright_client.client import Client

from .. import questions
from .asking import Plane
from .driver import Gimp

pytestmark = pytest.mark.editor


@pytest.mark.parametrize("name", questions.QUESTIONS)
def test_what_is_told(image: Gimp, client: Client, photo: Plane, name: str) -> None:
    question = questions.QUESTIONS[name]
    if question.scene == questions.BLANK:
        image.run("layer.fill(Gimp.FillType.WHITE)")
    elif question.scene == questions.EMPTY:
        image.run("""
            layer = Gimp.Layer.new(image, "empty", 480, 640, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
            image.insert_layer(layer, None, 0)
        """)
    procedure, arguments = question.gimp
    called = image.call(procedure, **arguments)
    if called.status != "success":
        said = called.error
    elif called.count == 0:
        said = called.report["message"]
    else:
        said = next(iter(called.report["notes"]), "")
    assert said == questions.expected(client, question, photo)
    assert said, "there is something to tell"
