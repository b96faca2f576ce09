"""The key of an encrypted backup set, and what is done with it."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..errors import SqlError
from .setheader import SetHeader

__all__ = ["Certificate", "crypt", "set_key"]


class Certificate(Protocol):
    """What opens an encrypted set."""

    thumbprint: bytes

    def encrypt(self, data: bytes) -> bytes: ...
    def decrypt(self, data: bytes) -> bytes: ...


def set_key(header: SetHeader, certificate: Certificate | None) -> bytes | None:
    """The key of a set, None for a plain one. Raises SqlError 33111 when the certificate is missing or has no private
    key.
    """
    if header.encryption is None:
        return None
    if certificate is None:
        raise SqlError(
            33111, f"Cannot find server certificate with thumbprint '0x{header.encryption.thumbprint}'.", state=3
        )
    try:
        return certificate.decrypt(bytes.fromhex(header.encryption.key))
    except Exception as error:
        raise SqlError(
            33111, f"Cannot find server certificate with thumbprint '0x{header.encryption.thumbprint}'.", state=3
        ) from error


def crypt(key: bytes, sequence: int, data: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.CTR(sequence.to_bytes(16, "big"))).encryptor().update(data)
