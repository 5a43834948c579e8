"""The plug-in in the real GIMP; its plain data can be imported here too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "plugin_gimp"))
