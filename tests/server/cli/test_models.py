"""``maskwright models`` and ``doctor`` as their user runs them, without a server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maskwright.models import catalogue
from tests.shared_data import MODELS, REPOSITORY, needs_models

PULLED, FILE = "pp-ocrv4-det", "ch_PP-OCRv4_det_infer.onnx"  # small, and not built in
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MASKWRIGHT_", "HF_"))}
    environment.update(
        MASKWRIGHT_RUNTIME_DIR=str(tmp_path / "run"),
        MASKWRIGHT_CONFIG=str(tmp_path / "config.toml"),
        XDG_DATA_HOME=str(tmp_path / "data"),
        MASKWRIGHT_OFFLINE="1",
        COLUMNS="200",
    )

    def run(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "maskwright.cli", *map(str, arguments)]
        return subprocess.run(
            command, env={**environment, **more}, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_show(cli: Cli) -> None:
    text = cli("models", "show", "yolox-s").stdout
    for part in ("YOLOX-S", "Apache-2.0", "34 MiB", "releases/download/0.1.1rc0", "not installed"):
        assert part in text
    answer = json.loads(cli("models", "show", "u2netp", "--json").stdout)
    assert answer["installed"]
    assert answer["files"][0]["sha256"].startswith("309c8469")
    assert "comes with Maskwright" in cli("models", "show", "mobile-sam").stdout
    run = cli("models", "show", "yolox")
    assert run.returncode == 1
    assert "yolox-s" in run.stderr
    assert "models list" in cli("models", "show", "nothing").stderr
    gated = cli("models", "show", "sam3").stdout
    assert "accounts that asked for it" in gated
    assert "3.2 GiB" in gated
    assert "in half precision" in gated
    made = cli("models", "show", "sam-vit-b").stdout
    assert "made from sam_vit_b_01ec64.pth" in made
    why = cli("models", "pull", "sdmatte", "--json")
    assert json.loads(why.stdout)["error"] == "model_missing"
    assert "vitmatte" in json.loads(why.stdout)["hint"]


def test_pull_says_why_it_cannot(cli: Cli) -> None:
    run = cli("models", "pull", "yolox-s", "--json")
    assert (run.returncode, json.loads(run.stdout)["error"]) == (1, "offline")
    run = cli("models", "pull", "segformer-clothes")
    assert run.returncode == 1
    assert "--accept-licence" in run.stderr
    answer = json.loads(cli("models", "pull", "segformer-clothes", "--accept-licence", "--json").stdout)
    assert answer["error"] == "offline"
    run = cli("models", "pull", "mobile-sam")
    assert run.returncode == 0, "it is there already"
    assert "embedded" in run.stderr


@needs_models
def test_pull_from_a_folder_or_zip_verify_and_remove(cli: Cli, tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(MODELS / "ppocr-det" / FILE, "deep/renamed.onnx")
    for origin in (archive, MODELS / "ppocr-det"):
        run = cli("models", "pull", PULLED, "--from", origin)
        assert run.returncode == 0, run.stderr
        folder = tmp_path / "data" / "maskwright" / "models" / PULLED
        assert [p.name for p in folder.iterdir()] == [FILE]
        verified = json.loads(cli("models", "verify", "--json").stdout)["models"]
        for name in ("mobile-sam", "u2netp", PULLED):
            assert {"model": name, "sound": True, "problem": ""} in verified
        if origin is archive:
            assert cli("models", "remove", PULLED).returncode == 0
            assert not folder.exists()
    data = bytearray((folder / FILE).read_bytes())
    data[1000] ^= 255
    (folder / FILE).chmod(0o644)
    (folder / FILE).write_bytes(data)
    run = cli("models", "verify", PULLED)
    assert run.returncode == 1
    assert "damaged" in run.stdout
    assert cli("models", "remove", PULLED).returncode == 0
    assert cli("models", "remove", PULLED).returncode == 1
    assert cli("models", "verify", PULLED).returncode == 1


@needs_models
def test_a_model_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "things.onnx"
    shutil.copyfile(MODELS / "yolox-nano" / "yolox_nano.onnx", mine)
    add = ("models", "add", mine, "--id", "mine", "--family", "yolox", "--title", 'My "things"')
    run = cli(*add, "--input-size", "416")
    assert run.returncode == 0, run.stderr
    answer = json.loads(cli("models", "show", "mine", "--json").stdout)
    assert (answer["title"], answer["own"], answer["installed"], answer["input_size"]) == (
        'My "things"',
        True,
        True,
        416,
    )
    assert "in place of what was called so before" in " ".join(cli(*add).stderr.split())
    run = cli("models", "add", mine, "--id", "other", "--family", "nonsense")
    assert run.returncode == 2
    assert "yolox" in run.stderr
    for name, sentence in (("ben2", "already"), ("a b", "cannot be a model's entry")):
        run = cli("models", "add", mine, "--id", name, "--family", "yolox")
        assert run.returncode == 2
        assert sentence in run.stderr
    pickle = tmp_path / "things.pt"
    pickle.write_bytes(b"no pickle")
    run = cli("models", "convert", pickle, "--out", tmp_path / "nowhere" / "things.safetensors")
    assert run.returncode == 2
    assert "--out" in run.stderr
    run = cli("models", "add", pickle, "--id", "other", "--family", "yolox")
    assert run.returncode == 1
    assert "things.pt was not read" in run.stderr
    assert "other" not in (tmp_path / "models.toml").read_text(encoding="utf-8")


def test_the_page_of_models_is_what_the_catalogue_says(cli: Cli) -> None:
    page = cli("models", "table", "--markdown").stdout
    assert page == (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8"), (
        "write it anew: maskwright models table --markdown > docs/models.md"
    )
    shown = cli("models", "table").stdout
    for entry in catalogue.built_in().model:
        assert f"`{entry.id}`" in page
        assert entry.id in shown


def test_doctor_writes_a_report_that_names_nobody(cli: Cli, tmp_path: Path) -> None:
    secret = tmp_path / "home" / "erika-mustermann"
    (secret / "models").mkdir(parents=True)
    (tmp_path / "models.toml").write_text("[[model", encoding="utf-8")
    out = tmp_path / "report.txt"
    run = cli("doctor", "--report", out, HOME=str(secret), MASKWRIGHT_MODELS=str(secret / "models" / "mine"))
    assert run.returncode == 1
    text = out.read_text(encoding="utf-8")
    assert "Maskwright" in text
    assert "not TOML" in text
    assert "<model folder 1>" in text
    assert str(secret) in run.stdout.replace("\n", "").replace(" ", "")
    for private in (str(tmp_path), "mustermann", str(secret)):
        assert private not in text
    assert cli("doctor", "--report", tmp_path / "no" / "where.txt").returncode == 1
