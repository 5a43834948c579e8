# ruff: noqa: F403
from PyQt5.QtCore import *
