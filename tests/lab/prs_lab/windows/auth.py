"""Who is at the other end of a WinRM connection: Basic, and NTLM with sealed messages (raw or inside SPNEGO).

pyspnego's acceptor looks accounts up in the file that the environment variable NTLM_USER_FILE names, one for the whole
process. Hosts differ in their accounts, so for each step that needs it a file with the one account in question (its
hash) is written, and removed right after.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import struct
import tempfile
import threading
from typing import TYPE_CHECKING

import spnego
import spnego.exceptions

from .accounts import Token
from .errors import WinError

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["AuthenticationFailed", "Negotiation", "check_basic"]

_BOUNDARY = b"--Encrypted Boundary"
_PROTOCOL = b"application/HTTP-SPNEGO-session-encrypted"
_BODY_TYPE = b"\tContent-Type: application/octet-stream\r\n"
_ONE_AT_A_TIME = threading.Lock()
_UNICODE = 0x1


class AuthenticationFailed(Exception):
    """Name or password are wrong, or the messages do not fit; the text is for the log, the client only learns 401."""


def check_basic(host: WindowsHost, value: str) -> Token:
    """The token for the value of a Basic header. Only local accounts may use it, as on real hosts."""
    try:
        given = base64.b64decode(value)
        try:
            text = given.decode("utf-8")
        except UnicodeDecodeError:
            text = given.decode("latin-1")  # what Python's requests sends
        name, _, password = text.partition(":")
        token = host.accounts.log_on(name, password, network=True)
    except (ValueError, binascii.Error, WinError) as error:
        raise AuthenticationFailed(str(error)) from error
    if not token.sid.startswith(host.accounts.authority):
        raise AuthenticationFailed("Basic authentication is for local accounts only")
    return token


class Negotiation:
    """The NTLM conversation of one connection, and the sealing of its messages afterwards."""

    def __init__(self, host: WindowsHost) -> None:
        self._host = host
        self._context: spnego.ContextProxy | None = None
        self.token: Token | None = None

    @property
    def complete(self) -> bool:
        return self.token is not None

    def step(self, message: bytes) -> bytes | None:
        """Take the client's next token; answers ours, if there is one to send."""
        if self._context is None or self._context.complete:
            self._context, self.token = None, None
        name, entry = self._account(message)
        try:
            with _ONE_AT_A_TIME, _credentials(entry):
                if self._context is None:
                    self._context = spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate)
                answer = self._context.step(message)
            if self._context.complete:
                # The hash was right; what is left may still be a disabled account or an expired password.
                user = self._host.accounts.find_user(name)
                self.token = self._host.accounts.log_on_hash(name, user.nt_hash if user else "", network=True)
        except (spnego.exceptions.SpnegoError, WinError, ValueError, struct.error) as error:
            self._context, self.token = None, None
            raise AuthenticationFailed(f"{name or 'negotiation'}: {error}") from error
        return answer

    def _account(self, message: bytes) -> tuple[str, str]:
        """The account that an AUTHENTICATE message names, and its line in smbpasswd form; ("", a stand-in) for other
        messages.
        """
        names = _names(message)
        if names is None:
            return "", "nobody:0:" + "0" * 32 + ":" + "0" * 32 + ":[U]:LCT-0"
        domain, user = names
        account = f"{domain}\\{user}" if domain else user
        found = self._host.accounts.find_user(account)
        written = f"{domain}\\{user}" if domain else user
        known_hash = found.nt_hash if found else "f" * 31 + "0"
        return account, f"{written}:0:{'0' * 32}:{known_hash}:[U]:LCT-0"

    def unseal(self, body: bytes) -> bytes:
        """The plain text of a `multipart/encrypted` body. ValueError when it does not fit."""
        if self._context is None:
            raise ValueError("sealed message before authentication")
        plain = b""
        parts = body.split(_BOUNDARY + b"\r\n")[1:]
        for described, sealed in zip(parts[0::2], parts[1::2], strict=True):
            length = re.search(rb"Length=(\d+)", described)
            payload = sealed.removesuffix(_BOUNDARY + b"--\r\n").removeprefix(_BODY_TYPE)
            (header_length,) = struct.unpack("<i", payload[:4])
            message = self._context.unwrap_winrm(payload[4 : 4 + header_length], payload[4 + header_length :])
            if length is None or len(message) != int(length[1]):
                raise ValueError("sealed message of another length than it says")
            plain += message
        return plain

    def seal(self, body: bytes) -> bytes:
        assert self._context is not None
        sealed = self._context.wrap_winrm(body)
        length = len(body) + sealed.padding_length
        return b"".join(
            (
                _BOUNDARY, b"\r\n\tContent-Type: ", _PROTOCOL,
                b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % length,
                _BOUNDARY, b"\r\n", _BODY_TYPE, struct.pack("<i", len(sealed.header)), sealed.header, sealed.data, _BOUNDARY, b"--\r\n",
            )
        )  # fmt: skip


def _names(message: bytes) -> tuple[str, str] | None:
    """(domain, user) out of an NTLM AUTHENTICATE message, or None when it is another one."""
    start = message.find(b"NTLMSSP\0\3\0\0\0")
    if start < 0:
        return None
    ntlm = message[start:]
    encoding = "utf-16-le" if struct.unpack_from("<I", ntlm, 60)[0] & _UNICODE else "cp437"

    def text(position: int) -> str:
        length, _, offset = struct.unpack_from("<HHI", ntlm, position)
        return ntlm[offset : offset + length].decode(encoding, "replace")

    return text(28), text(36)


class _credentials:
    """NTLM_USER_FILE for the time of one step. The caller holds the process-wide lock."""

    def __init__(self, line: str) -> None:
        self._line = line

    def __enter__(self) -> None:
        self._file = tempfile.NamedTemporaryFile("w", prefix="prs-lab-", suffix=".smbpasswd")
        self._file.write(self._line + "\n")
        self._file.flush()
        os.environ["NTLM_USER_FILE"] = self._file.name

    def __exit__(self, *_: object) -> None:
        os.environ.pop("NTLM_USER_FILE", None)
        self._file.close()
