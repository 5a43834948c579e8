"""``maskwright serve``: flags -> settings -> the server. Uses argparse, since it must be up in a moment."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maskwright serve",
        description="Host the models for Krita, GIMP and the command line. Listens on this computer only, by default.",
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1); others need TLS and a token")
    parser.add_argument("--port", type=int, help="port to listen on (the system chooses)")
    parser.add_argument("--models", type=Path, action="append", metavar="DIR", help="a local model folder; repeatable")
    parser.add_argument("--device", metavar="NAME", help="auto (the default), cpu, mps, cuda:N; the docs have more")
    parser.add_argument("--precision", metavar="NAME", help="of PyTorch models: auto (the default), fp32, fp16, bf16")
    parser.add_argument("--threads", type=int, help="processor threads for the models")
    parser.add_argument("--image-budget", type=int, metavar="MIB", help="memory for uploaded images")
    parser.add_argument(
        "--worker-idle-s", type=float, metavar="S", help="stop the idle models' process after this time"
    )
    parser.add_argument(
        "--exit-idle-s", type=float, metavar="S", help="end when nobody was connected for this time (never)"
    )
    parser.add_argument("--tls-certificate", type=Path, metavar="PEM")
    parser.add_argument("--tls-key", type=Path, metavar="PEM")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--log-file", type=Path, metavar="FILE", help="JSON lines; the terminal otherwise")
    return parser


def main(arguments: list[str]) -> int:
    """Run the server; returns the exit code."""
    flags = {name: value for name, value in vars(parser().parse_args(arguments)).items() if value is not None}
    from pydantic import ValidationError

    from maskwright.config import Settings
    from maskwright.gateway import app
    from maskwright.logs import configure
    from maskwright_protocol.errors import MaskwrightError

    try:
        settings = Settings(**flags)
    except ValidationError as error:
        for problem in error.errors():
            print(f"{'.'.join(str(p) for p in problem['loc'])}: {problem['msg']}", file=sys.stderr)
        return EXIT_USAGE
    configure(settings.log_level, settings.log_file)
    try:
        app.run(settings)
    except app.AlreadyRunning:
        print("The Maskwright server is running already.", file=sys.stderr)
        return EXIT_OK
    except MaskwrightError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"The server could not start: {error.strerror or error}.", file=sys.stderr)
        return EXIT_FAILED
    return EXIT_OK
