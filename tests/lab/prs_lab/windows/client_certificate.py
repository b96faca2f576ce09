"""Client certificates in place of a password, mapped to local accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cryptography import x509

from .accounts import Token
from .auth import AuthenticationFailed

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["CLIENT_CERTIFICATE", "check_certificate"]

CLIENT_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
"""The scheme of a client that shows a certificate in the TLS handshake."""
_USER_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C


def check_certificate(host: WindowsHost, certificate: bytes | None, mappings: Mapping[str, str]) -> Token:
    """The token for the certificate (DER) that a client showed. mappings: user principal name in the certificate ->
    local account, as WSMan:\\localhost\\ClientCertificate maps them; the TLS handshake has verified the issuer.
    """
    if certificate is None:
        raise AuthenticationFailed("no client certificate was shown")
    shown = x509.load_der_x509_certificate(certificate)
    try:
        usage = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise AuthenticationFailed(f"client certificate: {error}") from error
    if x509.ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise AuthenticationFailed("a certificate that is not for clients")
    principals = [
        _text_of(name.value)
        for name in names.get_values_for_type(x509.OtherName)
        if name.type_id == _USER_PRINCIPAL_NAME
    ]
    account = next((mappings[name] for name in principals if name in mappings), None)
    user = host.accounts.users.get(account.lower()) if account else None  # only local accounts can be mapped
    if account is None or user is None:
        raise AuthenticationFailed(f"no local account is mapped to the client certificate of {principals}")
    return host.accounts.log_on_hash(account, user.nt_hash, network=True)


def _text_of(der: bytes) -> str:
    """A UTF8String of less than 128 bytes."""
    return der[2:].decode() if der[:1] == bytes([_UTF8_STRING]) and len(der) == der[1] + 2 else ""
