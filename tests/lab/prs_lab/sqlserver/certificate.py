"""What the instance shows to clients that encrypt: the machine certificate that was configured, else one that it makes
itself.
"""

from __future__ import annotations

import datetime as dt
import os
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from .host_protocol import Host
from .settings import Settings

__all__ = ["StartFailed", "server_contexts"]

_made: dict[str, tuple[bytes, bytes]] = {}


class StartFailed(OSError):
    """The service cannot start; `event`: the number in the error log."""

    def __init__(self, event: int, text: str) -> None:
        super().__init__(text)
        self.event = event


def server_contexts(host: Host, settings: Settings) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(TLS inside PRELOGIN, strict TDS 8). Raises StartFailed 26014 when the configured certificate cannot be used."""
    if settings.certificate_thumbprint:
        try:
            certificate, key = host.certificates.key_for(
                settings.certificate_thumbprint, settings.service_account, legacy=True
            )
        except (KeyError, PermissionError) as error:
            raise StartFailed(
                26014,
                f'Unable to load user-specified certificate [Cert Hash(sha1) "{settings.certificate_thumbprint}"]. '
                "The server will not accept a connection. "
                'You should verify that the certificate is correctly installed. See "Configuring Certificate for '
                'Use by SSL" in Books Online. '
                f"TDSSNIClient initialization failed with error 0x80092004, status code 0x80. ({error})",
            ) from error
    else:
        certificate, key = _self_signed(host.name)
    inside, strict = _context(certificate, key), _context(certificate, key)
    inside.maximum_version = ssl.TLSVersion.TLSv1_2  # TLS 1.3 cannot travel inside PRELOGIN
    strict.set_alpn_protocols(["tds/8.0"])
    return inside, strict


def _context(certificate: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        os.chmod(file.name, 0o600)
        file.write(key.rstrip() + b"\n" + certificate)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _self_signed(host: str) -> tuple[bytes, bytes]:
    """Made anew by every process, as the real one is by every start: nobody can come to trust it."""
    if host not in _made:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SSL_Self_Signed_Fallback")])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=365 * 30)).sign(key, hashes.SHA256())
        )  # fmt: skip
        _made[host] = (
            made.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
    return _made[host]
