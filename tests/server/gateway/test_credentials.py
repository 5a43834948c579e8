"""Which headers open the door, without any socket."""

from __future__ import annotations

import pytest

from maskwright.gateway import credentials
from maskwright.gateway.credentials import Credentials
from maskwright_protocol import proof

TOKEN = "a token"


def shown(nonce: str, token: str = TOKEN, channel: str = "80", client_nonce: str = "b2") -> str:
    signed = proof.transcript(channel, nonce, client_nonce)
    return f"Maskwright {nonce} {client_nonce} {proof.client_proof(token, signed)}"


@pytest.fixture
def tokens() -> dict[str, proof.Verifier]:
    return {"anna": proof.verifier_of("another"), "local": proof.verifier_of(TOKEN)}


@pytest.fixture
def door(tokens: dict[str, proof.Verifier]) -> Credentials:
    return Credentials(lambda: tokens)


def test_the_token_names_the_client(door: Credentials) -> None:
    nonce = door.challenge()
    admission = door.admit(shown(nonce, "another"), "80")
    assert admission is not None
    assert admission.token == "anna"
    assert proof.is_server_proof("another", proof.transcript("80", nonce, "b2"), admission.proof)


def test_a_nonce_is_good_once(door: Credentials) -> None:
    nonce = door.challenge()
    assert door.admit(shown(nonce, "wrong"), "80") is None
    assert door.admit(shown(nonce), "80") is not None
    assert door.admit(shown(nonce), "80") is None
    assert door.admit(shown(nonce, client_nonce="c3"), "80") is None


def test_a_nonce_is_not_good_for_ever(door: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    nonce = door.challenge()
    monkeypatch.setattr(credentials, "NONCE_S", -1.0)
    assert door.admit(shown(nonce), "80") is None


def test_what_was_used_is_forgotten_when_it_is_too_old_anyway(
    door: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonce, other = door.challenge(), door.challenge()
    assert door.admit(shown(nonce), "80") is not None
    now = credentials.time.monotonic()
    monkeypatch.setattr(credentials.time, "monotonic", lambda: now + credentials.NONCE_S + 1)
    assert door.admit(shown(nonce), "80") is None
    assert door.admit(shown(other), "80") is None


def test_other_nonces_and_channels(door: Credentials, tokens: dict[str, proof.Verifier]) -> None:
    nonce = door.challenge()
    assert door.admit(shown(nonce, channel="81"), "80") is None
    assert door.admit(shown(nonce, channel="80"), "tls") is None
    assert door.admit(shown(Credentials(lambda: tokens).challenge()), "80") is None, "of another run"
    assert door.admit(shown(f"{'f' * 16}{nonce[16:]}"), "80") is None, "of another time"


@pytest.mark.parametrize(
    "header",
    ["", "Maskwright", "Maskwright  ", "Maskwright a b c", f"Bearer {TOKEN}", f"Basic {TOKEN}", "Maskwright NONCE b2 ",
     "Maskwright NONCE b2 xyz", f"Maskwright NONCE b2 {'0' * 64}", f"Maskwright NONCE b2 {'0' * 62}",
     "Maskwright é é é", f"Maskwright {'0' * 16}é b2 {'0' * 64}"],
)  # fmt: skip
def test_no_proof(door: Credentials, header: str) -> None:
    assert door.admit(header.replace("NONCE", door.challenge()), "80") is None


def test_a_revoked_token(door: Credentials, tokens: dict[str, proof.Verifier]) -> None:
    admission = door.admit(shown(door.challenge(), "another"), "80")
    assert admission is not None
    assert door.still_hold(admission)
    tokens["anna"] = proof.verifier_of("a new one")
    assert not door.still_hold(admission)
    del tokens["anna"]
    assert not door.still_hold(admission)
    assert door.admit(shown(door.challenge(), "another"), "80") is None
