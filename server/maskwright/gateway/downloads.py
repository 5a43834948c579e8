"""Downloads of models for clients: one process a model, any number of clients that wait for it."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from maskwright.config import default_model_folder
from maskwright.models import catalogue
from maskwright_protocol.errors import BadInput, Busy, DownloadFailed, InternalError, MaskwrightError, from_code
from maskwright_protocol.language import from_json, tr
from maskwright_protocol.messages import (
    Cancelled,
    Done,
    DownloadInfo,
    Failed,
    Message,
    ModelPull,
    ModelRemove,
    Progress,
)

log = logging.getLogger(__name__)

MAX_DOWNLOADS = 4  # models at the same time

Deliver = Callable[[Message], None]
Listener = tuple[str, str]  # session, id of the request


class Downloads:
    """Use from the event loop's thread only.

    A client that asks for a model that is already being downloaded joins in. When the last one has left, the download
    stops; what has arrived is kept.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = list(folders)
        self._listeners: dict[str, dict[Listener, Deliver]] = {}  # by model
        self._processes: dict[str, Process] = {}
        self._latest: dict[str, DownloadInfo] = {}  # by model
        self._tasks: set[asyncio.Task[None]] = set()

    def join(self, session: str, request: ModelPull, deliver: Deliver) -> None:
        """Start the download or join it. Raises typed errors for what cannot be downloaded."""
        from maskwright.models.install import download  # most servers never download anything

        if not request.id or any((session, request.id) in listeners for listeners in self._listeners.values()):
            raise BadInput(tr("A request needs an id of its own."))
        entry = catalogue.load().get(request.model)
        download.agree(entry, request.accept_licence)
        listeners = self._listeners.get(entry.id)
        if listeners is None:
            if len(self._listeners) >= MAX_DOWNLOADS:
                raise Busy(tr("Other models are being downloaded."), tr("Wait for one of them, then try again."))
            listeners = self._listeners[entry.id] = {}
            self._latest[entry.id] = DownloadInfo(entry.id, "waiting", 0.0, f"Starting to download {entry.title}")
            self._spawn(self._run(entry.id, listeners))
        listeners[session, request.id] = deliver
        now = self._latest[entry.id]
        deliver(Progress(request.id, 0, now.stage, now.fraction, now.text))

    def underway(self) -> list[DownloadInfo]:
        """The downloads of all clients, for any of them."""
        return [self._latest[model] for model in self._listeners]

    def leave(self, session: str, identity: str) -> None:
        """This client no longer waits for it; unknown ids are ignored."""
        for listeners in self._listeners.values():
            deliver = listeners.pop((session, identity), None)
            if deliver is not None:
                deliver(Cancelled(identity))
        self._stop_the_unwanted()

    def drop_session(self, session: str) -> None:
        """The client is gone."""
        for listeners in self._listeners.values():
            for listener in [known for known in listeners if known[0] == session]:
                del listeners[listener]
        self._stop_the_unwanted()

    def remove(self, request: ModelRemove, deliver: Deliver) -> None:
        """Delete a downloaded model. Raises ``ModelMissing`` for an unknown one."""
        from maskwright.models.install import remove

        entry = catalogue.load().get(request.model)

        async def run() -> None:
            try:
                await asyncio.to_thread(remove.remove, entry, default_model_folder())
            except MaskwrightError as error:
                deliver(Failed.from_error(request.id, error))
            except OSError as error:
                text = tr("The model {0} could not be deleted: {1}.", entry.id, error.strerror or error)
                deliver(
                    Failed.from_error(
                        request.id, InternalError(text, tr("Stop the server and delete its folder by hand."))
                    )
                )
            else:
                deliver(Done(request.id))

        self._spawn(run())

    async def stop(self) -> None:
        """End all downloads; nobody is told, since the connections end too."""
        for listeners in self._listeners.values():
            listeners.clear()
        self._stop_the_unwanted()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ inside

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop_the_unwanted(self) -> None:
        for model in [model for model, listeners in self._listeners.items() if not listeners]:
            del self._listeners[model]  # whoever asks from now on starts anew; the lock lets the old one end first
            if (process := self._processes.pop(model, None)) is not None:
                _kill(process)

    async def _run(self, model: str, listeners: dict[Listener, Deliver]) -> None:
        command = [sys.executable, "-m", "maskwright.models.install.download_process", model, "--accept-licence"]
        for folder in self._folders:
            command += ["--folder", str(folder)]
        # Its standard input is never written to: the process ends when the server, and with it the pipe, is gone.
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        last: dict[str, Any] = {}
        try:
            if self._listeners.get(model) is listeners:
                self._processes[model] = process
            else:  # nobody wants it any more
                _kill(process)
            assert process.stdout is not None
            async for line in process.stdout:
                last = json.loads(line)
                if "stage" in last:
                    text = from_json(last["text"])
                    self._latest[model] = DownloadInfo(model, last["stage"], last["fraction"], text)
                    for (_, identity), deliver in listeners.items():
                        deliver(Progress(identity, 0, last["stage"], last["fraction"], text))
        except ValueError:
            log.exception("the download process sent a line that is not JSON")
        finally:
            _kill(process)
            await process.wait()
            if self._listeners.get(model) is listeners:
                del self._listeners[model]
                self._processes.pop(model, None)
        for (_, identity), deliver in listeners.items():
            deliver(_answer(identity, last, process.returncode))


def _answer(identity: str, last: dict[str, Any], code: int | None) -> Message:
    if "done" in last:
        return Done(identity)
    if "error" in last:
        message, hint = from_json(last["message"]), from_json(last["hint"])
        return Failed.from_error(identity, from_code(last["error"], message, hint, last["details"]))
    return Failed.from_error(
        identity, DownloadFailed(tr("The download's process ended (exit code {0}).", code), tried=[])
    )


def _kill(process: Process) -> None:
    if process.returncode is None:
        try:
            process.kill()
        except ProcessLookupError:
            pass
