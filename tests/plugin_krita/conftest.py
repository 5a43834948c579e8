"""The plugin's own folder on the path. What needs Krita or Qt is tested in the editor (see ``tests/editors/krita``)."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "plugin_krita"))
