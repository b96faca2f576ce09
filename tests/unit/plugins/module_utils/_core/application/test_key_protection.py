"""Which files of keys only their own machine can use."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.key_protection import (
    MARKS,
    NAMES,
    protection,
)

BLOB = bytes.fromhex("01000000D08C9DDF0115D1118C7A00C04FC297EB01000000") + bytes(range(200))

FILES = [
    # content, encrypted by EFS, what protects it
    (b"<encryptionSettings>dGhlIGtleQ==</encryptionSettings>", False, ""),
    (b"<encryptionSettings>dGhlIGtleQ==</encryptionSettings>", True, "efs"),
    (b"<key>" + base64.b64encode(BLOB) + b"</key>", False, "dpapi"),
    (b"<key>" + base64.b64encode(BLOB) + b"</key>", True, "dpapi"),
    (BLOB, False, "dpapi"),
    (BLOB.hex().encode(), False, "dpapi"),
    (BLOB.hex().upper().encode(), False, "dpapi"),
    (("<key>" + base64.b64encode(BLOB).decode() + "</key>").encode("utf-16-le"), False, "dpapi"),
    (b'<encryption configProtectionProvider="DataProtectionConfigurationProvider"/>', False, "dpapi"),
    (b'<encryption configProtectionProvider="RsaProtectedConfigurationProvider"/>', False, "rsa"),
    (b"", False, ""),
]


@pytest.mark.parametrize("content, encrypted, kind", FILES)
def test_protection(content: bytes, encrypted: bool, kind: str) -> None:
    text = content.decode("latin-1")
    assert protection(encrypted=encrypted, marks=[mark for mark in MARKS if mark in text]) == kind
    assert not kind or NAMES[kind]
