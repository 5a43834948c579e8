"""``http`` and ``mcp``: doors for other programs. What they need is imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import console


def http(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen, on 127.0.0.1; 0 chooses.")] = 7000,
    new_token: Annotated[bool, typer.Option("--new-token", help="Make a new token; the old one is void.")] = False,
) -> None:
    """Serve /api/remove as rembg's server does, on this computer alone, until it is ended."""
    with console.explained():
        from maskwright.bridges import http as bridge
        from maskwright.bridges.token import http_token

        token = http_token(new_token)

        def listening(port: int) -> None:
            address = f"http://127.0.0.1:{port}{bridge.PATH}"
            console.output.print(f"{address}?token={token}", markup=False, soft_wrap=True)
            console.errors.print("The token can also be sent as a header, Authorization: Bearer TOKEN.", markup=False)

        bridge.serve(token, port, listening)


def mcp(
    folder: Annotated[
        list[Path] | None,
        typer.Option(help="Let the assistant use pictures in this folder alone. Repeatable; else your own folder."),
    ] = None,
) -> None:
    """Serve assistants over the Model Context Protocol, on standard input and output."""
    with console.explained():
        from maskwright.bridges import packages

        packages.require("mcp")
        from maskwright.bridges import mcp_server

        mcp_server.serve(folder or [])
