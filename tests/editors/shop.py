"""A server that lacks a model which a made-up catalogue offers, and the hub where it can be had."""

import hashlib
from pathlib import Path

from maskwright.models.install.scan import EMBEDDED
from maskwright_protocol.messages import ModelInfo, ModelsRequest
from tests.server.models import hub as hubs

from .server import Server

FILE = "yolox_nano.onnx"
NAME = "A Finder"  # the first by name, so that it is the first of the installed ones in a list


class Shop(Server):
    """``variables``: more of the server's environment."""

    def __init__(self, folder: Path, runtime: Path, hub: hubs.Hub) -> None:
        super().__init__(runtime, folder / "server.log")
        self.folder = folder
        self.variables: dict[str, str] = {}
        data = (EMBEDDED / "yolox-nano" / FILE).read_bytes()
        hub.files[f"release/{FILE}"] = data
        digest = hashlib.sha256(data).hexdigest()
        (folder / "models.toml").write_text(
            f'[[model]]\nid = "finder"\ntitle = "{NAME}"\nfamily = "yolox"\ninput_size = 416\nlicence = "Its own"\n'
            f'files = [{{ name = "{FILE}", size = {len(data)}, sha256 = "{digest}" }}]\n'
            f'sources = [{{ url = "{hub.url}/release/" }}]\n'
        )

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "MASKWRIGHT_CONFIG": str(self.folder / "config.toml"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            **self.variables,
        }

    @property
    def downloaded(self) -> Path:
        return self.folder / "data" / "maskwright" / "models" / "finder" / FILE

    def models(self) -> list[ModelInfo]:
        with self.client() as client:
            return client.request(ModelsRequest("")).models  # type: ignore[attr-defined]
