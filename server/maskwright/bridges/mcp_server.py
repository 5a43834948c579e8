"""Tools for assistants, over the Model Context Protocol: pictures are named by their paths, results are new files."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from mcp.server.mcpserver import Context, Image, ListRoots, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ListRootsResult, TextContent, ToolAnnotations
from PIL import Image as Pillow
from pydantic import Field
from typing_extensions import TypedDict  # pydantic's wish before Python 3.12

from maskwright_client.scripting import Answer, AsyncMaskwright, CutOut, Everything, aconnect
from maskwright_protocol import __version__
from maskwright_protocol.errors import MaskwrightError

from . import paths

PREVIEW_SIDE = 512
INSTRUCTIONS = """Selects and cuts out things in pictures on this computer; nothing is sent elsewhere. Pictures are
named by path. Results are new files beside the picture, or in 'folder'; nothing is ever overwritten. Masks are grey,
white is selected. Coordinates are pixels from the top left. When nothing is found, 'found' is false and 'message' says
why."""


class Box(TypedDict):
    label: str
    score: float
    box: list[float]  # x, y, width, height


class Result(TypedDict):
    found: bool
    message: str
    files: list[str]
    width: int
    height: int
    coverage: float
    instances: list[Box]
    models: list[str]
    device: str
    notes: list[str]


class ServerStatus(TypedDict):
    version: str
    devices: list[str]
    loaded: list[str]
    running: int
    waiting: int
    problems: list[str]


def _roots(context: Context) -> ListRoots | None:
    """Ask for the client's roots, if it has some."""
    capabilities = context.client_capabilities
    return ListRoots() if capabilities is not None and capabilities.roots is not None else None


Roots = Annotated[ListRootsResult | None, Resolve(_roots)]
Picture = Annotated[str, Field(description="Path of the picture.")]
Text = Annotated[str, Field(description="What is meant, in words: 'dog; red car', 'dog - collar', 'the largest dog'.")]
Not = Annotated[str, Field(description="What to leave out, in words.")]
Points = Annotated[Sequence[tuple[float, float]], Field(description="Places x, y on what is meant.")]
Boxes = Annotated[
    Sequence[tuple[float, float, float, float]], Field(description="Boxes x, y, width, height around it.")
]
Pick = Annotated[str, Field(description="Of several: all, best, or a number in order of score.")]
MaskFile = Annotated[str, Field(description="Path of a mask of the picture's size: white is meant.")]
Folder = Annotated[str, Field(description="Folder for the results; beside the picture without one.")]
Answered = Annotated[CallToolResult, Result]
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


class Tools:
    """The tools and their connection. ``folders`` are the only ones to be used, where the user named some; else those
    that the client names as its roots, else the user's own folder."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = list(folders)
        self._client: AsyncMaskwright | None = None
        self._connecting = asyncio.Lock()

    async def select(
        self, context: Context, roots: Roots, image: Picture, text: Text = "", exclude_text: Not = "",
        points: Points = (), exclude: Points = (), boxes: Boxes = (), mask: MaskFile = "", pick: Pick = "all",
        grow: float = 0.0, feather: float = 0.0, invert: bool = False, folder: Folder = "",
    ) -> Answered:  # fmt: skip
        """Select by words, points, boxes or a rough mask. Writes a mask."""
        job = _Job(self, context, roots, image, folder)
        job.named = {"text": text, "not_": exclude_text, "point": points, "exclude": exclude, "box": boxes,
                     "mask": job.mask(mask), "pick": pick, "grow": grow, "feather": feather,
                     "invert": invert}  # fmt: skip
        return await job.run("select", "mask")

    async def cut_out(
        self, context: Context, roots: Roots, image: Picture, text: Text = "", exclude_text: Not = "",
        points: Points = (), exclude: Points = (), boxes: Boxes = (), mask: MaskFile = "", pick: Pick = "all",
        hair: bool = False, shadow: bool = False, background: str = "", outline: float = 0.0, crop: bool = False,
        folder: Folder = "",
    ) -> Answered:  # fmt: skip
        """Remove the background, or cut out what is named. Writes a PNG with transparency and clean edge colours."""
        job = _Job(self, context, roots, image, folder)
        job.named = {"text": text, "not_": exclude_text, "point": points, "exclude": exclude, "box": boxes,
                     "mask": job.mask(mask), "pick": pick, "hair": hair, "shadow": shadow, "background": background,
                     "outline": outline, "crop": crop}  # fmt: skip
        return await job.run("cutout", "cutout")

    async def refine(
        self, context: Context, roots: Roots, image: Picture, mask: MaskFile, hair: bool = False,
        edge_width: float = 0.0, folder: Folder = "",
    ) -> Answered:  # fmt: skip
        """Give a rough mask soft, right edges. Writes a mask."""
        job = _Job(self, context, roots, image, folder)
        job.named = {"mask": job.mask(mask), "hair": hair, "edge_width": edge_width}
        return await job.run("refine", "refined")

    async def parse(
        self, context: Context, roots: Roots, image: Picture,
        parts: Annotated[Sequence[str], Field(description="hair, face, upper clothes, ...; all parts without.")] = (),
        person: Annotated[int, Field(description="Only of this person, from the left; 0: of all.")] = 0,
        refine: bool = False, folder: Folder = "",
    ) -> Answered:  # fmt: skip
        """Select parts of people. Writes a mask."""
        job = _Job(self, context, roots, image, folder)
        job.named = {"part": parts, "person": person, "refine": refine}
        return await job.run("parse", "parts")

    async def everything(self, context: Context, roots: Roots, image: Picture, folder: Folder = "") -> Answered:
        """Find all objects. Writes a map in which each object has a colour."""
        return await _Job(self, context, roots, image, folder).run("everything", "objects")

    async def detect(
        self, context: Context, roots: Roots, image: Picture, text: Text,
        min_score: Annotated[float | None, Field(description="Leave out finds below this score, 0..1.")] = None,
    ) -> Answered:  # fmt: skip
        """Find things by name: boxes, labels and scores. Writes nothing."""
        job = _Job(self, context, roots, image, "")
        job.named = {"text": text, "min_score": min_score}
        return await job.run("detect", "")

    async def status(self) -> ServerStatus:
        """The server, its device and its models."""
        try:
            found = await (await self.client()).status()
        except MaskwrightError as error:
            raise ToolError(f"{error.message} {error.hint}".strip()) from error
        return {
            "version": found.server_version, "running": found.running, "waiting": found.queued,
            "devices": [worker.device for worker in found.workers],
            "loaded": [model for worker in found.workers for model in worker.models], "problems": found.problems,
        }  # fmt: skip

    async def client(self) -> AsyncMaskwright:
        """The connection, made when the first tool is used. Raises ``ServerAbsent``."""
        async with self._connecting:
            if self._client is None:
                self._client = await aconnect(name="mcp")
            return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    def folders(self, roots: ListRootsResult | None) -> paths.Folders:
        given = paths.of_roots([str(root.uri) for root in roots.roots]) if roots is not None else []
        return paths.Folders(self._folders or given or [Path.home()])


class _Job:
    """One call of a tool. ``named`` is what the verb is asked with."""

    def __init__(
        self, tools: Tools, context: Context, roots: ListRootsResult | None, image: str, folder: str
    ) -> None:  # fmt: skip
        self._tools, self._context = tools, context
        self._folders = tools.folders(roots)
        with _told():
            self._image = self._folders.picture(image)
            self._target = self._folders.outputs(folder, self._image)
        self._telling: set[asyncio.Task[None]] = set()
        self.named: dict[str, Any] = {}

    def mask(self, text: str) -> Path | None:
        with _told():
            return self._folders.picture(text) if text.strip() else None

    async def run(self, verb: str, suffix: str) -> CallToolResult:
        with _told():
            client = await self._tools.client()
            ask: Callable[..., Awaitable[Answer]] = getattr(client, verb)
            answer = await ask(self._image, progress=self._progress, **self.named)
            return await asyncio.to_thread(self._written, answer, suffix)

    def _progress(self, text: str, fraction: float) -> None:
        task = asyncio.ensure_future(self._context.report_progress(fraction, 1.0, text))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _written(self, answer: Any, suffix: str) -> CallToolResult:
        files: list[str] = []
        if answer.found and suffix:
            stream = io.BytesIO()
            answer.image.save(stream, "PNG")
            files = [str(paths.write_new(self._target, f"{self._image.stem}-{suffix}", stream.getvalue()))]
        height, width = answer.size
        shown = bool(suffix)
        structured: Result = {
            "found": answer.found,
            "message": f"{answer.message} {answer.hint}".strip(),
            "files": files,
            "width": width,
            "height": height,
            "coverage": round(float((answer.mask > 0).mean()), 4) if shown else 0.0,
            "instances": [
                {"label": one.label, "score": round(one.score, 4), "box": [round(value, 1) for value in one.box]}
                for one in answer.instances
            ],
            "models": answer.models,
            "device": answer.device,
            "notes": answer.notes,
        }
        places = "\n".join(map(repr, answer.instances))
        said = TextContent(type="text", text="\n".join(files) or structured["message"] or places)
        preview = [Image(data=_preview(answer), format="png").to_image_content()] if shown and answer.found else []
        return CallToolResult(content=[said, *preview], structured_content=dict(structured))


class _told:
    """Failures become what the assistant reads: a sentence and what to do next."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MaskwrightError):
            raise ToolError(f"{error.message} {error.hint}".strip()) from error


def _preview(answer: Any) -> bytes:
    """A small PNG: the cut-out, the map, or the picture with all dimmed that is not selected."""
    if isinstance(answer, CutOut | Everything):
        image = answer.image
    else:
        pixels = answer.cutout
        shade = 0.25 + 0.75 * pixels[..., 3:].astype(np.float32) / 255
        image = Pillow.fromarray((pixels[..., :3] * shade).astype(np.uint8))
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def server(folders: Sequence[Path]) -> tuple[MCPServer, Tools]:
    made = MCPServer(
        "maskwright", title="Maskwright", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR"
    )
    tools = Tools(folders)
    for tool in (tools.select, tools.cut_out, tools.refine, tools.parse, tools.everything):
        made.add_tool(tool, annotations=_WRITES)
    for tool in (tools.detect, tools.status):
        made.add_tool(tool, annotations=_READS)
    return made, tools


def serve(folders: Sequence[Path]) -> None:
    """Serve on standard input and output until the assistant closes them."""
    made, tools = server(folders)

    async def run() -> None:
        try:
            await made.run_stdio_async()
        finally:
            await tools.close()

    asyncio.run(run())
