from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maskwright.config import default_model_folder
from maskwright.models.install import transports
from maskwright_protocol.language import from_json

from . import hub as hubs


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configuration and data of its own."""
    for name in list(os.environ):
        if name.startswith(("MASKWRIGHT_", "HF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MASKWRIGHT_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(transports, "PAUSE_S", 0.01)
    return tmp_path


@pytest.fixture
def hub() -> Iterator[hubs.Hub]:
    with hubs.running() as hub:
        yield hub


@dataclass
class Puller:
    """Downloads as the server does: in a process of its own, with the real hub client against the stand-in."""

    home: Path
    hub: hubs.Hub

    def declare(self, files: dict[str, bytes | None], *, published: bool = True, **more: Any) -> None:
        """Write the user's catalogue: one model ``faces`` with these files."""
        tables = []
        for name, data in files.items():
            line = f'name = "{name}"'
            if published and data is not None:
                line += f', size = {len(data)}, sha256 = "{hashlib.sha256(data).hexdigest()}"'
            tables.append(f"{{ {line} }}")
        lines = ["[[model]]", 'id = "faces"', 'family = "yolox"', f"files = [{', '.join(tables)}]"]
        lines += [f"{name} = {value}" for name, value in more.items()]
        (self.home / "models.toml").write_text("\n".join(lines), encoding="utf-8")

    def on_the_hub(self, files: dict[str, bytes], *, published: bool = True, repository: str = "a/faces") -> None:
        self.hub.files.update({f"{repository}/{name}": data for name, data in files.items()})
        source = f'[{{ hub = "{repository}", revision = "{hubs.REVISION}" }}]'
        self.declare(dict(files), published=published, sources=source)

    def start(self, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "maskwright.models.install.download_process", "faces", "--accept-licence"],
            env={**os.environ, "HF_ENDPOINT": self.hub.url, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """What it said last."""
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [json.loads(line) for line in process.stdout]
        assert process.wait(30) == 0, process.stderr.read()
        assert process.stdin is not None
        process.stdin.close()
        process.stdout.close()
        process.stderr.close()
        assert all(0 <= line["fraction"] <= 1 and line["text"] for line in lines[:-1])
        return {name: from_json(value) for name, value in lines[-1].items()}

    def pull(self, **environment: str) -> dict[str, Any]:
        return self.finish(self.start(**environment))

    def installed(self) -> dict[str, bytes]:
        folder = default_model_folder() / "faces"
        return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.is_dir() else {}

    def unfinished(self) -> dict[str, int]:
        folder = default_model_folder() / ".downloads" / "faces"
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return {p.name: p.stat().st_size for p in files if not p.name.endswith(".json")}


@pytest.fixture
def puller(home: Path, hub: hubs.Hub) -> Puller:
    return Puller(home, hub)
