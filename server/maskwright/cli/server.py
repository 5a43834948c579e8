"""``status`` and ``stop``."""

from __future__ import annotations

from dataclasses import asdict

from maskwright_protocol.discovery import read_endpoint
from maskwright_protocol.errors import ServerAbsent
from maskwright_protocol.messages import Done, Shutdown, Status, StatusRequest

from . import console

MIB = 1024 * 1024


def show_status(as_json: bool) -> None:
    from maskwright.gateway.tokens import LOCAL

    with console.explained(as_json), console.connected(start=False) as client:
        status = client.request(StatusRequest(""), console.REPLY_S)
        assert isinstance(status, Status)
        if as_json:
            console.print_json(asdict(status))
            return
        print_ = console.output.print
        print_(f"Maskwright {status.server_version}, running for {status.uptime_s:.0f} s (process {status.pid})")
        print_(f"memory {status.memory_bytes / MIB:.0f} MiB, images {status.image_bytes / MIB:.0f} of "
               f"{status.image_budget / MIB:.0f} MiB")  # fmt: skip
        clients, jobs = (f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((status.sessions, "client"),
                         (status.running, "job")))  # fmt: skip
        print_(f"{clients}, {jobs} running, {status.queued} waiting")
        for one in status.clients:
            print_(f"client {one.program}" + ("" if one.token == LOCAL else f", token {one.token}"), markup=False)
        for worker in status.workers:
            line = f"worker on {worker.device}: {worker.state}"
            if worker.pid is not None:
                line += f" (process {worker.pid}, {worker.memory_bytes / MIB:.0f} MiB)"
            print_(line)
            if worker.device_reason:
                print_(f"  {worker.device_reason}")
            if worker.models:
                print_(f"  loaded: {', '.join(worker.models)}")
        for download in status.downloads:
            print_(f"{download.text}: {download.fraction:.0%}", markup=False)
        for problem in status.problems:
            print_(problem, markup=False)


def stop_server() -> None:
    with console.explained():
        if read_endpoint() is None:
            console.errors.print("The Maskwright server is not running.")
            return
        try:
            with console.connected(start=False) as client:
                answer = client.request(Shutdown(""), console.REPLY_S)
                assert isinstance(answer, Done)
        except ServerAbsent:
            console.errors.print("The Maskwright server is not running.")
            return
        console.errors.print("The Maskwright server stops.")
