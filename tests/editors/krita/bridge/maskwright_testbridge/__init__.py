# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Runs code in the open editor for the tests, on its main thread; only ever installed in a test's profile.

Requests are files ``NAME.py`` in the folder of the variable ``MASKWRIGHT_TESTBRIDGE``; the value of ``out`` comes back
in ``NAME.out`` as its repr, a traceback as ``NAME.err``. A heartbeat timer notes the longest gap between its beats.
"""

import os
import time
import traceback

from krita import Extension, Krita

try:
    from PyQt6.QtCore import Qt, QTimer
except ImportError:
    from PyQt5.QtCore import Qt, QTimer

BEAT_MS = 5


class Heart:
    """Gaps between beats: how long the main thread was not free, and what the bridge itself took of it."""

    def __init__(self):
        self.gaps = []
        self.last = time.perf_counter()
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.beat)
        self.timer.start(BEAT_MS)

    def beat(self):
        now = time.perf_counter()
        self.gaps.append(now - self.last)
        self.last = now

    def reset(self):
        self.gaps = []
        self.last = time.perf_counter()

    def longest(self):
        return max([*self.gaps, time.perf_counter() - self.last])


class Bridge(Extension):
    def setup(self):
        self.folder = os.environ.get("MASKWRIGHT_TESTBRIDGE", "")
        if not self.folder:
            return
        self.heart = Heart()
        self.names = {"Krita": Krita, "K": Krita.instance(), "heart": self.heart}
        self.timer = QTimer()
        self.timer.timeout.connect(self.poll)
        self.timer.start(10)

    def createActions(self, window):
        if self.folder:
            self.answer("window", "out", "True")

    def answer(self, name, kind, text):
        path = os.path.join(self.folder, name)
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".part", path + "." + kind)

    def poll(self):
        for file_name in sorted(name for name in os.listdir(self.folder) if name.endswith(".py")):
            path = os.path.join(self.folder, file_name)
            try:
                with open(path, encoding="utf-8") as file:
                    source = file.read()
                os.remove(path)
            except FileNotFoundError:  # a nested event loop took it
                continue
            self.names["out"] = None
            try:
                exec(compile(source, "<test>", "exec"), self.names)
                kind, text = "out", repr(self.names["out"])
            except BaseException:
                kind, text = "err", traceback.format_exc()
            self.answer(file_name[:-3], kind, text)


Krita.instance().addExtension(Bridge(Krita.instance()))
