"""A Krita with plugin and server for scripts (the tests have fixtures for this)."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskwright.plugins import krita as krita_plugin
from tests.shared_data import EVAL

from ..chroot import Lab, unusable
from ..server import Server
from .driver import Krita, install
from .studio import Studio


@contextmanager
def open_studio() -> Iterator[Studio]:
    """Everything running; ends with the message why when it cannot."""
    if reason := unusable("krita"):
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as folder, Lab("krita") as lab:
        install(lab, krita_plugin.build(Path(folder)))
        lab.open_display()
        server = Server(lab.path("runtime"), lab.path("out", "server.log"))
        server.start()
        try:
            krita = Krita(lab)
            with server.client() as client:
                studio = Studio(krita, lab, client, EVAL)
                studio.reset()
                yield studio
            krita.quit()
        finally:
            server.stop()
