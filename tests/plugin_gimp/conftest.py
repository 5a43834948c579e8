"""The plug-in's plain Python parts, imported without GIMP."""

import sys
from pathlib import Path

# Last, since GIMP wants the plug-in's script to have the name of the server's package.
sys.path.append(str(Path(__file__).resolve().parents[2] / "plugin_gimp"))
