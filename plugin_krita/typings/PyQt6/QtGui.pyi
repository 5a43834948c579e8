# ruff: noqa: F403
from PyQt5.QtGui import *
from PyQt5.QtWidgets import QAction as QAction
