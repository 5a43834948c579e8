"""The plain Python parts of both plugins, imported without their editors."""

import sys
from pathlib import Path

# Last, since GIMP wants the plug-in's script to have the name of the server's package.
sys.path += [str(Path(__file__).resolve().parents[2] / name) for name in ("plugin_gimp", "plugin_krita")]
