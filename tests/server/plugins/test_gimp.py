"""The GIMP plug-in as a folder and as a zip, and the places where GIMP looks for it."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from maskwright.plugins import gimp


def test_zip_unpacks_to_one_folder_with_an_executable_script(tmp_path: Path) -> None:
    path = gimp.build(tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        mode = archive.getinfo("maskwright/maskwright.py").external_attr >> 16
    assert all(name.startswith("maskwright/") for name in names)
    assert mode & 0o111 == 0o111
    for part in ("maskwright_gimp/register.py", "vendor/maskwright_client/client.py", "vendor/msgpack/fallback.py"):
        assert f"maskwright/{part}" in names
    assert {name.rsplit(".", 1)[1] for name in names} == {"py", "po"}
    assert "maskwright/vendor/maskwright_protocol/languages/ja.po" in names


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    assert gimp.build(tmp_path / "a").read_bytes() == gimp.build(tmp_path / "b").read_bytes()


def test_folder_replaces_an_older_version(tmp_path: Path) -> None:
    old = tmp_path / "maskwright" / "maskwright_gimp" / "gone.py"
    old.parent.mkdir(parents=True)
    old.write_text("raise SystemExit")
    (target,) = gimp.install(tmp_path)
    assert target == tmp_path / "maskwright"
    assert not old.exists()
    assert os.access(target / "maskwright.py", os.X_OK)
    assert [path.name for path in tmp_path.iterdir()] == ["maskwright"]


def test_uninstall_takes_only_ours(tmp_path: Path) -> None:
    gimp.install(tmp_path)
    (tmp_path / "other").mkdir()
    assert gimp.uninstall(tmp_path) == [tmp_path / "maskwright"]
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    assert gimp.uninstall(tmp_path) == []


def test_bundled_parts_work_without_site_packages(tmp_path: Path) -> None:
    (target,) = gimp.install(tmp_path)
    code = (
        "from maskwright_client import client; from maskwright_protocol import codec, messages as m\n"
        "import msgpack\n"
        "data = codec.encode_bytes(m.Select('1', text='a dog'))\n"
        "print(codec.decode(data, m.CLIENT_MESSAGES).text, msgpack.Packer.__module__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(target / 'vendor')!r})\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["a", "dog", "msgpack.fallback"]


def test_everything_parses_as_python_3_8(tmp_path: Path) -> None:
    (target,) = gimp.install(tmp_path)
    files = [path for path in target.rglob("*.py") if "msgpack" not in path.parts]
    assert len(files) > 20
    for path in files:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("platform", "environment", "profile"),
    [
        ("linux", {}, ".config/GIMP/3.0"),
        ("linux", {"XDG_CONFIG_HOME": "HOME/elsewhere"}, "elsewhere/GIMP/3.2"),
        ("linux", {}, ".var/app/org.gimp.GIMP/config/GIMP/3.0"),
        ("linux", {}, "snap/gimp/current/.config/GIMP/3.2"),
        ("win32", {"APPDATA": "HOME/Roaming"}, "Roaming/GIMP/3.0"),
        ("darwin", {}, "Library/Application Support/GIMP/3.2"),
    ],
)
def test_profiles_are_found(tmp_path: Path, platform: str, environment: dict[str, str], profile: str) -> None:
    (tmp_path / profile).mkdir(parents=True)
    settings = {name: value.replace("HOME", str(tmp_path)) for name, value in environment.items()}
    assert gimp.plug_in_folders(settings, platform, tmp_path) == [tmp_path / profile / "plug-ins"]


def test_every_version_3_profile_is_served_and_no_other(tmp_path: Path) -> None:
    for name in ("2.10", "3.0", "3.2", "4.0", "backup"):
        (tmp_path / ".config" / "GIMP" / name).mkdir(parents=True)
    found = gimp.plug_in_folders({}, "linux", tmp_path)
    assert [path.parent.name for path in found] == ["3.0", "3.2"]


def test_gimps_own_variable_names_the_only_profile(tmp_path: Path) -> None:
    (tmp_path / ".config" / "GIMP" / "3.0").mkdir(parents=True)
    named = str(tmp_path / "profile")
    assert gimp.plug_in_folders({"GIMP3_DIRECTORY": named}, "linux", tmp_path) == [tmp_path / "profile" / "plug-ins"]


def test_a_user_without_profiles_gets_the_folder_that_gimp_will_make(tmp_path: Path) -> None:
    assert gimp.plug_in_folders({}, "linux", tmp_path) == [tmp_path / ".config" / "GIMP" / "3.0" / "plug-ins"]
