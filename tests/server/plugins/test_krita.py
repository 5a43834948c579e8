"""The Krita zip suits Krita's own importer, and the installer finds every kind of Krita."""

import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from maskwright.plugins import krita
from maskwright.plugins.cli import plugins_app

ACTIONS = ("maskwright_select_prompt", "maskwright_select_subject", "maskwright_refine",
           "maskwright_select_object", "maskwright_click", "maskwright_line_art",
           "maskwright_flats", "maskwright_cutout", "maskwright_mask", "maskwright_parts",
           "maskwright_similar", "maskwright_inpaint", "maskwright_cut_out", "maskwright_other",
           "maskwright_larger", "maskwright_smaller", "maskwright_run_recipe",
           "maskwright_save_recipe", "maskwright_copy_command", "maskwright_stop",
           "maskwright_answer")  # fmt: skip


def test_the_zip_has_what_kritas_importer_looks_for(tmp_path: Path) -> None:
    with zipfile.ZipFile(krita.build(tmp_path)) as archive:
        names = archive.namelist()
        config = ConfigParser()
        config.read_string(archive.read(f"{krita.NAME}.desktop").decode())
        actions = ElementTree.fromstring(archive.read(f"{krita.NAME}.action"))
    assert config["Desktop Entry"]["X-KDE-Library"] == krita.NAME
    assert config["Desktop Entry"]["Comment[de]"].startswith("KI-Auswahlen")
    assert f"{krita.NAME}/" in names, "the importer looks for the folder as an entry of its own"
    assert f"{krita.NAME}/__init__.py" in names
    assert f"{krita.NAME}/vendor/msgpack/fallback.py" in names
    assert f"{krita.NAME}/vendor/maskwright_client/client.py" in names
    assert f"{krita.NAME}/vendor/maskwright_protocol/languages/ja.po" in names
    assert [action.get("name") for action in actions.iter("Action")] == list(ACTIONS)
    assert not [name for name in names if name.endswith((".so", ".pyc", ".pyd")) or "__pycache__" in name]


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = krita.build(tmp_path / "a"), krita.build(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_the_vendored_packages_work_alone(tmp_path: Path) -> None:
    """An isolated Python with nothing but the zip's vendor folder encodes and decodes a message."""
    krita.write_into(tmp_path)
    vendor = tmp_path / "pykrita" / krita.NAME / "vendor"
    code = (
        f"import sys; sys.path.insert(0, {str(vendor)!r})\n"
        "from maskwright_protocol import codec, messages\n"
        "import msgpack\n"
        "assert msgpack.Packer.__module__ == 'msgpack.fallback'\n"
        "data = b''.join(bytes(b) for b in codec.encode(messages.Hello(version=1, client='krita')))\n"
        "assert codec.decode(data, codec_messages(messages), 1 << 20).client == 'krita'\n"
    ).replace("codec_messages(messages)", "{messages.Hello.TYPE: messages.Hello}")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"MSGPACK_PUREPYTHON": "1"},
    )
    assert done.returncode == 0, done.stderr


def test_installing_updating_and_removing(tmp_path: Path) -> None:
    (target,) = krita.install(tmp_path)
    assert (tmp_path / "actions" / f"{krita.NAME}.action").is_file()
    assert (tmp_path / "pykrita" / f"{krita.NAME}.desktop").is_file()
    (target / "left_over.py").write_text("")
    krita.install(tmp_path)
    assert not (target / "left_over.py").exists(), "an update leaves nothing of the older version"
    assert [path.name for path in (tmp_path / "pykrita").iterdir() if path.name.startswith(".")] == []
    assert krita.uninstall(tmp_path) == [target]
    assert list((tmp_path / "pykrita").iterdir()) == []
    assert krita.uninstall(tmp_path) == []


@pytest.mark.parametrize(
    ("platform", "environment", "made", "expected"),
    [
        ("linux", {}, [], [".local/share/krita"]),
        ("linux", {}, [".var/app/org.kde.krita/data/krita"], [".var/app/org.kde.krita/data/krita"]),
        ("linux", {}, [".local/share/krita", "snap/krita/current/.local/share/krita"],
         [".local/share/krita", "snap/krita/current/.local/share/krita"]),
        ("linux", {"XDG_DATA_HOME": "{home}/data"}, [], ["data/krita"]),
        ("darwin", {}, [], ["Library/Application Support/krita"]),
        ("win32", {"APPDATA": "{home}/Roaming", "LOCALAPPDATA": "{home}/Local"},
         ["Local/Packages/49800Krita_abc/LocalCache/Roaming/krita"],
         ["Local/Packages/49800Krita_abc/LocalCache/Roaming/krita"]),
        ("win32", {"APPDATA": "{home}/Roaming", "LOCALAPPDATA": "{home}/Local"}, [], ["Roaming/krita"]),
    ],
)  # fmt: skip
def test_resource_folders(
    tmp_path: Path, platform: str, environment: dict[str, str], made: list[str], expected: list[str]
) -> None:
    for folder in made:
        (tmp_path / folder).mkdir(parents=True)
    environment = {name: value.format(home=tmp_path) for name, value in environment.items()}
    found = krita.resource_folders(environment, platform, tmp_path)
    assert [resources for resources, _ in found] == [tmp_path / folder for folder in expected]


def test_a_resource_folder_that_the_user_moved(tmp_path: Path) -> None:
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "kritarc").write_text(f"ResourceDirectory={tmp_path}/elsewhere\n[python]\n")
    ((resources, _),) = krita.resource_folders({}, "linux", tmp_path)
    assert resources == tmp_path / "elsewhere"


@pytest.mark.parametrize("before", ["", "[python]\nenable_other=true\n", "theme=dark\n[x]\ny=1\n"])
def test_installing_switches_it_on_and_keeps_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    config = tmp_path / "kritarc"
    if before:
        config.write_text(before)
    monkeypatch.setattr(krita, "resource_folders", lambda: [(tmp_path / "krita", config)])
    krita.install()
    krita.install()
    text = config.read_text()
    assert text.count(f"{krita.SETTING}=true") == 1
    assert [line for line in text.splitlines() if line and line not in before] in (
        [f"{krita.SETTING}=true"], ["[python]", f"{krita.SETTING}=true"]
    )  # fmt: skip
    parsed = ConfigParser(strict=False)
    parsed.read_string("[top]\n" + text)
    assert parsed["python"][krita.SETTING] == "true"


def test_the_commands(tmp_path: Path) -> None:
    run = CliRunner()
    built = run.invoke(plugins_app, ["build", "krita", "--out", str(tmp_path)])
    assert built.exit_code == 0
    assert Path(built.output.strip()).is_file()
    installed = run.invoke(plugins_app, ["install", "krita", "--resources", str(tmp_path / "r")])
    assert installed.exit_code == 0
    assert "Restart Krita" in installed.output
    removed = run.invoke(plugins_app, ["uninstall", "krita", "--resources", str(tmp_path / "r")])
    assert "removed" in removed.output
    (tmp_path / "file").write_text("")
    refused = run.invoke(plugins_app, ["install", "krita", "--resources", str(tmp_path / "file")])
    assert refused.exit_code == 1
