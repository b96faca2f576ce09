"""Which certificate is in a PFX, as the control node can tell."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.filter.pfx_thumbprint import pfx_thumbprint
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)


def certificate(name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=1))
    return builder.public_key(key.public_key()).sign(key, hashes.SHA256())


KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _which in range(2))
SITE, AUTHORITY = certificate("prs", KEY), certificate("authority", OTHER)


def pfx(*, key: ec.EllipticCurvePrivateKey | None = KEY, password: str = "pässword 1") -> str:
    encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    content = pkcs12.serialize_key_and_certificates(b"x", key, SITE if key else None, [AUTHORITY], encryption)
    return base64.b64encode(content).decode()


def test_it_is_the_certificate_of_the_key():
    assert pfx_thumbprint(pfx(), "pässword 1") == SITE.fingerprint(hashes.SHA1()).hex().upper()
    assert pfx_thumbprint(pfx(password=""), "") == SITE.fingerprint(hashes.SHA1()).hex().upper()


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (pfx(), "wrong"),
        (pfx(), ""),
        (pfx(key=None), "pässword 1"),
        (base64.b64encode(b"no PFX").decode(), "x"),
        ("", "x"),
        (None, "x"),
    ],
    ids=["a wrong password", "no password", "no key inside", "something else", "nothing", "no file"],
)
def test_what_cannot_be_told_is_nothing(content: str | None, password: str):
    assert pfx_thumbprint(content, password) == ""
