"""The lab's certificate authority: a CA, one PFX per SQL host and one for the site, kept in one folder.

Everything is made once per lab and found again afterwards, so that a resumed lab serves the same certificates.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "Issued"]

VALID = dt.timedelta(days=825)
CA_VALID = dt.timedelta(days=3650)
_USER_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
"""The identifier of the scheme that AES needs, as it stands in a PFX."""


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate with its key: ``pfx`` is the file, ``thumbprint`` the SHA-1 as Windows writes it."""

    pfx: Path
    thumbprint: str
    names: tuple[str, ...]


class Authority:
    """A CA in ``folder``: ``ca.pem`` is for clients, ``ca.key`` stays in the lab (mode 0600)."""

    def __init__(self, *, folder: Path, name: str = "PRS lab CA"):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = folder / "ca.pem"
        key_file = folder / "ca.key"
        if self.ca_file.exists() and key_file.exists():
            self._key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
            self.certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        else:
            self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self.certificate = self._self_signed(name)
            _write_private(key_file, _key_pem(self._key))
            self.ca_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, *, label: str, names: tuple[str, ...], password: str, legacy: bool = False) -> Issued:
        """A server certificate for DNS names and addresses as ``<label>.pfx``, ``legacy``: encrypted as Windows Server
        2016 reads it; the file that exists for the same names is kept. For other names its key is: a new one takes most of the time in which a copy of a lab starts.
        """
        pfx = self._folder / f"{label}.pfx"
        key = certificate = None
        if pfx.exists():
            with contextlib.suppress(ValueError):
                key, certificate, _ = pkcs12.load_key_and_certificates(pfx.read_bytes(), password.encode())
            as_wanted = certificate is not None and (_PBES2 not in pfx.read_bytes()) is legacy
            if as_wanted and _names_of(certificate) == names:
                return Issued(pfx=pfx, thumbprint=thumbprint(certificate), names=names)
        if not isinstance(key, rsa.RSAPrivateKey):
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = self._server_certificate(key, names)
        blob = pkcs12.serialize_key_and_certificates(
            label.encode(), key, certificate, None, _encryption(password, legacy=legacy)
        )
        _write_private(pfx, blob)
        return Issued(pfx=pfx, thumbprint=thumbprint(certificate), names=names)

    def issue_for_client(self, *, principal: str) -> tuple[Path, Path]:
        """(certificate, key) as PEM files, ``client.pem`` and ``client.key``, for a person or program that logs on with
        them: a user principal name as an alternative name, and client authentication as their use.
        """
        files = self._folder / "client.pem", self._folder / "client.key"
        if not all(file.exists() for file in files):
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            name = principal.encode()
            other = x509.OtherName(_USER_PRINCIPAL_NAME, bytes([_UTF8_STRING, len(name)]) + name)
            certificate = (
                _builder(
                    subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, principal.partition("@")[0])]),
                    issuer=self.certificate.subject,
                    public_key=key.public_key(),
                    valid=VALID,
                )
                .add_extension(x509.SubjectAlternativeName([other]), critical=False)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
                .sign(self._key, hashes.SHA256())
            )
            files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
            _write_private(files[1], _key_pem(key))
        return files

    def _self_signed(self, name: str) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        public = self._key.public_key()
        return (
            _builder(subject=subject, issuer=subject, public_key=public, valid=CA_VALID)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _server_certificate(self, key: rsa.RSAPrivateKey, names: tuple[str, ...]) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_encipherment=True,
            content_commitment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        public = key.public_key()
        return (
            _builder(
                subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]),
                issuer=self.certificate.subject,
                public_key=public,
                valid=VALID,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _encryption(password: str, *, legacy: bool) -> serialization.KeySerializationEncryption:
    """AES-256, as OpenSSL 3 writes it; legacy: 3DES, as `openssl pkcs12 -export -legacy` does."""
    if not legacy:
        return serialization.BestAvailableEncryption(password.encode())
    return (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2048)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(password.encode())
    )


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-1 of the certificate in capitals, as Windows names it."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()


def _builder(
    *, subject: x509.Name, issuer: x509.Name, public_key: rsa.RSAPublicKey, valid: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + valid)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return tuple(str(name.value) for name in extension.value)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, data: bytes) -> None:
    """Writes a file that only its owner may read, from its first moment on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
