"""How client and server prove to each other that both know a token, without sending it.

The exchange is that of SCRAM-SHA-256 (RFC 5802, RFC 7677), without its salt and its repeated hashing, which passwords
need and random tokens do not. Nonces and proofs are lower-case hexadecimal.
"""

import hashlib
import hmac
from dataclasses import dataclass

SCHEME = "Maskwright"  # of the Authorization header
CHALLENGE_PATH = "/challenge"
PROOF_HEADER = "Maskwright-Proof"
TLS = "tls"  # the channel's name where TLS says who the server is


@dataclass(frozen=True)
class Verifier:
    """What a server keeps of a token: enough to check a client and to prove itself, too little to be such a client."""

    stored_key: bytes
    server_key: bytes


def verifier_of(token: str) -> Verifier:
    """The verifier of a token."""
    return Verifier(hashlib.sha256(_hmac(token.encode(), b"Client Key")).digest(), _server_key(token))


def transcript(channel: str, server_nonce: str, client_nonce: str) -> bytes:
    """What both sides sign. ``channel``: the server's port, so that no proof can be used at another; or ``TLS``."""
    return f"maskwright 1\n{channel}\n{server_nonce}\n{client_nonce}".encode()


def client_proof(token: str, signed: bytes) -> str:
    """The client's proof, of 64 digits. Whoever does not know the verifier learns nothing from it."""
    key = _hmac(token.encode(), b"Client Key")
    return _xor(key, _hmac(hashlib.sha256(key).digest(), signed)).hex()


def is_client_proof(verifier: Verifier, signed: bytes, proof: str) -> bool:
    """Whether the client knows the token."""
    try:
        given = bytes.fromhex(proof)
    except ValueError:
        return False
    if len(given) != 32:
        return False
    key = _xor(given, _hmac(verifier.stored_key, signed))
    return hmac.compare_digest(hashlib.sha256(key).digest(), verifier.stored_key)


def server_proof(verifier: Verifier, signed: bytes) -> str:
    """The server's proof, of 64 digits."""
    return _hmac(verifier.server_key, signed).hex()


def is_server_proof(token: str, signed: bytes, proof: str) -> bool:
    """Whether the server knows the token, or its verifier."""
    return hmac.compare_digest(_hmac(_server_key(token), signed).hex().encode(), proof.encode())


def _server_key(token: str) -> bytes:
    return _hmac(token.encode(), b"Server Key")


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other))
