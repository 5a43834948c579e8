# ruff: noqa: F403
"""Qt by one name: Krita 6 comes with PyQt6, Krita 5 with PyQt5, and each refuses the other's."""

try:
    from PyQt6.QtCore import *
    from PyQt6.QtGui import *
    from PyQt6.QtWidgets import *
except ImportError:
    from PyQt5.QtCore import *  # type: ignore[assignment]
    from PyQt5.QtGui import *  # type: ignore[assignment]
    from PyQt5.QtWidgets import *  # type: ignore[assignment]
