"""``/api/remove`` on this computer alone: what speaks to rembg's server can speak to this one.

Nothing gets in that was not let in: loopback, the right ``Host``, no browser's page, a token, and bounds on sizes and
on how many are served at a time. Nothing is fetched: a picture is sent, not named by its address.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from maskwright_client.scripting import AsyncMaskwright, aconnect
from maskwright_protocol.errors import BadImage, BadInput, Busy, MaskwrightError, ServerAbsent, TooLarge

from . import packages, rembg

PATH = "/api/remove"
DEFAULT_PORT = 7000  # rembg's
MAX_BYTES = 64 * 1024 * 1024  # of a request
MAX_WAITING = 32  # requests that wait for their turn
AT_A_TIME = 2  # pictures that are read and written while the server computes another
RECEIVE_S = 60.0  # within which a request has to arrive
HOSTS = {"127.0.0.1", "localhost", "::1"}
NOT_FOR_PAGES = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Refused(Exception):
    """A request that is not looked at; ``status`` and the text are the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def check(scope: Scope, token: str) -> None:
    """Whether a request may come in. Raises ``Refused``."""
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    hosts = [value for name, value in headers if name == "host"]
    if len(hosts) != 1 or _host_name(hosts[0]) not in HOSTS:
        raise Refused(403, "unknown host")
    if any(name == "origin" or name.startswith("sec-fetch-") for name, _ in headers):
        raise Refused(403, "pages of a browser are not served")
    shown = [_secret(value) for name, value in headers if name == "authorization"]
    shown += parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
    if not any(hmac.compare_digest(one.encode(), token.encode()) for one in shown):
        raise Refused(401, "wrong token")


def _host_name(header: str) -> str:
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    return name.strip("[]").lower()


def _secret(header: str) -> str:
    """The token of an ``Authorization``: a bearer's, or the password of an address like ``http://:TOKEN@127.0.0.1``."""
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except ValueError:  # not base64, or not text
            pass
    return ""


class Endpoint:
    """The ASGI application."""

    def __init__(self, token: str, client: AsyncMaskwright) -> None:
        packages.require("starlette", "uvicorn", "python_multipart")
        self._token = token
        self._client = client
        self._turn = asyncio.Semaphore(AT_A_TIME)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import Request

        if scope["type"] != "http":
            return
        try:
            check(scope, self._token)
            response = await self._response(Request(scope, _bounded(scope, receive)))
        except Refused as refused:
            response = _answer(refused.status, str(refused))
        except MaskwrightError as error:
            response = _failure(error)
        await response(scope, receive, send)

    async def _response(self, request: Any) -> Any:
        if request.url.path != PATH:
            raise Refused(404, f"only {PATH} is here")
        if request.method not in ("GET", "POST"):
            raise Refused(405, "use POST")
        if self._waiting >= MAX_WAITING:
            raise Busy("Too many requests are waiting.")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._removed(request)
        finally:
            self._waiting -= 1

    async def _removed(self, request: Any) -> Any:
        from starlette.responses import Response

        content, fields = await _received(request)
        wanted = rembg.read(fields)
        data, cut = await rembg.answer(self._client, content, wanted)
        said = {"X-Maskwright-Models": " + ".join(cut.models), "X-Maskwright-Notes": " ".join(cut.notes)}
        headers = {name: _ascii(text) for name, text in said.items() if text}
        return Response(data, media_type="image/png", headers={**NOT_FOR_PAGES, **headers})


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """What is received, up to ``MAX_BYTES``."""
    room = MAX_BYTES

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal room
        message = await receive()
        room -= len(message.get("body", b""))
        if room < 0:
            raise Refused(413, f"a request has at most {MAX_BYTES >> 20} MB")
        return message

    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit() and int(value) > MAX_BYTES:
            raise Refused(413, f"a request has at most {MAX_BYTES >> 20} MB")
    return bounded


async def _received(request: Any) -> tuple[bytes, dict[str, str]]:
    """The picture, and all other fields of the address and of the form. Raises ``MaskwrightError``."""
    from starlette.formparsers import MultiPartException

    fields = dict(request.query_params)
    if request.method != "POST":
        raise BadInput(
            "Nothing is fetched from the network.", "Send the picture itself: POST it as the form's field 'file'."
        )
    try:
        async with asyncio.timeout(RECEIVE_S):
            form = await request.form(max_files=1, max_fields=32)
    except TimeoutError:
        raise BadInput("The request did not arrive in time.") from None
    except MultiPartException as error:
        raise BadInput(f"The form cannot be read: {error.message}", "Send it as multipart/form-data.") from None
    file = form.get("file")
    content = b"" if file is None or isinstance(file, str) else await file.read()
    fields.update({name: value for name, value in form.items() if isinstance(value, str)})
    await form.close()
    if not content:
        raise BadInput("No picture was sent.", "Send it as the form's field 'file'.")
    return content, fields


def _failure(error: MaskwrightError) -> Any:
    """An error as rembg's server words them: JSON with a ``detail``."""
    statuses = ((TooLarge, 413), (Busy, 503), (ServerAbsent, 503), (BadInput, 422), (BadImage, 422))
    status = next((status for kind, status in statuses if isinstance(error, kind)), 500)
    return _answer(status, f"{error.message} {error.hint}".strip(), error.code)


def _answer(status: int, text: str, code: str = "refused") -> Any:
    from starlette.responses import JSONResponse

    return JSONResponse({"detail": text, "code": code}, status, headers=NOT_FOR_PAGES)


def _ascii(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())[:1000]


def serve(token: str, port: int, listening: Callable[[int], None]) -> None:
    """Serve until the user ends it; ``listening(port)`` is called when callers may come. Raises ``BadInput``."""
    packages.require("starlette", "uvicorn", "python_multipart")
    import uvicorn

    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise BadInput(f"Port {port} cannot be had: {error.strerror}.", "Choose another one with --port.") from error

    async def run() -> None:
        async with aconnect(name="http") as client:
            config = uvicorn.Config(
                Endpoint(token, client), log_level="warning", access_log=False, server_header=False, lifespan="off",
                ws="none", limit_concurrency=2 * MAX_WAITING, timeout_keep_alive=5,
            )  # fmt: skip
            listening(listener.getsockname()[1])
            await uvicorn.Server(config).serve(sockets=[listener])

    with listener:
        asyncio.run(run())
