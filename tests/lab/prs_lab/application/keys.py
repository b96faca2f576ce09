"""The application's two files of secrets: ``database.config`` (where the database is) and ``encryption.config`` (the
key).

Both are opaque to everybody else, as the product's are: obfuscated, not protected. What the key encrypted can only be
shown with that key, so a database that comes back without its application folder is worthless, as it is in reality.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = [
    "BadFile",
    "BadKey",
    "DatabaseConfig",
    "decode_database",
    "decode_key",
    "decrypt",
    "encode_database",
    "encode_key",
    "encrypt",
    "hash_password",
    "new_key",
    "password_matches",
]

_MASK = hashlib.sha256(b"prs-lab obfuscation, no protection").digest()


class BadFile(Exception):
    """One of the two files cannot be understood (damaged, or not ours)."""


class BadKey(Exception):
    """The key does not fit what it should decrypt."""


@dataclass(frozen=True, kw_only=True)
class DatabaseConfig:
    """The answers of the wizard's second step."""

    server: str
    database: str
    login: str
    password: str
    encrypt: bool = True
    failover_partner: str = ""


def encode_database(config: DatabaseConfig) -> bytes:
    payload = base64.b64encode(_mask(zlib.compress(json.dumps(asdict(config)).encode()))).decode()
    return f'<?xml version="1.0"?>\r\n<databaseSettings>{payload}</databaseSettings>\r\n'.encode()


def decode_database(data: bytes) -> DatabaseConfig:
    """Raises BadFile."""
    try:
        found = re.search(rb"<databaseSettings>([^<]+)</databaseSettings>", data)
        if not found:
            raise BadFile("database.config cannot be understood")
        return DatabaseConfig(**json.loads(zlib.decompress(_mask(base64.b64decode(found[1])))))
    except (ValueError, TypeError, zlib.error) as error:
        raise BadFile("database.config cannot be understood") from error


def new_key() -> bytes:
    return os.urandom(32)


def encode_key(key: bytes) -> bytes:
    payload = base64.b64encode(_mask(key) + hashlib.sha256(key).digest()[:8]).decode()
    return f'<?xml version="1.0"?>\r\n<encryptionSettings>{payload}</encryptionSettings>\r\n'.encode()


def decode_key(data: bytes) -> bytes:
    """Raises BadFile."""
    found = re.search(rb"<encryptionSettings>([^<]+)</encryptionSettings>", data)
    try:
        blob = base64.b64decode(found[1]) if found else b""
    except ValueError:
        blob = b""
    key = _mask(blob[:32])
    if len(blob) != 40 or hashlib.sha256(key).digest()[:8] != blob[32:]:
        raise BadFile("encryption.config cannot be understood")
    return key


def encrypt(key: bytes, text: str) -> str:
    nonce = os.urandom(12)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), None)).decode()


def decrypt(key: bytes, value: str) -> str:
    """Raises BadKey when the value was encrypted with another key or is damaged."""
    try:
        blob = base64.b64decode(value)
        return AESGCM(key).decrypt(blob[:12], blob[12:], None).decode()
    except (InvalidTag, ValueError) as error:
        raise BadKey("the value was not encrypted with this encryption.config") from error


def hash_password(password: str) -> str:
    salt = os.urandom(8).hex()
    return f"{salt}${hashlib.sha512((salt + password).encode()).hexdigest()}"


def password_matches(password: str, stored: str) -> bool:
    salt, _, digest = stored.partition("$")
    return hashlib.sha512((salt + password).encode()).hexdigest() == digest


def _mask(data: bytes) -> bytes:
    stream = (_MASK * (len(data) // len(_MASK) + 1))[: len(data)]
    return bytes(left ^ right for left, right in zip(data, stream, strict=True))
