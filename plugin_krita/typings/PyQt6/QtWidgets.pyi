# ruff: noqa: F403
from PyQt5.QtWidgets import *
