"""The real server as a process of the tests: started, killed, stopped, started again."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from maskwright_client.client import Client
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.messages import Shutdown
from tests.shared_data import REPOSITORY

from .chroot import wait_until


class Server:
    """``maskwright serve`` whose endpoint file lies in ``runtime``; the plugin finds it there.

    As after its installation: no model folder, unless ``MASKWRIGHT_MODELS`` names one.
    """

    program: tuple[str, ...] = ("-m", "maskwright.cli", "serve")  # what Python runs

    def __init__(self, runtime: Path, log: Path) -> None:
        self.runtime = runtime
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        paths = [str(REPOSITORY / "server"), str(REPOSITORY / "protocol"), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "MASKWRIGHT_RUNTIME_DIR": str(self.runtime),
            "XDG_DATA_HOME": str(self.log.parent / "data"),
            "MASKWRIGHT_CONFIG": str(self.log.parent / "config" / "config.toml"),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }

    def start(self) -> None:
        assert self.process is None or self.process.poll() is not None, "it is running"
        (self.runtime / "server.json").unlink(missing_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.program],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment(),
                start_new_session=True,
            )

        def listening() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, "the server ended at once:\n" + self.log.read_text()[-3000:]
            return (self.runtime / "server.json").exists()

        wait_until(listening, "the server's endpoint file")

    def endpoint(self) -> Endpoint:
        return Endpoint(**json.loads((self.runtime / "server.json").read_text()))

    def client(self, name: str = "tests") -> Client:
        """A client of this server, in the test's own process."""
        return Client(name, endpoint=self.endpoint)

    def kill(self) -> None:
        """End it as a crash would: no goodbye, the endpoint file stays. Its workers end when their pipe breaks."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as the user would."""
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(Exception), self.client() as client:
            client.request(Shutdown(""), timeout=5.0)
        try:
            self.process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            try:
                self.process.wait(5.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
