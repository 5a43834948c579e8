"""Absent, stopped and killed servers, cancelled jobs, closed documents: nothing freezes, nothing is lost."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from maskwright_protocol.messages import Status, StatusRequest

from ..server import Server
from .driver import Krita
from .studio import Studio, stopped

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"


def test_cancel_while_the_server_hangs(studio: Studio, krita: Krita, server: Server) -> None:
    studio.open(studio.photo(CAT))
    with stopped(server):
        krita.run("heart.reset(); C.select_by_prompt('cat')")
        krita.wait("C._task is not None and C._task.runner.awaited is not None", "the question to be under way")
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
        krita.wait("C._task is not None and C._task.runner.awaited is not None", "the question to be under way")
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
    krita.wait("C._task is not None and C._task.runner.awaited is not None", "the question to be under way")
    server.kill()
    try:
        studio.idle()
        failure = studio.failure()
        assert failure is not None
        assert failure[0] in ("server_absent", "connection_lost")
        assert krita.get("d.selection() is None")
        krita.wait("C.connection.state == 'absent'", "the state")
        # It was to be started again by itself. There is none in the chroot: it says so, how to get one, and the button
        # opens where to say where it is.
        kind, said, buttons = studio.said()
        assert (kind, buttons) == ("problem", ["Settings..."])
        assert "not installed" in said
        assert "pipx install" in said
        studio.press("maskwright_remedy")
        krita.wait("QApplication.activeModalWidget() is not None", "the settings")
        assert krita.get("QApplication.activeModalWidget().objectName()") == "maskwright_settings"
        krita.key("Escape")
        krita.wait("QApplication.activeModalWidget() is None", "the settings to close")
    finally:
        server.start()
    krita.wait("C.connection.state == 'connected'", "the connection to come back")
    krita.wait("P.feedback.now().kind == 'note'", "the problem, which is solved, to go")
    assert studio.said()[1:] == ("The server is running again.", ["Try again"])
    studio.press("maskwright_remedy")
    krita.wait("C.result is not None and not C.busy()", "the answer", 60.0)
    studio.settle()
    assert studio.selection().any()


class Newer(Server):
    """A server of a later protocol version."""

    program = (
        "-c",
        "import sys, maskwright_protocol.messages as messages; messages.PROTOCOL_VERSION = 99; "
        "from maskwright.cli import main; sys.argv = ['maskwright', 'serve']; main()",
    )


class Short(Server):
    """A server that lets one job of each client wait."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "MASKWRIGHT_QUEUE_LENGTH": "1"}


@contextmanager
def instead(krita: Krita, server: Server, other: Server) -> Iterator[None]:
    """Another server in the place of the tests' own."""
    server.stop()
    krita.wait("C.connection.state == 'absent'", "the old server to be gone")
    try:
        other.start()
        yield
    finally:
        if other.process is not None and other.process.poll() is None:
            other.process.terminate()
            other.process.wait(20.0)
        server.start()
        krita.wait("C.connection.state == 'connected'", "the tests' own server")


def test_another_protocol_version_is_told_and_can_be_tried_again(studio: Studio, krita: Krita, server: Server) -> None:
    studio.open(studio.photo(CAT))
    with instead(krita, server, Newer(server.runtime, server.log)):
        krita.wait("C.connection.state == 'refused'", "the refusal")
        krita.run("P.feedback.dismiss()")
        kind, said, buttons = studio.said()
        assert (kind, buttons) == ("problem", ["Try again"])
        assert "version" in said
        assert "same version" in krita.get("child('maskwright_status_text').toolTip()")
        krita.run("C.select_by_prompt('cat')")
        studio.idle()
        failure = studio.failure()
        assert failure is not None
        assert failure[0] == "version_mismatch"
        assert krita.get("child('maskwright_remedy').text()") == "Try again"
        assert krita.get("d.selection() is None")
    # The right server is there now: the button does what was asked for.
    krita.run("FAILED.clear()")
    studio.press("maskwright_remedy")
    krita.wait("C.result is not None and not C.busy()", "the answer", 60.0)
    studio.settle()
    assert studio.failure() is None
    assert studio.selection().any()
    assert studio.said()[0] == "done"


def test_a_busy_server_is_told_and_can_be_tried_again(studio: Studio, krita: Krita, server: Server) -> None:
    studio.open(studio.photo(CAT))
    with instead(krita, server, Short(server.runtime, server.log)):
        krita.wait("C.connection.state == 'connected'", "the busy server")
        studio.command("select_by_prompt('cat')")  # its worker runs from now on
        studio.undo()
        krita.wait("d.selection() is None", "undo")
        with server.client() as own:
            report = own.request(StatusRequest(""), timeout=10.0)
        assert isinstance(report, Status)
        assert report.workers[0].pid is not None
        worker = psutil.Process(report.workers[0].pid)
        worker.suspend()
        try:
            krita.run("C.result = None; T.start()")
            krita.wait("T._tasks._running['prefetch'].runner.awaited is not None", "a job that the worker has")
            krita.run(
                """
                from maskwright_krita.pictures import Picture
                from maskwright_krita.editor.tasks import Task
                waiting = Task(C.connection.ask(C.options.parts_draft(), Picture(C.reader("selection"))))
                """
            )
            krita.wait("waiting.runner.awaited is not None", "a job that waits")
            krita.run("FAILED.clear(); C.select_by_prompt('cat')")
            krita.wait("failure() is not None", "the answer that there are too many")
            failure = studio.failure()
            assert failure is not None
            assert failure[0] == "busy"
            assert krita.get("child('maskwright_remedy').text()") == "Try again"
            assert krita.get("d.selection() is None")
        finally:
            worker.resume()
        krita.wait("'prefetch' not in T._tasks and not waiting.running()", "the jobs before", 60.0)
        krita.run("T.stop(); FAILED.clear()")
        studio.press("maskwright_remedy")
        krita.wait("C.result is not None and not C.busy()", "the answer", 60.0)
        studio.settle()
        assert studio.failure() is None
        assert studio.selection().any()
