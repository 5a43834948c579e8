"""The plug-in's settings file."""

from pathlib import Path

from maskwright_gimp import settings


def test_settings_survive_and_odd_files_do_no_harm(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert settings.load(folder) == settings.DEFAULTS
    settings.save(folder, {"command": "mw", "start_server": False})
    assert settings.load(folder) == {"command": "mw", "start_server": False}
    for text in ("", "[]", '{"command": 3, "start_server": "yes", "more": 1}'):
        (tmp_path / settings.FILE_NAME).write_text(text)
        assert settings.load(folder) == settings.DEFAULTS
    assert [path.name for path in tmp_path.iterdir()] == [settings.FILE_NAME]
