"""``maskwright mcp`` by the SDK's own client over standard input and output, beside a real server."""

from __future__ import annotations

import asyncio
import base64
import io
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import Server
from tests.shared_data import REPOSITORY

mcp = pytest.importorskip("mcp", reason="the extra 'bridges' is not installed")
types = pytest.importorskip("mcp_types", reason="the extra 'bridges' is not installed")

PHOTO = REPOSITORY / "server" / "maskwright" / "cli" / "sample" / "astronaut.jpg"
Call = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PHOTO, tmp_path / "photo.jpg")
    return tmp_path


def talk(server: Server, conversation: Callable[[Any], Coroutine[Any, Any, None]], *flags: str, **options: Any) -> None:
    """Start the command as assistants do, and hold a conversation."""
    command = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "maskwright.cli", "mcp", *flags], env=server.environment
    )  # fmt: skip

    async def run() -> None:
        async with mcp.Client(command, **options) as client:
            await asyncio.wait_for(conversation(client), 120)

    asyncio.run(run())


def test_what_it_offers(server: Server, folder: Path) -> None:
    async def conversation(client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"select", "cut_out", "refine", "parse", "everything", "detect", "status"}
        for tool in tools.values():
            assert tool.description
            assert tool.output_schema
            assert "context" not in tool.input_schema["properties"]
            assert "roots" not in tool.input_schema["properties"]
            assert tool.annotations.open_world_hint is False
        assert tools["detect"].annotations.read_only_hint
        status = (await client.call_tool("status", {})).structured_content
        assert status["version"]

    talk(server, conversation, "--folder", str(folder))


def test_it_selects_cuts_out_and_refines(server: Server, folder: Path) -> None:
    heard: list[str] = []

    async def progress(fraction: float, total: float | None, text: str | None) -> None:
        heard.append(text or "")

    async def conversation(client: Any) -> None:
        before = (folder / "photo.jpg").read_bytes()
        picture = str(folder / "photo.jpg")
        answer = await client.call_tool("select", {"image": picture, "text": "person"}, progress_callback=progress)
        found = answer.structured_content
        assert found["found"]
        assert found["files"] == [str(folder / "photo-mask.png")]
        assert found["instances"][0]["label"] == "person"
        mask = np.asarray(Image.open(found["files"][0]))
        assert mask.shape == (512, 512)
        assert abs(float((mask > 0).mean()) - found["coverage"]) < 1e-3
        (preview,) = [block for block in answer.content if block.type == "image"]
        assert max(Image.open(io.BytesIO(base64.b64decode(preview.data))).size) <= 512
        assert heard

        given = {"image": "photo.jpg", "mask": "photo-mask.png", "folder": "out/soft"}
        refined = (await client.call_tool("refine", given)).structured_content
        assert refined["files"] == [str(folder / "out" / "soft" / "photo-refined.png")]

        for expected in ("photo-cutout.png", "photo-cutout-2.png"):  # the second time too, and nothing overwritten
            cut = (await client.call_tool("cut_out", {"image": picture, "points": [[220, 150]]})).structured_content
            assert cut["files"] == [str(folder / expected)]
        assert Image.open(folder / "photo-cutout.png").mode == "RGBA"
        assert (folder / "photo.jpg").read_bytes() == before

    talk(server, conversation, "--folder", str(folder))


def test_nothing_found_and_mistakes_are_told(server: Server, folder: Path) -> None:
    async def conversation(client: Any) -> None:
        nothing = await client.call_tool("select", {"image": "photo.jpg", "text": "elephant"})
        assert not nothing.is_error
        assert not nothing.structured_content["found"]
        assert "No elephant was found" in nothing.content[0].text
        assert nothing.structured_content["files"] == []
        (folder / "text.png").write_text("no picture")
        for name, given in (
            ("select", {"image": "photo.jpg"}),
            ("select", {"image": "/etc/passwd", "text": "dog"}),
            ("select", {"image": "text.png", "text": "dog"}),
            ("select", {"image": "photo.jpg", "text": "dog", "folder": "/tmp"}),
            ("refine", {"image": "photo.jpg", "mask": "../mask.png"}),
            ("detect", {"image": "absent.png", "text": "dog"}),
        ):
            answer = await client.call_tool(name, given)
            assert answer.is_error
            assert len(answer.content[0].text.split()) > 5
        assert sorted(path.name for path in folder.iterdir()) == ["photo.jpg", "text.png"]

    talk(server, conversation, "--folder", str(folder))


def test_the_client_s_roots_bound_it(server: Server, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "photo.jpg"
    shutil.copy(PHOTO, outside)

    async def roots(context: Any) -> Any:
        return types.ListRootsResult(roots=[types.Root(uri=folder.as_uri())])

    async def conversation(client: Any) -> None:
        inside = await client.call_tool("detect", {"image": str(folder / "photo.jpg"), "text": "person"})
        assert inside.structured_content["found"]
        answer = await client.call_tool("detect", {"image": str(outside), "text": "person"})
        assert answer.is_error
        assert str(folder) in answer.content[0].text

    talk(server, conversation, list_roots_callback=roots)


def test_a_missing_package_is_told(server: Server) -> None:
    code = (
        "import importlib.util, sys\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'mcp' else found(name, package)\n"
        "from maskwright.cli import main\n"
        "sys.argv = ['maskwright', 'mcp']\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=server.environment, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'maskwright[bridges]'" in " ".join(done.stderr.split())
