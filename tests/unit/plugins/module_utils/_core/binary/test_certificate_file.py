"""Certificates of authorities, by their bytes."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.certificate_file import (
    certificates_in,
    is_root,
    pem_of,
    thumbprint_of,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.certificates import missing_roots
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.control_node import root_state
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


def certificate(name: str, issuer: str = "") -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer or name))
    builder = x509.CertificateBuilder(
        by, subject, key.public_key(), x509.random_serial_number(), NOW, NOW.replace(2030)
    )
    return builder.sign(key, hashes.SHA256())


ROOT, OTHER, INTERMEDIATE = certificate("Root ü " + "x" * 40), certificate("Other"), certificate("Issuing", "Root")
DER = ROOT.public_bytes(serialization.Encoding.DER)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(entry.public_bytes(serialization.Encoding.PEM) for entry in certificates)


def test_every_certificate_of_a_file_is_found():
    both = [entry.public_bytes(serialization.Encoding.DER) for entry in (ROOT, OTHER)]
    assert certificates_in(DER) == [DER]
    assert certificates_in(b"\xef\xbb\xbf# the authorities\r\n" + pem(ROOT, OTHER).replace(b"\n", b"\r\n")) == both
    assert pem_of(DER).encode() == pem(ROOT)
    assert thumbprint_of(DER) == ROOT.fingerprint(hashes.SHA1()).hex().upper()
    assert [is_root(entry) for entry in both] == [True, True]


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (pem(ROOT, OTHER), "usable"),
        (DER, "usable"),
        (pem(ROOT).decode().encode("utf-16"), "utf-16"),
        (pem(ROOT, INTERMEDIATE), "no_root"),
        (b"", "no_certificate"),
        (DER[:-1], "no_certificate"),
        (DER + b"\0", "no_certificate"),
        (b"\x30\x80\x00\x00", "no_certificate"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "no_certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "no_certificate"),
    ],
)
def test_what_a_file_of_roots_is(content: bytes, state: str):
    assert root_state(content) == state


def test_no_cut_and_no_flipped_byte_crashes():
    for length in range(len(DER)):
        assert root_state(DER[:length]) == "no_certificate"
    for place in range(len(DER)):
        flipped = bytearray(DER)
        flipped[place] ^= 0xFF
        assert root_state(bytes(flipped)) in ("usable", "no_root", "no_certificate")


def test_what_a_server_trusts_already_is_not_brought_again():
    contents = [base64.b64encode(content).decode() for content in (pem(ROOT, OTHER), DER)]
    missing = missing_roots({"contents": contents, "present": [thumbprint_of(DER).lower()]})
    assert missing == [{"thumbprint": OTHER.fingerprint(hashes.SHA1()).hex().upper(), "pem": pem(OTHER).decode()}]
