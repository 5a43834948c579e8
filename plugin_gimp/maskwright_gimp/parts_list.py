"""The list of parts in a dialog: what was seen of each person, with thumbnails, to tick."""

from typing import Any, List, Optional

from gi.repository import GdkPixbuf, Gegl, GLib, Gtk

from maskwright_client import body_parts
from maskwright_client.ask import Steps
from maskwright_client.results import nothing_found
from maskwright_client.steps import Runner
from maskwright_protocol import masks
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import Instance, Mask, Parse, PixelRect

from . import async_client, image_source, options
from .server_line import ServerLine

SIDE = 44
TICKED, PICTURE, TEXT = 0, 1, 2
ASKED_BY = ("source", "recipe", "models")


class PartsList(Gtk.Box):
    """Asks the server what is seen, in a draft, and keeps the argument ``parts`` of ``config`` as it is ticked.

    ``line`` tells how it goes.
    """

    def __init__(self, call: Any, line: ServerLine) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.call, self.config, self.line = call, call.config, line
        self._runner: Optional[Runner] = None
        self._rows: List[body_parts.BodyPart] = []
        self._store = Gtk.ListStore(bool, GdkPixbuf.Pixbuf, str)
        view = Gtk.TreeView(model=self._store, headers_visible=False)
        toggle = Gtk.CellRendererToggle()
        toggle.connect("toggled", lambda cell, path: self._toggle(int(path)))
        view.append_column(Gtk.TreeViewColumn("Use", toggle, active=TICKED))
        view.append_column(Gtk.TreeViewColumn("Picture", Gtk.CellRendererPixbuf(), pixbuf=PICTURE))
        view.append_column(Gtk.TreeViewColumn("Part", Gtk.CellRendererText(), text=TEXT))
        view.connect("row-activated", lambda tree, path, column: self._toggle(path.get_indices()[0]))
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN)
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_size_request(320, 180)
        scrolled.add(view)
        self.pack_start(scrolled, True, True, 0)
        self.show_all()
        self._handlers = [self.config.connect(f"notify::{name}", lambda *_: self.ask()) for name in ASKED_BY]
        self.ask()

    def close(self) -> None:
        """Hear no more of the server."""
        for handler in self._handlers:
            self.config.disconnect(handler)
        if self._runner is not None:
            self._runner.drop()

    def ask(self) -> None:
        """Look again."""
        if self._runner is not None:
            self._runner.drop()
        try:
            target = image_source.Target(self.call.image, self.call.drawables, self.config.get_property("source"))
            job = options.read(self.call.options(), self.call.entry.verb).parts_draft()
        except MaskwrightError as error:
            self.line.fail(error, self.call.client, self.ask)
            return
        self.line.busy("Looking for people...")
        self._runner = async_client.run(self._look(job, target), self._done)

    def _look(self, job: Parse, target: image_source.Target) -> Steps:
        try:
            progress = lambda said: self.line.busy(said.text) if self._runner is not None else None  # noqa: E731
            answer = yield from async_client.asking(self.call.client, job, target.source, progress)
            self._fill(answer.instances, target.source.local, target.box)
            return answer
        finally:
            target.close()

    def _done(self, answer: Any, error: Optional[Exception]) -> None:
        self._runner = None
        if error is None:
            self.line.say("Tick what is to be selected." if answer.instances else nothing_found(answer))
        elif not async_client.was_cancelled(error):
            self.line.fail(error, self.call.client, self.ask)

    def _fill(self, instances: List[Instance], buffer: Any, box: PixelRect) -> None:
        words = self.config.get_property("parts")
        self._rows = []
        self._store.clear()
        for part, instance in body_parts.rows(instances):
            assert instance.mask is not None
            self._rows.append(part)
            on = body_parts.is_ticked(part, words)
            self._store.append([on, thumbnail(buffer, box, instance.mask), instance.label or part.name])
        if self._rows:  # what was asked for in another picture and is not seen here is forgotten
            self.config.set_property("parts", body_parts.write(self._ticked()))

    def _toggle(self, row: int) -> None:
        self._store[row][TICKED] = not self._store[row][TICKED]
        words = self.config.get_property("parts")
        self.config.set_property("parts", body_parts.with_ticks(words, self._rows, self._ticked()))

    def _ticked(self) -> List[body_parts.BodyPart]:
        return [part for part, row in zip(self._rows, self._store) if row[TICKED]]


def thumbnail(buffer: Any, box: PixelRect, mask: Mask) -> Any:
    """The picture where the mask is, as a small pixbuf with alpha. ``buffer`` begins at the box' corner."""
    x, y, width, height = mask.box.x - box.x, mask.box.y - box.y, mask.box.width, mask.box.height
    scale = min(1.0, SIDE / max(width, height))
    area = Gegl.Rectangle.new(
        round(x * scale), round(y * scale), max(1, round(width * scale)), max(1, round(height * scale))
    )
    colours = bytearray(buffer.get(area, scale, "R'G'B'A u8", image_source.NO_ABYSS))
    plane = Gegl.Buffer.new("Y u8", x, y, width, height)
    plane.set(Gegl.Rectangle.new(x, y, width, height), f"Y u{mask.depth}", bytes(masks.unpack(mask)))
    colours[3::4] = plane.get(area, scale, "Y u8", image_source.NO_ABYSS)
    data = GLib.Bytes.new(bytes(colours))
    space = GdkPixbuf.Colorspace.RGB
    return GdkPixbuf.Pixbuf.new_from_bytes(data, space, True, 8, area.width, area.height, area.width * 4)
