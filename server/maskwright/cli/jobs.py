"""``select``, ``detect`` and ``parse``: files in, server, files out; and what these share with ``cutting``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from maskwright.files.reading import FileSource, read_mask
from maskwright.files.result import mask_plane
from maskwright.files.writing import write_png
from maskwright_client import coordinates
from maskwright_client.jobs import JobOptions, Prompt
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Distance, Instance, Job, Mask, Parse, Selection

from . import console


@dataclass
class PromptFlags:
    """What the flags said; points and boxes still as text."""

    text: str
    exclude_text: str
    pick: str
    points: list[str]
    excluded: list[str]
    boxes: list[str]
    like: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    mask: Path | None = None

    def read(self) -> Prompt:
        """Without its mask, which a picture has to fit. Raises ``BadInput``."""
        return Prompt(
            self.text,
            self.exclude_text,
            self.pick,
            coordinates.points(" ".join(self.points), " ".join(self.excluded)),
            coordinates.boxes(" ".join(self.boxes)),
            coordinates.examples(" ".join(self.like), " ".join(self.unlike)),
        )

    def mask_for(self, source: FileSource) -> Mask | None:
        return read_mask(self.mask, source.width, source.height) if self.mask else None


def default_out(image: Path, suffix: str) -> Path:
    return image.with_name(f"{image.stem}-{suffix}.png")


def check_depth(depth: int) -> None:
    if depth not in (8, 16):
        raise BadInput("Masks have 8 or 16 bits.", "Use --depth 8 or --depth 16.")


def run_select(
    image: Path, flags: PromptFlags, region: Path | None, options: JobOptions, min_score: float | None, guesses: int,
    out: Path | None, instances: Path | None, as_json: bool,
) -> None:  # fmt: skip
    with console.explained(as_json):
        check_depth(options.mask_depth)
        source = FileSource(image)
        prompt = replace(flags.read(), mask=flags.mask_for(source))
        limit = read_mask(region, source.width, source.height) if region else None
        job = options.select(prompt, limit)
        job = replace(job, boxes=prompt.boxes, alternatives=guesses)
        job.min_score = job.min_score if min_score is None else min_score
        finish(ask_for_selection(job, source, as_json), source, out or default_out(image, "mask"), instances, as_json)


@dataclass
class DistanceFlags:
    """What the flags said of a distance, as text; ``softness`` of 100."""

    nearer: str
    same: str
    farther: str
    range: str
    softness: float

    def read(self) -> Distance:
        """Raises ``BadInput``."""
        given = {name: text for name, text in vars(self).items() if isinstance(text, str) and text}
        if len(given) > 1:
            raise BadInput(
                "Only one distance can be selected at a time.", "Use one of --nearer, --as-far, --farther, --range."
            )
        ((name, text),) = given.items()
        softness = self.softness / 100
        if name == "range":
            near, far = coordinates.span(text)
            return Distance(near / 100, far / 100, softness)
        places = coordinates.points(text)
        if len(places) != 1:
            raise BadInput("A distance goes by one place.", 'Write it as "120,80".')
        return Distance(softness=softness, at=places[0], than=name)


def run_select_distance(
    image: Path, far_away: DistanceFlags, prompt: PromptFlags, region: Path | None, options: JobOptions,
    out: Path | None, instances: Path | None, as_json: bool,
) -> None:  # fmt: skip
    with console.explained(as_json):
        check_depth(options.mask_depth)
        source = FileSource(image)
        limit = read_mask(region, source.width, source.height) if region else None
        job = options.select_distance(far_away.read(), limit)
        meant = prompt.read()  # the server says what does not go together
        job = replace(job, text=meant.text, points=meant.points, boxes=meant.boxes, examples=meant.examples)
        finish(ask_for_selection(job, source, as_json), source, out or default_out(image, "mask"), instances, as_json)


def ask_for_selection(job: Job, source: FileSource, as_json: bool) -> Selection:
    """The server's answer. Raises ``MaskwrightError``."""
    with console.connected() as client:
        answer = console.ask_server(client, job, source, quiet=as_json)
    assert isinstance(answer, Selection)
    return answer


def finish(answer: Selection, source: FileSource, out: Path, folder: Path | None, as_json: bool) -> None:
    """Write the mask, and one of each instance into ``folder`` if there is one, and tell the user."""
    say(answer, write_selection(answer, source, out, folder), as_json)


def write_selection(answer: Selection, source: FileSource, out: Path, folder: Path | None) -> list[Path]:
    mask = answer.merged or (answer.instances[0].mask if answer.instances else None)
    if mask is None:
        return []
    write_png(out, mask_plane(mask, source.width, source.height))
    written = [out]
    for number, instance in enumerate(answer.instances if folder else [], 1):
        assert folder is not None
        if instance.mask is not None:
            name = "".join(c if c.isalnum() else "-" for c in instance.label) or "object"
            path = folder / f"{number:02d}-{name}.png"
            write_png(path, mask_plane(instance.mask, source.width, source.height))
            written.append(path)
    for number, instance in enumerate(answer.instances, 1):
        for guess, other in enumerate(instance.alternatives, 1):
            if other.mask is not None:
                path = (folder or out.parent) / f"{out.stem}-{number:02d}-guess-{guess}.png"
                write_png(path, mask_plane(other.mask, source.width, source.height))
                written.append(path)
    return written


def say(answer: Selection, written: list[Path], as_json: bool) -> None:
    if answer.instances and not as_json:
        print_instances(answer.instances)
    console.tell(answer, console.selection_summary(answer), written, as_json)


def print_instances(instances: list[Instance]) -> None:
    table = Table(box=None, header_style="dim")
    for column in ("#", "label", "score", "x", "y", "width", "height"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for number, instance in enumerate(instances, 1):
        box = instance.box
        cells = [f"{v:.0f}" for v in (box.x, box.y, box.width, box.height)]
        table.add_row(str(number), escape(instance.label or "object"), f"{instance.score:.2f}", *cells)
    console.errors.print(table)


def run_detect(image: Path, text: str, options: JobOptions, min_score: float | None, as_json: bool) -> None:
    with console.explained(as_json):
        source = FileSource(image)
        job = options.detect(text)
        job.min_score = job.min_score if min_score is None else min_score
        say(ask_for_selection(job, source, as_json), [], as_json)


def run_parse(image: Path, job: Parse, out: Path | None, instances: Path | None, as_json: bool) -> None:
    with console.explained(as_json):
        check_depth(job.mask_depth)
        source = FileSource(image)
        finish(ask_for_selection(job, source, as_json), source, out or default_out(image, "parts"), instances, as_json)
