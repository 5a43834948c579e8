"""The client for scripts against a real server: every verb, threads, event loops, cancelling, and the page about it."""

from __future__ import annotations

import asyncio
import doctest
import os
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright_client import aconnect, connect
from maskwright_client.scripting import Maskwright
from maskwright_protocol.errors import BadImage, BadInput, JobCancelled, ServerAbsent
from tests.server.conftest import Server, wait_for
from tests.shared_data import REPOSITORY

from .conftest import PHOTO


def test_the_page_about_it(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKWRIGHT_RUNTIME_DIR", server.environment["MASKWRIGHT_RUNTIME_DIR"])
    shutil.copy(PHOTO, "photo.jpg")
    Image.open(PHOTO).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("other.jpg")
    page = REPOSITORY / "docs" / "python.md"
    result = doctest.testfile(str(page), module_relative=False, verbose=False)
    assert result.attempted > 25
    assert result.failed == 0
    assert Image.open("cut.png").mode == "RGBA"


def test_everything_and_what_is_similar(maskwright: Maskwright) -> None:
    found = maskwright.everything(PHOTO, points=8)
    assert found.labels.shape == (512, 512)
    assert found.labels.max() <= len(found.instances) == len(found.parents)
    number = int(np.bincount(found.labels[found.labels > 0]).argmax())
    one = found.instances[number - 1]
    assert one.mask[found.labels == number].min() == 255
    assert found.image.size == (512, 512)
    like = maskwright.similar(PHOTO, mask=one)
    assert like
    assert like.mask[one.mask > 0].mean() > 100


def test_cut_outs_of_every_kind(maskwright: Maskwright) -> None:
    box = (2, 16, 358, 496)
    mask = maskwright.cutout(PHOTO, box=box, mask_only=True)
    assert mask.image.mode == "L"
    cropped = maskwright.cutout(PHOTO, box=box, crop=True)
    assert cropped.image.size < (512, 512)
    assert cropped.mask.shape == (512, 512)
    behind = maskwright.cutout(PHOTO, box=box, background="#00ff00").cutout
    assert behind[..., 3].min() == 255
    nothing = maskwright.cutout(PHOTO, text="elephant")
    assert not nothing
    assert not nothing.cutout[..., 3].any()


def test_saving_leaves_the_picture_alone(maskwright: Maskwright, tmp_path: Path) -> None:
    shutil.copy(PHOTO, tmp_path / "a.jpg")
    before = (tmp_path / "a.jpg").read_bytes()
    answer = maskwright.select(tmp_path / "a.jpg", point=(220, 150))
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    for name in ("a.jpg", "link.jpg", "a.unknown", "a", "no/folder/a.png"):
        with pytest.raises(BadInput):
            answer.save(tmp_path / name)
    assert (tmp_path / "a.jpg").read_bytes() == before
    for name in ("a.png", "a.tif", "a.webp", "a.png"):
        answer.save(tmp_path / name)
        assert np.array_equal(np.asarray(Image.open(tmp_path / name).convert("L")), answer.mask) or name == "a.webp"
    with pytest.raises(BadInput, match="cannot be written"):
        maskwright.cutout(PHOTO, point=(220, 150)).save(tmp_path / "b.jpg")  # JPEG has no transparency
    assert {path.name for path in tmp_path.iterdir()} == {"a.jpg", "link.jpg", "a.png", "a.tif", "a.webp"}
    answer.save(tmp_path / "a.jpg", overwrite=True)
    assert (tmp_path / "a.jpg").read_bytes() != before


def test_files_that_are_no_pictures(maskwright: Maskwright, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    for path in (tmp_path / "a.png", tmp_path / "absent.png", tmp_path):
        with pytest.raises(BadImage) as caught:
            maskwright.select(path, text="dog")
        assert caught.value.hint


def test_threads_get_their_own_answers(maskwright: Maskwright) -> None:
    pixels = np.asarray(Image.open(PHOTO).resize((256, 256)))
    pictures = [np.roll(pixels, 24 * shift, axis=1)[:, : 256 - 8 * shift] for shift in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda picture: maskwright.select(picture, point=(110, 75)), pictures))
    alone = [maskwright.select(picture, point=(110, 75)) for picture in pictures]
    assert [one.mask.shape for one in answers] == [picture.shape[:2] for picture in pictures]
    for together, apart in zip(answers, alone, strict=True):
        assert np.array_equal(together.mask, apart.mask)


def test_an_error_while_waiting_cancels_the_job(server: Server) -> None:
    turns: list[float] = []

    def give_up() -> None:
        turns.append(time.monotonic())
        if len(turns) == 3:
            raise KeyboardInterrupt

    with connect(endpoint=server.endpoint, while_waiting=give_up) as client:
        with pytest.raises(KeyboardInterrupt):
            client.everything(PHOTO, points=64)
        wait_for(lambda: server.status().running == 0)
        assert len(turns) == 3


def test_a_cancelled_task_cancels_the_job(server: Server) -> None:
    heard: list[tuple[str, int]] = []

    async def run() -> None:
        async with aconnect(endpoint=server.endpoint) as client:
            asking = asyncio.ensure_future(
                client.everything(
                    PHOTO, points=64, progress=lambda text, fraction: heard.append((text, threading.get_ident()))
                )
            )
            while not heard:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises((asyncio.CancelledError, JobCancelled)):
                await asking
            assert (await client.status()).pid == server.process.pid

    asyncio.run(run())
    wait_for(lambda: server.status().running == 0)
    assert {thread for _, thread in heard} == {threading.get_ident()}  # called in the loop's own thread


def test_it_starts_the_server_that_came_with_this_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.isfile(os.path.join(os.path.dirname(sys.executable), "maskwright")):
        pytest.skip("the command is not installed beside this Python")
    monkeypatch.setenv("MASKWRIGHT_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("MASKWRIGHT_MODELS", "")
    with pytest.raises(ServerAbsent):
        connect(start=False)
    with connect() as client:
        process = client.status().pid
        os.kill(process, 9)
        assert client.detect(PHOTO, text="person").found  # one that is gone is started again
        again = client.status().pid
    assert again != process
    os.kill(again, 15)
