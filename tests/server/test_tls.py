"""A server for a studio: TLS, and a token for each client, or nothing."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maskwright.files.reading import FileSource
from maskwright.gateway.tokens import TokenFile
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_client.link import Link, Outbox, Waker
from maskwright_protocol import errors, messages
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.masks import unpack
from maskwright_protocol.proof import verifier_of

from .conftest import Server, start_server, stop_server
from .photos import BOX, PHOTO

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate, and is missing")


def maskwright(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command with the settings of ``folder``."""
    own = {"MASKWRIGHT_CONFIG": str(folder / "config.toml"), "MASKWRIGHT_RUNTIME_DIR": str(folder / "run")}
    command = [sys.executable, "-m", "maskwright.cli", *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    run = maskwright(folder, "certificate", "localhost", "127.0.0.1", "--out", folder)
    assert run.returncode == 0, run.stderr
    return folder / "certificate.pem", folder / "key.pem"


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


def test_programs_of_this_computer_know_the_certificate(secure: Server) -> None:
    """Its fingerprint is in the endpoint file."""
    assert isinstance(status(secure.endpoint), messages.Status)
    assert isinstance(secure.status(), messages.Status)
    assert secure.cli("status").returncode == 0


def test_an_unknown_certificate_is_refused(secure: Server) -> None:
    with pytest.raises(errors.MaskwrightError) as caught:
        status(replace(secure.endpoint, fingerprint=""))
    assert caught.value.code in ("server_absent", "connection_lost")


def test_another_certificate_than_the_one_to_trust_is_refused(secure: Server, certificate: tuple[Path, Path]) -> None:
    """Also one that the authorities would let pass."""
    for changed in (
        replace(secure.endpoint, fingerprint="0" * 64),
        replace(secure.endpoint, fingerprint="0" * 64, ca_file=str(certificate[0])),
    ):
        with pytest.raises(errors.ServerAbsent, match="certificate"):
            status(changed)


def test_fingerprints_as_other_programs_write_them(secure: Server) -> None:
    digits = secure.endpoint.fingerprint.upper()
    spaced = ":".join(digits[n : n + 2] for n in range(0, 64, 2))
    assert isinstance(status(replace(secure.endpoint, fingerprint=spaced)), messages.Status)


def test_the_certificate_and_its_key(tmp_path: Path) -> None:
    run = maskwright(tmp_path, "certificate", "studio.example", "192.168.1.5", "fd00::5")
    assert run.returncode == 0, run.stderr
    pem, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    told = subprocess.run(
        ["openssl", "x509", "-in", pem, "-noout", "-fingerprint", "-sha256", "-text"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert run.stdout.strip().upper() in told.replace(":", "")
    assert all(name in told for name in ("DNS:studio.example", "IP Address:192.168.1.5", "FD00:0:0:0:0:0:0:5"))
    before = pem.read_bytes()
    again = maskwright(tmp_path, "certificate", "studio.example")
    assert again.returncode == 2
    assert pem.read_bytes() == before
    assert maskwright(tmp_path, "certificate", "studio.example", "--replace").returncode == 0
    assert pem.read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["certificate.pem", "key.pem"]


@pytest.mark.parametrize("host", ["", "a b", "x,DNS:evil.example", "-x", "x\n", "a/b"])
def test_what_is_no_host(tmp_path: Path, host: str) -> None:
    assert maskwright(tmp_path, "certificate", "--", host).returncode == 2
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("token", ["a", "nineteen characters"])
def test_a_token_that_can_be_guessed_is_refused_for_other_addresses(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    assert len(token) < 20
    monkeypatch.setenv("MASKWRIGHT_TOKEN", token)
    maskwright(tmp_path, "token", "add", "anna")  # a good one beside it does not help
    flags = ("--tls-certificate", certificate[0], "--tls-key", certificate[1])
    run = maskwright(tmp_path, "serve", "--host", "0.0.0.0", *flags)
    assert run.returncode == 2
    assert "20 characters" in run.stderr
    assert not (tmp_path / "run" / "server.json").exists()


@pytest.fixture
def studio(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[tuple[Server, Callable[[str], Endpoint]]]:
    """A server for other computers with two clients' tokens, and where it is for the client with a token."""
    given = {}
    for name in ("anna", "ben"):
        given[name] = maskwright(tmp_path, "token", "add", name).stdout.strip()
    flags = ("--host", "0.0.0.0", "--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1]))
    server = start_server(tmp_path, *flags)

    def endpoint(name: str) -> Endpoint:
        token = given.get(name, name)
        return Endpoint("127.0.0.1", server.endpoint.port, token, tls=True, fingerprint=server.endpoint.fingerprint)

    yield server, endpoint
    stop_server(server)


def test_each_client_has_a_name(studio: tuple[Server, Callable[[str], Endpoint]], tmp_path: Path) -> None:
    server, endpoint = studio
    with Client("krita", endpoint=lambda: endpoint("anna")) as anna, Client("gimp", endpoint=lambda: endpoint("ben")):
        answer = anna.request(messages.StatusRequest(""), 10)
        assert isinstance(answer, messages.Status)
        assert messages.ClientInfo("krita", "anna") in answer.clients
        assert "client krita, token anna" in server.cli("status").stdout
    assert "client=krita token=anna" in (tmp_path / "server.log").read_text()


def test_a_revoked_token_opens_nothing_any_more(
    studio: tuple[Server, Callable[[str], Endpoint]], tmp_path: Path
) -> None:
    _, endpoint = studio
    links = {name: Link(endpoint(name), messages.Hello(1, name)) for name in ("anna", "ben")}
    assert maskwright(tmp_path, "token", "revoke", "anna").returncode == 0
    with pytest.raises(errors.ConnectionLost):
        links["anna"].pump(Outbox(), Waker(), lambda message: None, until(6.0))
    with pytest.raises(errors.Forbidden):
        status(endpoint("anna"))
    links["ben"].pump(Outbox(), Waker(), lambda message: None, until(0.5))
    assert isinstance(status(endpoint("ben")), messages.Status)
    for name in ("of nobody", ""):
        with pytest.raises(errors.Forbidden):
            status(endpoint(name))


def until(seconds: float) -> Callable[[float], bool]:
    """Goes on for so long."""
    end = time.monotonic() + seconds
    return lambda heard: time.monotonic() < end


def test_tokens_on_the_command_line(tmp_path: Path) -> None:
    tokens = {name: maskwright(tmp_path, "token", "add", name).stdout.strip() for name in ("anna", "ben")}
    file = tmp_path / "tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert all(len(token) > 40 and token not in file.read_text() for token in tokens.values())
    assert maskwright(tmp_path, "token", "add", "anna").returncode == 2
    assert maskwright(tmp_path, "token", "revoke", "ben").returncode == 0
    assert maskwright(tmp_path, "token", "revoke", "ben").returncode == 2
    listed = json.loads(maskwright(tmp_path, "token", "list", "--json").stdout)
    assert [entry["name"] for entry in listed] == ["anna"]


def test_the_file_of_tokens(tmp_path: Path) -> None:
    tokens, reader = TokenFile(tmp_path / "tokens.json"), TokenFile(tmp_path / "tokens.json")
    assert reader.tokens() == {}
    verifier = verifier_of(tokens.add("anna"))
    assert {name: token.verifier for name, token in reader.tokens().items()} == {"anna": verifier}
    for name in ("", "a b", "local", "settings", "x" * 65, "../x", "a\n"):
        with pytest.raises(errors.BadInput):
            tokens.add(name)
    tokens.revoke("anna")
    assert reader.tokens() == {}
    for text in ("", "[]", "{", '{"a": 1}', '{"a": {"stored_key": "xy", "server_key": "", "added": ""}}', "[" * 99999):
        (tmp_path / "tokens.json").write_text(text)
        with pytest.raises(errors.BadInput, match="cannot be read"):
            reader.tokens()
    (tmp_path / "tokens.json").write_text("{}")
    assert reader.tokens() == {}
    (tmp_path / "tokens.json").chmod(0o644)
    with pytest.raises(errors.BadInput, match="read by others"):
        TokenFile(tmp_path / "tokens.json").tokens()


def test_masks_for_other_computers_are_compressed(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    pem, key = certificate
    flags = ("--host", "0.0.0.0", "--tls-certificate", str(pem), "--tls-key", str(key))
    server = start_server(tmp_path, *flags, MASKWRIGHT_TOKEN="of my own, and long enough")
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
