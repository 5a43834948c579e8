"""What the doctor finds, on a computer of its own: editors, ports, packages, downloads."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from maskwright.cli import doctor as module
from maskwright.plugins import gimp, krita
from maskwright_protocol import __version__
from tests.server.models import bare

Doctor = Callable[..., list[dict[str, str]]]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MASKWRIGHT_", "XDG_", "HF_"))}
    return {
        **kept,
        "HOME": str(home),
        "APPDATA": str(home / "roaming"),
        "LOCALAPPDATA": str(home / "local"),
        "MASKWRIGHT_RUNTIME_DIR": str(home / "run"),
        "MASKWRIGHT_CONFIG": str(home / "config.toml"),
        "PATH": str(home / "bin"),
        **more,
    }


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    def run(**more: str) -> list[dict[str, str]]:
        command = [sys.executable, "-m", "maskwright.cli", "doctor", "--json"]
        given = environment(tmp_path, **more)
        done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=120, check=False)
        findings = json.loads(done.stdout)["findings"]
        assert done.returncode == any(finding["state"] == "problem" for finding in findings), done.stderr
        return findings

    return run


def about(findings: list[dict[str, str]], topic: str) -> list[tuple[str, str, str]]:
    return [(f["state"], f["text"], f["fix"]) for f in findings if f["topic"] == topic]


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
def test_editors_and_the_plugins_in_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("XDG_", "GIMP")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def found_now() -> list[dict[str, str]]:
        return [asdict(finding) for finding in module.editors()]

    assert about(found_now(), "Krita")[0][0] == "note"
    resources, config = tmp_path / ".local/share/krita", tmp_path / ".config/kritarc"
    profile = tmp_path / ".config/GIMP/3.0"
    for folder in (resources, profile, tmp_path / "bin"):
        folder.mkdir(parents=True)
    for command in ("krita", "gimp-3.0"):
        (tmp_path / "bin" / command).write_text("", encoding="utf-8")
        (tmp_path / "bin" / command).chmod(0o755)
    found = found_now()
    for editor in ("Krita", "GIMP"):
        there, plugin = about(found, editor)
        assert there[0] == "ok"
        assert plugin[0] == "note"
        assert f"plugins install {editor.lower()}" in plugin[2]

    krita.write_into(resources)
    gimp.write_folder(profile / "plug-ins")
    off = about(found_now(), "Krita")[1]
    assert off[0] == "problem"
    assert "switched off" in off[1]
    assert "Python Plugin Manager" in off[2]
    config.write_text("[python]\nenable_maskwright_krita=true\n", encoding="utf-8")
    found = found_now()
    for editor in ("Krita", "GIMP"):
        assert about(found, editor)[1][:1] == ("ok",)
        assert __version__ in about(found, editor)[1][1]

    for vendor in (resources / "pykrita" / krita.NAME / "vendor", profile / "plug-ins" / gimp.NAME / "vendor"):
        version = vendor / "maskwright_protocol" / "version.py"
        version.write_text(version.read_text(encoding="utf-8").replace(__version__, "0.0.1"), encoding="utf-8")
    found = found_now()
    for editor in ("Krita", "GIMP"):
        state, text, fix = about(found, editor)[1]
        assert state == "problem"
        assert "0.0.1" in text
        assert "restart" in fix
    gimp.write_folder(profile / "plug-ins")
    (profile / "plug-ins" / gimp.NAME / gimp.SCRIPT).chmod(0o644)
    assert "may not be executed" in about(found_now(), "GIMP")[1][1]


def test_a_port_in_use_unfinished_downloads_and_what_is_recommended(tmp_path: Path, doctor: Doctor) -> None:
    staging = tmp_path / "data" / "maskwright" / "models" / ".downloads" / "yolox-s"
    staging.mkdir(parents=True)
    (staging / "yolox_s.onnx.part").write_bytes(bytes(3 << 20))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = doctor(MASKWRIGHT_PORT=port, XDG_DATA_HOME=str(tmp_path / "data"))
    assert [state for state, *_ in about(found, "ports")] == ["ok", "problem"]
    assert port in about(found, "ports")[1][1]
    notes = about(found, "models")
    assert any("yolox-s" in text and "recommended" in text and "--recommended" in fix for _, text, fix in notes)
    if sys.platform == "linux":
        assert any("unfinished download of yolox-s holds 3 MiB" in text for _, text, _ in notes)


def test_a_device_that_is_not_there(doctor: Doctor) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    found = doctor(MASKWRIGHT_DEVICE="mps" if torch.cuda.is_available() else "cuda")
    assert about(found, "device")[0][0] == "ok"
    states = about(found, "torch")
    assert any(state == "ok" and "computes on" in text for state, text, _ in states)
    assert any(state == "problem" and "no such device" in text for state, text, _ in states)


def test_without_pytorch(tmp_path: Path) -> None:
    code = (
        "import json; from maskwright.cli import doctor\n"
        "print(json.dumps([[f.topic, f.state, f.text, f.fix] for f in doctor.examine()]))"
    )
    found = json.loads(bare.run(code, ("torch",), **environment(tmp_path)))
    (finding,) = [rest for topic, *rest in found if topic == "torch"]
    assert finding[0] == "note"
    assert finding[2] == 'Run: pip install "maskwright[torch]"'
    assert not any(state == "problem" for _, state, *_ in found)
