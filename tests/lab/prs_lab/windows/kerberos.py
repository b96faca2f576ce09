"""The accepting side of Kerberos as a WinRM service has it: a keytab, a security context per connection, sealed messages.

By way of MIT's libgssapi, which Microsoft's ODBC driver needs anyhow: no Python package has to be compiled for it. Its
SPNEGO and its raw Kerberos are both taken, as Windows takes both under the word Negotiate.
"""

from __future__ import annotations

import ctypes
import functools
import time
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

__all__ = ["Acceptor", "KerberosFailed", "channel_of"]

_ACCEPT = 2
_DELEGATED = 1
_CONTINUE_NEEDED = 1
_INDEFINITE = 0xFFFFFFFF
_DATA, _HEADER, _PADDING, _ALLOCATE = 1, 2, 9, 0x10000


class KerberosFailed(Exception):
    """What libgssapi says of a token or a sealed message; for the log."""


class _Buffer(Structure):
    _fields_ = [("length", c_size_t), ("value", c_void_p)]

    @classmethod
    def of(cls, data: bytes) -> _Buffer:
        """The caller keeps `data` alive."""
        return cls(len(data), ctypes.cast(c_char_p(data), c_void_p))

    def taken(self) -> bytes:
        return ctypes.string_at(self.value, self.length) if self.length else b""


class _Piece(Structure):
    _fields_ = [("type", c_uint32), ("buffer", _Buffer)]


class _Pair(Structure):
    _fields_ = [("key", c_char_p), ("value", c_char_p)]


class _Store(Structure):
    _fields_ = [("count", c_uint32), ("elements", POINTER(_Pair))]


class _Bindings(Structure):
    _fields_ = [
        ("initiator_type", c_uint32), ("initiator", _Buffer), ("acceptor_type", c_uint32), ("acceptor", _Buffer), ("application", _Buffer),
    ]  # fmt: skip


@functools.cache
def _library() -> Any:
    return ctypes.CDLL("libgssapi_krb5.so.2")


def _call(name: str, *arguments: Any) -> int:
    """The major status; KerberosFailed where it is an error."""
    minor = c_uint32()
    major = getattr(_library(), name)(byref(minor), *arguments) & 0xFFFFFFFF
    if major & 0xFFFF0000:
        raise KerberosFailed(f"{name}: {_text(major, 1)}; {_text(minor.value, 2)}")
    return major


def _text(status: int, kind: int) -> str:
    minor, more, text = c_uint32(), c_uint32(), _Buffer()
    _library().gss_display_status(byref(minor), c_uint32(status), c_int(kind), None, byref(more), byref(text))
    said = text.taken().decode("utf-8", "replace")
    _library().gss_release_buffer(byref(minor), byref(text))
    return said


class Acceptor:
    """One connection's context. `principal` is the account that it belongs to once `complete`; `delegated` whether its
    ticket came along.
    """

    def __init__(self, keytab: Path) -> None:
        self._keytab = keytab
        self._context = c_void_p()
        self._ends: float | None = None
        self.complete = False
        self.principal = ""
        self.delegated = False

    @property
    def expired(self) -> bool:
        """Whether the ticket behind the context has ended."""
        return self._ends is not None and time.monotonic() >= self._ends

    def step(self, token: bytes, *, channel: bytes | None = None) -> bytes:
        """Take the client's token; answers ours. `channel`: what binds it to the TLS channel, which a client may leave
        out (Windows' default CbtHardeningLevel, Relaxed), but not get wrong.
        """
        credential, name, answer, seconds, flags = c_void_p(), c_void_p(), _Buffer(), c_uint32(), c_uint32()
        delegated = c_void_p()
        # No replay cache: it would be a file in /var/tmp that stays.
        pairs = (_Pair * 2)((b"keytab", str(self._keytab).encode()), (b"rcache", b"none:"))
        store = _Store(2, pairs)
        bindings = _Bindings(0, _Buffer(), 0, _Buffer(), _Buffer.of(channel or b""))
        try:
            _call(
                "gss_acquire_cred_from", None, c_uint32(_INDEFINITE), None, c_int(_ACCEPT), byref(store), byref(credential), None, None,
            )  # fmt: skip
            major = _call(
                "gss_accept_sec_context", byref(self._context), credential, byref(_Buffer.of(token)), byref(bindings) if channel else None,
                byref(name), None, byref(answer), byref(flags), byref(seconds), byref(delegated),
            )  # fmt: skip
            self.complete = not major & _CONTINUE_NEEDED
            if self.complete:
                self.principal = _name_of(name)
                self.delegated = bool(flags.value & _DELEGATED)
                self._ends = None if seconds.value == _INDEFINITE else time.monotonic() + seconds.value
            return answer.taken()
        finally:
            minor = c_uint32()
            _library().gss_release_buffer(byref(minor), byref(answer))
            _library().gss_release_name(byref(minor), byref(name))
            for held in (credential, delegated):
                _library().gss_release_cred(byref(minor), byref(held))

    def unwrap(self, header: bytes, data: bytes) -> bytes:
        """The plain text of a message that is sealed in pieces. KerberosFailed when it was changed on its way, or left
        unencrypted.
        """
        room = ctypes.create_string_buffer(data, len(data))
        pieces = (_Piece * 2)((_HEADER, _Buffer.of(header)), (_DATA, _Buffer(len(data), ctypes.cast(room, c_void_p))))
        sealed = c_int()
        _call("gss_unwrap_iov", self._context, byref(sealed), None, pieces, c_int(2))
        if not sealed.value:
            raise KerberosFailed("a message that is signed and not encrypted")
        return pieces[1].buffer.taken()

    def wrap(self, data: bytes) -> tuple[bytes, bytes, int]:
        """(header, sealed data with its padding, length of the padding)."""
        room = ctypes.create_string_buffer(data, len(data))
        pieces = (_Piece * 3)(
            (_HEADER | _ALLOCATE, _Buffer()),
            (_DATA, _Buffer(len(data), ctypes.cast(room, c_void_p))),
            (_PADDING | _ALLOCATE, _Buffer()),
        )
        sealed = c_int()
        _call("gss_wrap_iov", self._context, c_int(1), c_uint32(0), byref(sealed), pieces, c_int(3))
        header, body, padding = (piece.buffer.taken() for piece in pieces)
        _library().gss_release_iov_buffer(byref(c_uint32()), pieces, c_int(3))
        return header, body + padding, len(padding)

    def close(self) -> None:
        if self._context:
            _library().gss_delete_sec_context(byref(c_uint32()), byref(self._context), None)


def _name_of(name: c_void_p) -> str:
    text = _Buffer()
    _call("gss_display_name", name, byref(text), None)
    shown = text.taken().decode()
    _library().gss_release_buffer(byref(c_uint32()), byref(text))
    return shown


def channel_of(certificate: Path) -> bytes:
    """What binds a login to the TLS channel: "tls-server-end-point" (RFC 5929), the hash of the server's certificate by
    its signature's algorithm, SHA-256 in place of MD5 and SHA-1.
    """
    shown = x509.load_pem_x509_certificate(certificate.read_bytes())
    algorithm = shown.signature_hash_algorithm
    weak = algorithm is None or algorithm.name in ("md5", "sha1")
    return b"tls-server-end-point:" + shown.fingerprint(hashes.SHA256() if weak or algorithm is None else algorithm)
