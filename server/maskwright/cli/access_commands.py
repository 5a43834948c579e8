"""``token`` and ``certificate``: who may use this server from other computers, and how they know it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import console
from .flags import Json

token_app = typer.Typer(no_args_is_help=True, help="Give and take tokens for clients on other computers.")
Name = Annotated[str, typer.Argument(help="Whose token it is: letters, digits, dots and dashes.", metavar="NAME")]


def _file():
    """The tokens of this user. Read when a command runs: help must be quick."""
    from maskwright.gateway.tokens import TokenFile

    return TokenFile()


@token_app.command("add")
def token_add(name: Name) -> None:
    """Make a token and print it, once: only what checks it is kept."""
    with console.explained():
        print(_file().add(name))
        console.errors.print("Enter it in the client. It cannot be shown again.")


@token_app.command("list")
def token_list(as_json: Json = False) -> None:
    """Show whose tokens there are."""
    with console.explained(as_json):
        tokens = _file().tokens()
        if as_json:
            console.print_json([{"name": name, "added": token.added} for name, token in tokens.items()])
            return
        for name, token in tokens.items():
            console.output.print(f"{name}  added {token.added}", markup=False)
        if not tokens:
            console.errors.print("There are no tokens. 'maskwright token add NAME' makes one.")


@token_app.command("revoke")
def token_revoke(name: Name) -> None:
    """Make a token worthless. A running server ends its connections within seconds."""
    with console.explained():
        _file().revoke(name)
        console.errors.print(f"The token '{name}' opens nothing any more.", markup=False)


def certificate(
    hosts: Annotated[
        list[str], typer.Argument(help="Names and addresses that clients use for this computer.", metavar="HOST...")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the files; beside the settings.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the certificate that is there.")] = False,
) -> None:
    """Make a certificate for a server that other computers use, and print its fingerprint."""
    from maskwright.config import config_file
    from maskwright.gateway import certificates

    with console.explained():
        pem, key = certificates.make(hosts, out or config_file().parent, replace)
        print(certificates.fingerprint(pem))
        console.errors.print("This is its fingerprint (SHA-256), by which clients know the server. Start it so:")
        console.errors.print(
            f"maskwright serve --host {hosts[0]} --tls-certificate {pem} --tls-key {key}", markup=False, soft_wrap=True
        )
