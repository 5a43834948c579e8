"""A real HTTP server that answers as the hub and as a release page do, with the faults of the real ones."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_right"


@dataclass
class Hub:
    """``files``: path -> bytes, for the hub ``owner/name/path`` and for releases ``release/name``.

    ``faults``: what happens to the next transfers of a path, one after the other: a number of bytes after which the
    connection breaks, a status, "corrupt" (one byte differs) or "short" (a wrong length is announced and sent).
    ``gate`` is called in the middle of each transfer.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[int | str]] = field(default_factory=lambda: defaultdict(list))
    gated: set[str] = field(default_factory=set)
    revision: str = REVISION  # what its main branch is at; older ones stay available
    older: set[str] = field(default_factory=set)
    redirect: str = ""  # prefix of the address that hub files are redirected to
    ranges: bool = True
    requests: list[tuple[str, str, str, str]] = field(default_factory=list)  # method, path, Range, Authorization
    gate: Callable[[str], None] = lambda path: None

    def transfers(self, path: str) -> list[str]:
        """The ``Range`` headers of the transfers of that path."""
        return [rng for method, asked, rng, _ in self.requests if method == "GET" and asked.endswith(path)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, body: bool) -> None:
        hub = self.hub
        path = self.path.lstrip("/")
        hub.requests.append((self.command, path, self.headers.get("Range", ""), self.headers.get("Authorization", "")))
        if path.startswith("api/models/"):
            repository, _, branch = path.removeprefix("api/models/").partition("/revision/")
            if not any(known.startswith(f"{repository}/") for known in hub.files):
                return self.error(401, "RepoNotFound")
            if branch != "main":
                return self.error(404, "RevisionNotFound")
            return self.json({"id": repository, "sha": hub.revision, "siblings": []})
        if "/resolve/" in path:
            repository, _, rest = path.partition("/resolve/")
            revision, _, name = rest.partition("/")
            if not any(known.startswith(f"{repository}/") for known in hub.files):
                return self.error(401, "RepoNotFound")
            if repository in hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.error(403 if self.headers.get("Authorization") else 401, "GatedRepo")
            if revision not in {hub.revision, *hub.older}:
                return self.error(404, "RevisionNotFound")
            if f"{repository}/{name}" not in hub.files:
                return self.error(404, "EntryNotFound")
            path = f"{repository}/{name}"
            if hub.redirect:
                data = hub.files[path]
                self.send_response(302)
                self.send_header("Location", f"{hub.redirect}/{path}")
                self.send_header("X-Repo-Commit", revision)
                self.send_header("X-Linked-Size", str(len(data)))
                self.send_header("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            return self.send(path, body, revision)
        path = path.removeprefix("storage/")
        if path not in hub.files:
            return self.error(404, "")
        return self.send(path, body)

    def json(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def error(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, path: str, body: bool, revision: str = "") -> None:
        """``revision``: a repository's, which names small text files by git's digest, large files by SHA-256."""
        hub = self.hub
        data = hub.files[path]
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        if revision and path.endswith((".json", ".txt")):
            etag = f'"{hashlib.sha1(b"blob %d" % len(data) + bytes(1) + data).hexdigest()}"'
        fault = hub.faults[path].pop(0) if body and hub.faults[path] else None
        if isinstance(fault, int) and fault in (401, 403, 404, 500, 503):
            return self.error(fault, "")
        if fault == "corrupt":
            data = data[:-1] + bytes([data[-1] ^ 255])
        elif fault == "short":
            data = data[: len(data) // 2]
        start = 0
        asked = self.headers.get("Range", "")
        same = self.headers.get("If-Range", etag) == etag
        if body and hub.ranges and same and asked.startswith("bytes="):
            start = int(asked[6:].rstrip("-"))
            if start >= len(data):
                return self.error(416, "")
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("ETag", etag)
        if revision:
            self.send_header("X-Repo-Commit", revision)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if not body:
            return None
        rest = data[start:]
        stop = fault if isinstance(fault, int) else len(rest)
        half = min(stop, len(rest) // 2)
        try:
            self.wfile.write(rest[:half])
            self.wfile.flush()
            hub.gate(path)
            self.wfile.write(rest[half:stop])
            self.wfile.flush()
        except OSError:
            self.close_connection = True
            return None
        if stop < len(rest):
            self.close_connection = True
        return None


@contextmanager
def running() -> Iterator[Hub]:
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
