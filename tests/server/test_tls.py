"""A server for a studio: TLS and a token of its own, or nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maskwright.cli.pictures import FileSource
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol import errors, messages
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.masks import unpack

from .conftest import Server, start_server, stop_server
from .photos import BOX, PHOTO

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate, and is missing")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, pem = folder / "key.pem", folder / "cert.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {key} -out {pem} "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return pem, key


@pytest.fixture(scope="module")
def secure(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pem, key = certificate
    server = start_server(tmp_path_factory.mktemp("server"), "--tls-certificate", str(pem), "--tls-key", str(key))
    yield server
    stop_server(server)


def status(endpoint: Endpoint) -> messages.Message:
    with Client("test", endpoint=lambda: endpoint) as client:
        return client.request(messages.StatusRequest(""), 10)


def test_a_trusted_certificate_works(secure: Server, certificate: tuple[Path, Path]) -> None:
    assert secure.endpoint.tls
    assert isinstance(status(replace(secure.endpoint, ca_file=str(certificate[0]))), messages.Status)


def test_long_messages_go_through(secure: Server, certificate: tuple[Path, Path]) -> None:
    mask = messages.Mask(messages.PixelRect(0, 0, 2000, 2000), data=bytes(4_000_000))
    job = messages.Refine(id="", mask=mask)
    endpoint = replace(secure.endpoint, ca_file=str(certificate[0]))
    with (
        Client("test", endpoint=lambda: endpoint) as client,
        pytest.raises(errors.BadInput, match="no image"),
    ):
        client.request(job, 20)


def test_an_unknown_certificate_is_refused(secure: Server) -> None:
    with pytest.raises(errors.MaskwrightError) as caught:
        status(secure.endpoint)
    assert caught.value.code in ("server_absent", "connection_lost")


def test_plain_text_to_a_tls_server_is_refused(secure: Server) -> None:
    with pytest.raises(errors.MaskwrightError):
        status(replace(secure.endpoint, tls=False))


@pytest.mark.parametrize("flags", [[], ["TLS"]])
def test_other_addresses_need_tls_and_a_token(
    tmp_path: Path, secure: Server, certificate: tuple[Path, Path], flags: list[str]
) -> None:
    pem, key = certificate
    tls = ["--tls-certificate", str(pem), "--tls-key", str(key)] if flags else []
    environment = {**secure.environment, "MASKWRIGHT_RUNTIME_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "maskwright.cli", "serve", "--host", "0.0.0.0", *tls],
        env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert "TLS and a token" in run.stderr
    assert not (tmp_path / "server.json").exists()


def test_masks_for_other_computers_are_compressed(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    pem, key = certificate
    flags = ("--host", "0.0.0.0", "--tls-certificate", str(pem), "--tls-key", str(key))
    server = start_server(tmp_path, *flags, MASKWRIGHT_TOKEN="of-my-own")
    endpoint = replace(server.endpoint, host="127.0.0.1", ca_file=str(pem))
    try:
        with Client("test", endpoint=lambda: endpoint) as client:
            source = FileSource(PHOTO)
            answer = ask.run(ask.answer(client, messages.Select(id="", boxes=[BOX], recipe="grabcut"), source))
        assert isinstance(answer, messages.Selection)
        mask = answer.instances[0].mask
        assert mask is not None
        assert mask.encoding == "zlib"
        assert len(mask.data or b"") < len(unpack(mask)) / 4
    finally:
        stop_server(server)
