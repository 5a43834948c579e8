"""Without a window: Krita's own importer takes the zip, and exact bytes in kritarunner."""

from pathlib import Path

import pytest

from maskwright.plugins import krita as krita_plugin

from ..chroot import Lab
from .driver import runner

pytestmark = pytest.mark.editor

IMPORTER = "/usr/share/krita/pykrita/plugin_importer/plugin_importer.py"
AS_IN_KRITA = f"""
import builtins, runpy, sys
builtins.i18n = lambda text: text  # Krita gives it to its scripts
sys.argv[0] = {IMPORTER!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_kritas_own_importer_takes_the_zip(headless_lab: Lab, plugin_zip: Path) -> None:
    inside = headless_lab.put(plugin_zip, "import", "plugin.zip")
    resources = headless_lab.path("import", "resources", "x").parent
    said = headless_lab.run(["python3", "-c", AS_IN_KRITA, inside, headless_lab.within(resources)]).stdout
    assert "Imported plugin: Maskwright" in said
    assert (resources / "actions" / f"{krita_plugin.NAME}.action").is_file()
    assert (resources / "pykrita" / krita_plugin.NAME / "vendor" / "maskwright_client" / "client.py").is_file()


def test_planes_and_reading_are_exact(headless_lab: Lab) -> None:
    runner(
        headless_lab,
        """
        import maskwright_krita  # puts what it brings along on the path
        from krita import Krita
        from maskwright_protocol.messages import PixelRect
        from maskwright_krita.editor import planes
        from maskwright_krita.editor.pixels import Reader
        from maskwright_krita.pictures import Picture
        from maskwright_krita.editor.qt import QByteArray

        # planes: the larger, the smaller, the product; of odd widths, since Qt pads rows
        first = planes.Plane(PixelRect(-2, 1, 5, 3), bytes(range(10, 25)))
        second = planes.Plane(PixelRect(1, 0, 3, 3), bytes(range(20, 29)))

        def at(plane, x, y):
            box = plane.box
            inside = box.x <= x < box.x + box.width and box.y <= y < box.y + box.height
            return plane.data[(y - box.y) * box.width + x - box.x] if inside else 0

        both, common = planes.union([first, second]), planes.darker(first, second)
        assert both.box == PixelRect(-2, 0, 6, 4), both.box
        assert common.box == PixelRect(1, 1, 2, 2), common.box
        for y in range(-1, 6):
            for x in range(-4, 8):
                assert at(both, x, y) == max(at(first, x, y), at(second, x, y)), (x, y)
                assert at(common, x, y) == min(at(first, x, y), at(second, x, y)), (x, y)
        product = planes.multiply(bytes([0, 1, 128, 200, 255]), bytes([255, 255, 128, 100, 255]), 5, 1)
        assert all(abs(got - want) <= 1 for got, want in zip(product, [0, 1, 64, 78, 255])), list(product)

        # a layer that reaches out of the canvas, read whole and clipped
        document = Krita.instance().createDocument(40, 30, "t", "RGBA", "U8", "", 72.0)
        node = document.createNode("n", "paintlayer")
        width, height = 50, 20
        pixels = bytes((7 * i + i // 4) % 256 if i % 4 < 3 else 255 for i in range(width * height * 4))
        node.setPixelData(QByteArray(pixels), -15, -5, width, height)
        document.rootNode().addChildNode(node, None)
        document.waitForDone()
        whole = Picture(Reader(document, node, "layer", whole=True))
        assert whole.box == PixelRect(-15, -5, 50, 20), whole.box
        for _ in whole.prepare():
            pass
        assert bytes(whole.overview().data) == pixels
        part = Reader(document, node, "layer")
        assert part.box == PixelRect(0, 0, 35, 15), part.box
        row = part.band(0, 3, 35, 1)
        start = ((3 + 5) * width + 15) * 4
        assert row == pixels[start : start + 35 * 4]

        # a large picture is scaled to a long side of 1024, and stays where it was
        large = Krita.instance().createDocument(3000, 1500, "l", "RGBA", "U8", "", 72.0)
        node = large.createNode("n", "paintlayer")
        node.setPixelData(QByteArray(b"\\x40\\x80\\xc0\\xff" * 4500000), 0, 0, 3000, 1500)
        large.rootNode().addChildNode(node, None)
        large.waitForDone()
        picture = Picture(Reader(large, node, "layer"))
        for _ in picture.prepare():
            pass
        raster = picture.overview().raster
        assert (raster.width, raster.height) == (1024, 512)
        assert bytes(picture.overview().data) == b"\\x40\\x80\\xc0\\xff" * (1024 * 512)
        """,
    )
