"""The proofs alone: what they need, and what does not pass for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright_protocol import proof

SIGNED = proof.transcript("4321", "a1", "b2")
VERIFIER = proof.verifier_of("secret")


@given(st.text(max_size=80))
def test_each_side_believes_the_other(token: str) -> None:
    verifier = proof.verifier_of(token)
    assert proof.is_client_proof(verifier, SIGNED, proof.client_proof(token, SIGNED))
    assert proof.is_server_proof(token, SIGNED, proof.server_proof(verifier, SIGNED))


@pytest.mark.parametrize(
    "other", [("4322", "a1", "b2"), ("tls", "a1", "b2"), ("4321", "a2", "b2"), ("4321", "a1", "b3")]
)
def test_a_proof_is_for_one_exchange(other: tuple[str, str, str]) -> None:
    signed = proof.transcript(*other)
    assert not proof.is_client_proof(VERIFIER, signed, proof.client_proof("secret", SIGNED))
    assert not proof.is_server_proof("secret", signed, proof.server_proof(VERIFIER, SIGNED))


@given(st.text(max_size=80) | st.binary(max_size=40).map(bytes.hex))
def test_nothing_else_is_a_proof(text: str) -> None:
    assert not proof.is_client_proof(VERIFIER, SIGNED, text)
    assert not proof.is_server_proof("secret", SIGNED, text)


def test_what_a_server_keeps_does_not_open_it() -> None:
    """Whoever reads the verifiers cannot use them as a token."""
    for known in (VERIFIER.stored_key, VERIFIER.server_key):
        for token in (known.hex(), known.decode("latin-1")):
            assert not proof.is_client_proof(VERIFIER, SIGNED, proof.client_proof(token, SIGNED))


def test_neither_side_can_give_back_what_it_heard() -> None:
    assert not proof.is_server_proof("secret", SIGNED, proof.client_proof("secret", SIGNED))
    assert not proof.is_client_proof(VERIFIER, SIGNED, proof.server_proof(VERIFIER, SIGNED))
