"""A server whose worker stands still until a test has done its part."""

import os
import signal

import numpy as np

from maskwright_protocol.messages import Point, Select, StatusRequest

from ..chroot import wait_until
from ..server import Server
from .asking import Pixels, answer


class halted:
    """The server's worker stands still (SIGSTOP), so that a job stays under way until the test has done its part."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def __enter__(self) -> "halted":
        with self.server.client() as client:
            answer(client, Select("", points=[Point(4.0, 4.0)]), Pixels(np.full((8, 8, 3), 99, np.uint8)))
            status = client.request(StatusRequest(""))
        (self.pid,) = [worker.pid for worker in status.workers if worker.pid]  # type: ignore[attr-defined]
        os.kill(self.pid, signal.SIGSTOP)
        return self

    def wait_for_job(self) -> None:
        with self.server.client() as client:
            wait_until(lambda: client.request(StatusRequest("")).running == 1, "the job to run")  # type: ignore[attr-defined]

    def __exit__(self, *exc: object) -> None:
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
