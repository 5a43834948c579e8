"""Which tokens open the door, and the nonces that keep a proof from being used twice."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maskwright_protocol import proof

NONCE_S = 10.0  # how long a client may take from the challenge to the handshake
_MAC_DIGITS = 32


@dataclass(frozen=True)
class Admission:
    """A client that knows a token. ``proof`` shows it that the server does too."""

    token: str  # the token's name
    verifier: proof.Verifier
    proof: str


class Credentials:
    """``tokens`` gives verifiers by name, looked up at each handshake, so that tokens come and go while it runs.

    Nonces carry their time and a keyed digest, so that nothing is kept for those who only ask. Only the nonces of
    clients that were let in are remembered, until they are too old to be used again.
    """

    def __init__(self, tokens: Callable[[], Mapping[str, proof.Verifier]]) -> None:
        self._tokens = tokens
        self._key = secrets.token_bytes(32)
        self._used: dict[str, float] = {}

    def challenge(self) -> str:
        """A new nonce."""
        text = f"{int(time.monotonic() * 1000):016x}{secrets.token_hex(16)}"
        return text + self._mac(text)

    def admit(self, authorization: str, channel: str) -> Admission | None:
        """Who shows this header, if it proves that the client knows a token, over a nonce that is fresh and unused."""
        words = authorization.split(" ")
        if len(words) != 4 or words[0] != proof.SCHEME or not self._is_fresh(words[1]) or not words[2].isalnum():
            return None
        _, nonce, client_nonce, shown = words
        signed = proof.transcript(channel, nonce, client_nonce)
        for name, verifier in self._tokens().items():
            if proof.is_client_proof(verifier, signed, shown):
                self._used[nonce] = time.monotonic()
                return Admission(name, verifier, proof.server_proof(verifier, signed))
        return None

    def still_hold(self, admission: Admission) -> bool:
        """Whether the token that a client came in by has not been revoked."""
        return self._tokens().get(admission.token) == admission.verifier

    def _is_fresh(self, nonce: str) -> bool:
        now = time.monotonic()
        self._used = {used: when for used, when in self._used.items() if now - when <= NONCE_S}
        text, mac = nonce[:-_MAC_DIGITS], nonce[-_MAC_DIGITS:]
        if nonce in self._used or not hmac.compare_digest(mac.encode(), self._mac(text).encode()):
            return False
        return now - int(text[:16], 16) / 1000 <= NONCE_S

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:_MAC_DIGITS]
