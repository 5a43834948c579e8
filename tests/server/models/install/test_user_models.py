"""The user's own entries, and files whose digests nobody publishes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue, Content, Entry, ModelFile, Source
from maskwright.models.install import scan
from maskwright.models.machine import records
from maskwright_protocol.errors import ModelBroken
from tests.shared_data import MODELS, needs_models

OWN = """
[[model]]
id = "faces"
family = "yolox"
files = [{ name = "faces.onnx", size = 10, sha256 = "%s" }]
""" % ("0" * 64)

PICKLED = """
[[model]]
id = "faces"
family = "yolox"
files = [{ name = "model.safetensors", pickle = { name = "faces.pt", %s } }]
"""


def test_an_own_entry_joins_the_others_as_soon_as_it_is_written(home: Path) -> None:
    before = catalogue.load()
    assert before.problems == ()
    (home / "models.toml").write_text(OWN, encoding="utf-8")
    faces = catalogue.load().get("faces")
    assert faces.own
    assert (faces.roles, faces.input_size, faces.commercial) == (("detector",), 640, "ask")
    assert [e.id for e in catalogue.load().model] == [*(e.id for e in before.model), "faces"]
    (home / "models.toml").unlink()
    assert catalogue.load().model == before.model


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[model", "is not TOML"),
        ("further = 1", r"\[\[model\]\] tables only"),
        ("model = 3", r"\[\[model\]\] tables only"),
        ("model = [3]", "number 1 .* not a table"),
        (OWN.replace('"faces"', '"../faces"'), "id: "),
        (OWN.replace('"faces"', '"yolox-s"'), "taken already"),
        (OWN.replace('"yolox"', '"__init__"'), "family must be one of .*yolox"),
        (OWN.replace("faces.onnx", "../../faces.onnx"), "files.0.name"),
        (OWN.replace("faces.onnx", ".hidden"), "files.0.name"),
        (OWN.replace("size = 10", "size = 0"), "files.0.size"),
        (OWN + 'sources = [{ url = "http://example.org/" }]', "sources.0.url"),
        (OWN + 'sources = [{ hub = "a/b", revision = "main" }]', "sources.0.revision"),
        (OWN + 'colour = "red"', "colour"),
        ('[[model]]\nid = "x"\nfamily = "yolox"\nfiles = []', "names no files"),
        (OWN.replace("faces.onnx", "faces.pt"), "a pickle is never loaded"),
        (OWN.replace("faces.onnx", "faces.safetensors"), r"family yolox are called \*\.onnx"),
        (OWN + 'roles = ["segmenter"]', "family yolox is made for: detector"),
        (OWN.replace("size =", 'pickle = { name = "a.pt" }, size ='), "ends in .safetensors"),
        (PICKLED % 'rename = [["(", ""]]', r"'\(' is no regular expression"),
        (PICKLED % 'allow = ["argparse.Namespace"]', "allow needs the sha256"),
        (PICKLED % 'colour = "red"', "files.0.pickle.colour"),
    ],
)
def test_a_bad_entry_is_told_and_the_rest_is_used(home: Path, text: str, sentence: str) -> None:
    import re

    (home / "models.toml").write_text(text, encoding="utf-8")
    known = catalogue.load()
    assert known.model == catalogue.built_in().model
    (problem,) = known.problems
    assert re.search(sentence, problem), problem
    if "[[model]]" in text:
        good = OWN.replace('"faces"', '"sound"')
        (home / "models.toml").write_text(good + text, encoding="utf-8")
        assert catalogue.load().get("sound").own
        assert len(catalogue.load().problems) == 1


def test_files_that_are_no_text_do_not_stop_anything(home: Path) -> None:
    (home / "models.toml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in catalogue.load().problems[0]
    (home / "models.toml").unlink()
    (home / "models.toml").mkdir()
    assert "cannot be read" in catalogue.load().problems[0]


def test_an_own_entry_cannot_claim_to_be_built_in() -> None:
    import tomllib

    table = tomllib.loads(OWN + "embedded = true\nrecommended = true\nown = false")["model"][0]
    entry = catalogue.own_entry(table)
    assert (entry.own, entry.embedded, entry.recommended) == (True, False, False)


def test_an_own_entry_takes_what_it_does_not_say_from_its_family() -> None:
    files = [{"name": name} for name in ("config.json", "model.safetensors", "preprocessor_config.json")]
    entry = catalogue.own_entry({"id": "mine", "family": "vitmatte", "files": files})
    assert (entry.roles, entry.needs_trimap) == (("matting",), True)
    assert not catalogue.own_entry(
        {"id": "mine", "family": "vitmatte", "files": files, "needs_trimap": False}
    ).needs_trimap


def test_sources_name_files() -> None:
    hub = Source(hub="a/b", revision="0" * 40, folder="onnx", names={"x.onnx": "model.onnx"})
    assert hub.path("x.onnx") == "onnx/model.onnx"
    url = Source(url="https://example.org/v1/", names={"x.onnx": "a b.onnx"})
    assert url.address("x.onnx") == "https://example.org/v1/a%20b.onnx"
    assert url.address("y.onnx") == "https://example.org/v1/y.onnx"
    for wrong in ({}, {"hub": "a/b", "url": "https://example.org/"}, {"url": "https://example.org/file"}):
        with pytest.raises(ValidationError):
            Source.model_validate(wrong)


def test_every_built_in_model_says_what_one_must_know() -> None:
    for entry in catalogue.built_in().model:
        assert entry.commercial == "yes" or entry.licence
        assert entry.embedded or entry.licence_url or entry.source or not entry.sources
        assert not (entry.recommended and (entry.gated or entry.commercial != "yes" or not entry.sources))
        assert entry.memory_for("fp16") == entry.memory_in.get("fp16", entry.memory)
    assert any(entry.recommended for entry in catalogue.built_in().model)


def entry_of(data: bytes | None) -> Entry:
    if data is None:
        file = ModelFile(name="a.onnx")
    else:
        file = ModelFile(name="a.onnx", size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return Entry(
        id="a", family="yolox", roles=("detector",), title="A", summary="A.", licence="MIT", commercial="yes",
        source="", revision="1", files=(file,), parameters=0, memory=1, input_size=64,
    )  # fmt: skip


def test_an_unpublished_digest_is_recorded_and_then_enforced(home: Path) -> None:
    entry = entry_of(None)
    known = Catalogue(model=(entry,))
    folder = home / "models" / "a"
    folder.mkdir(parents=True)
    (folder / "a.onnx").write_bytes(b"first")
    model = scan.scan([home / "models"], known)["a"]
    assert records.content("a", "a.onnx") is None
    scan.verify(model)
    assert records.content("a", "a.onnx") == Content(size=5, sha256=hashlib.sha256(b"first").hexdigest())
    (folder / "a.onnx").write_bytes(b"other")
    os.utime(folder / "a.onnx", (1, 1))
    with pytest.raises(ModelBroken, match="damaged or is another version"):
        scan.verify(scan.scan([home / "models"], known)["a"])
    (folder / "a.onnx").write_bytes(b"longer than before")
    assert "18 bytes instead of 5" in scan.scan([home / "models"], known)["a"].problem


def test_large_files_are_read_once_and_again_when_they_change(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "LARGE", 4)
    folder = home / "models" / "a"
    folder.mkdir(parents=True)
    file = folder / "a.onnx"
    file.write_bytes(b"first")
    known = Catalogue(model=(entry_of(b"first"),))

    def verify(anew: bool = False) -> None:
        if not anew:
            scan.digest.cache_clear()  # as in a new process
        scan.verify(scan.scan([home / "models"], known)["a"], anew)

    verify()
    status = file.stat()
    file.write_bytes(b"other")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    verify()  # size and time are the same: it is taken for what it was
    with pytest.raises(ModelBroken, match="damaged"):
        verify(anew=True)
    file.write_bytes(b"first")
    os.utime(file, ns=(1, 1))
    verify()
    file.write_bytes(b"other")
    os.utime(file, ns=(2, 2))
    with pytest.raises(ModelBroken, match="damaged"):
        verify()


def test_records_survive_damage_and_know_licences_and_memory(home: Path) -> None:
    records.accept_licence("a", "CC BY-NC 4.0")
    assert records.licence_accepted("a", "CC BY-NC 4.0")
    assert not records.licence_accepted("a", "another")
    records.record_memory("a", "cpu", 123)
    assert records.memory("a", "cpu") == 123
    assert records.memory("a", "cuda") is None
    for text in ("no json", "[]", '{"files": 3, "memory": {"a@cpu": "much"}}', '{"files": {"a/a.onnx": {"size": 0}}}'):
        records.path().write_text(text, encoding="utf-8")
        assert records.content("a", "a.onnx") is None
        assert records.memory("a", "cpu") is None
        assert not records.licence_accepted("a", "CC BY-NC 4.0")
    records.record_memory("a", "cpu", 5)
    assert records.memory("a", "cpu") == 5


def test_processes_that_record_at_the_same_time_lose_nothing(home: Path) -> None:
    code = (
        "import sys; from maskwright.models.machine import records\n"
        "for i in range(20): records.record_memory(f'{sys.argv[1]}{i}', 'cpu', 1)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert all(records.memory(f"{name}{i}", "cpu") == 1 for name in "ab" for i in range(20))


@needs_models
def test_another_export_of_the_same_weights_serves_as_well(tmp_path: Path) -> None:
    file = catalogue.built_in().get("yolox-nano").files[0]
    ours = (MODELS / "yolox-nano" / "yolox_nano.onnx").stat().st_size
    assert [content.size for content in file.contents] == [file.size, ours]
    assert ours != file.size
    scan.verify(scan.scan([MODELS])["yolox-nano"])


@needs_models
def test_unfinished_downloads_are_not_seen_and_renamed_files_are_found(tmp_path: Path) -> None:
    hidden = tmp_path / ".downloads"
    shutil.copytree(MODELS / "yolox-nano", hidden)
    assert scan.scan([tmp_path])["yolox-nano"].folder != hidden, "it is the one that comes with Maskwright"
    content = catalogue.built_in().get("yolox-nano").files[0].also[0]
    assert scan.find_content([tmp_path], content) is None
    (tmp_path / "mine").mkdir()
    shutil.copy(hidden / "yolox_nano.onnx", tmp_path / "mine" / "whatever (1).onnx")
    assert scan.find_content([tmp_path], content) == tmp_path / "mine" / "whatever (1).onnx"
