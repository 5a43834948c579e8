"""Certificates for servers that other computers reach: made by OpenSSL's command, told apart by their fingerprints."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

from maskwright_protocol.errors import BadInput, NeedsPackage

DAYS = 3650  # clients trust its fingerprint, so nothing is won by a date that ends a studio's work one day


def fingerprint(certificate: Path) -> str:
    """SHA-256 of the first certificate in a PEM file, as 64 hexadecimal digits. Raises ``BadInput``."""
    try:
        text = certificate.read_text(encoding="ascii", errors="replace")
        first = text[text.index("-----BEGIN CERTIFICATE-----") : text.index("-----END CERTIFICATE-----")]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(f"{first}-----END CERTIFICATE-----\n")).hexdigest()
    except (OSError, ValueError) as error:
        raise BadInput(f"{certificate} is not a certificate in PEM format.") from error


def make(hosts: list[str], folder: Path, replace: bool = False) -> tuple[Path, Path]:
    """A self-signed certificate for these names and addresses, and its key, which only this user may read.

    Raises ``BadInput`` for odd names and files that are there already, ``NeedsPackage`` without OpenSSL.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = ",".join(_subject(host) for host in hosts)
    if not replace and (certificate.exists() or key.exists()):
        raise BadInput(f"There is a certificate in {folder} already.", "Use --replace to make a new one.")
    openssl = shutil.which("openssl")
    if openssl is None:
        raise NeedsPackage(
            "OpenSSL's command 'openssl' is not installed.", "Install it, or bring your own certificate."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:  # mode 0700, so that the key is never open to others
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-sha256", "-days", str(DAYS), "-keyout", "key.pem", "-out", "certificate.pem",
                   "-subj", "/CN=Maskwright", "-addext", f"subjectAltName={names}"]  # fmt: skip
        done = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise BadInput(f"OpenSSL could not make the certificate: {done.stderr.strip().splitlines()[-1:]}")
        os.chmod(Path(made) / "key.pem", 0o600)
        os.replace(Path(made) / "key.pem", key)
        os.replace(Path(made) / "certificate.pem", certificate)
    return certificate, key


def _subject(host: str) -> str:
    """An entry of the certificate's list of names."""
    try:
        return f"IP:{ipaddress.ip_address(host.strip('[]'))}"
    except ValueError:
        pass
    if len(host) > 253 or not re.fullmatch(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", host):
        raise BadInput(f"'{host}' is neither a host's name nor an address.")
    return f"DNS:{host}"
