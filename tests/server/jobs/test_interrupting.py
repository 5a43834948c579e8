"""A prompt overtakes the search for all objects, which goes on and answers once; over a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_protocol import errors, masks
from maskwright_protocol.messages import Everything, ObjectMap, Picture, Point, Progress, Select, Selection
from tests.server.conftest import Server, wait_for
from tests.shared_data import EVAL, needs_eval, needs_models

pytestmark = [needs_models, needs_eval]
ANSWER_S = 120


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> FileSource:
    path = tmp_path_factory.mktemp("picture") / "street.png"
    Image.open(EVAL / "photos/bus.jpg").convert("RGB").resize((203, 270)).save(path)
    return FileSource(Path(path))


def test_a_click_overtakes_the_search_for_all_objects(server: Server, source: FileSource) -> None:
    with server.client() as client:

        def clicked() -> Selection:
            job = Select("", points=[Point(35, 150)])
            answer = ask.run(ask.answer(client, job, source), lambda ticket: ticket.wait(ANSWER_S))
            assert isinstance(answer, Selection)
            return answer

        clicked()  # the model is loaded, the picture known
        told: list[Progress] = []
        picture = Picture(source.box, [source.overview().raster])
        search = Everything("", picture=picture, priority="background", points_per_side=9)
        ticket = client.submit(search, told.append)
        wait_for(lambda: any(p.stage == "everything" for p in told), 60)
        assert clicked().instances
        assert not ticket.done()
        answer = ticket.result(ANSWER_S)
        assert isinstance(answer, ObjectMap)
        assert answer.objects
        assert answer.labels is not None
        assert (answer.labels.box.width, answer.labels.box.height, answer.labels.depth) == (203, 270, 16)
        assert len(masks.unpack(answer.labels)) == 2 * 203 * 270
        fractions = [p.fraction for p in told if p.stage == "everything"]
        assert fractions == sorted(fractions)
        # A second search is answered from memory; a cancelled one ends.
        again = client.submit(search).result(ANSWER_S)
        assert isinstance(again, ObjectMap)
        assert [one.id for one in again.objects] == [one.id for one in answer.objects]
        denser = Everything("", picture=picture, priority="background", points_per_side=30)
        told.clear()
        stopped = client.submit(denser, told.append)
        wait_for(lambda: any(p.stage == "everything" for p in told), 60)
        assert clicked().instances
        stopped.cancel()
        with pytest.raises(errors.JobCancelled):
            stopped.result(ANSWER_S)
        assert clicked().instances
