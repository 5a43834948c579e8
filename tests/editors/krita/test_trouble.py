"""Absent, stopped and killed servers, cancelled jobs, closed documents: nothing freezes, nothing is lost."""

import os
import signal

import pytest

from ..server import Server
from .driver import Krita
from .studio import Studio, stopped

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"


def test_cancel_while_the_server_hangs(studio: Studio, krita: Krita, server: Server) -> None:
    studio.open(studio.photo(CAT))
    with stopped(server):
        krita.run("heart.reset(); C.select_by_prompt('cat')")
        krita.wait("C._task is not None and C._task._awaited is not None", "the question to be under way")
        krita.wait("child('maskwright_cancel').isVisible()", "the cancel button")
        studio.press("maskwright_cancel")
        krita.wait("not C.busy()", "the end", 5.0)
    assert krita.get("d.selection() is None")
    assert studio.history()[0] == []
    assert any("Nothing was changed" in note for note in krita.get("TOLD"))
    studio.command("select_by_prompt('cat')")
    assert studio.selection().any()


def test_closing_the_document_while_a_job_runs(studio: Studio, krita: Krita, server: Server) -> None:
    studio.open(studio.photo(CAT))
    with stopped(server):
        krita.run("C.remove_background()")
        krita.wait("C._task is not None and C._task._awaited is not None", "the question to be under way")
        krita.run("d.setModified(False); d.close()")
        krita.wait("not K.documents()", "the document to close")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert "closed" in failure[1]


def test_a_killed_server_is_told_and_can_be_started_again(studio: Studio, krita: Krita, server: Server) -> None:
    studio.open(studio.photo(CAT))
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    krita.run("C.select_by_prompt('cat')")
    krita.wait("C._task is not None and C._task._awaited is not None", "the question to be under way")
    server.kill()
    try:
        studio.idle()
        failure = studio.failure()
        assert failure is not None
        assert failure[0] in ("server_absent", "connection_lost")
        assert krita.get("d.selection() is None")
        krita.wait("C.connection.state == 'absent'", "the state")
        assert krita.get("child('maskwright_start').isVisible()")
        assert krita.get("child('maskwright_problem_button').text()") == "Start the server"
        assert krita.get("child('maskwright_problem').isVisible()")
        # There is no server to start in the chroot: the button says so and how to get one.
        studio.press("maskwright_problem_button")
        krita.wait("C.connection.state == 'absent' and C.connection.error is not None", "the answer")
        assert "not installed" in krita.get("str(C.connection.error)")
    finally:
        server.start()
    krita.wait("C.connection.state == 'connected'", "the connection to come back")
    studio.command("select_by_prompt('cat')")
    assert studio.selection().any()
