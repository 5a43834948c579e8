"""What makes a server safe to reach from other computers: TLS, and tokens that cannot be guessed."""

from __future__ import annotations

import logging
import ssl

from maskwright.config import Settings
from maskwright_protocol.errors import BadInput
from maskwright_protocol.proof import Verifier, verifier_of

from .listener import LOOPBACK
from .tokens import CONFIGURED, TokenFile

log = logging.getLogger(__name__)

MIN_TOKEN = 20  # characters of a token that other computers could guess at


def check_exposure(settings: Settings, tokens: TokenFile) -> None:
    """Raises ``BadInput`` where other computers could reach a server that is not safe from them."""
    if settings.host in LOOPBACK:
        return
    if not (settings.tls_certificate and settings.tls_key and (settings.token or tokens.tokens())):
        raise BadInput(
            f"The address {settings.host} can be reached by other computers, so it needs TLS and a token.",
            "Run 'maskwright certificate' and 'maskwright token add', or listen on 127.0.0.1.",
        )
    if settings.token and len(settings.token) < MIN_TOKEN:
        raise BadInput(
            f"The token has fewer than {MIN_TOKEN} characters, and other computers could guess it.",
            "Let 'maskwright token add' make one, and remove yours from the settings.",
        )


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """For the certificate of the settings; None without one."""
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


def verifiers(settings: Settings, tokens: TokenFile) -> dict[str, Verifier]:
    """Of all tokens but that of the endpoint file, by name."""
    try:
        found = {name: token.verifier for name, token in tokens.tokens().items()}
    except BadInput as error:
        log.warning("the tokens of clients cannot be used", extra={"reason": error.message})
        found = {}
    if settings.token:
        found[CONFIGURED] = verifier_of(settings.token)
    return found
