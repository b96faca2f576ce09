"""Who is at the other end of a WinRM connection: Basic, and NTLM, Kerberos (raw or inside SPNEGO) or CredSSP with sealed
messages.

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
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import spnego
import spnego.exceptions

from .accounts import Token
from .errors import WinError
from .kerberos import Acceptor, KerberosFailed

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["AuthenticationFailed", "Negotiation", "check_basic"]


_BOUNDARY = b"--Encrypted Boundary"
_SPNEGO = b"application/HTTP-SPNEGO-session-encrypted"
_CREDSSP = b"application/HTTP-CredSSP-session-encrypted"
_BODY_TYPE = b"\tContent-Type: application/octet-stream\r\n"
_ONE_AT_A_TIME = threading.Lock()
_UNICODE = 0x1
_NTLM_SIGNATURE = b"NTLMSSP\0"


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
    """The NTLM, Kerberos or CredSSP conversation of one connection, and the sealing of its messages afterwards. Without a
    keytab the host takes no Kerberos.
    """

    def __init__(self, host: WindowsHost, keytab: Path | None = None, *, ntlm: bool = True) -> None:
        self._host = host
        self._keytab = keytab
        self._ntlm = ntlm
        self._context: spnego.ContextProxy | None = None
        self._kerberos: Acceptor | None = None
        self._protocol = _SPNEGO
        self.token: Token | None = None

    @property
    def complete(self) -> bool:
        """Whether the client is known; with the ticket its context ends as well."""
        if self._kerberos is not None and self._kerberos.expired:
            self._forget()
        return self.token is not None

    @property
    def package(self) -> str:
        if self._protocol == _CREDSSP:
            return "CredSSP"
        return "Kerberos" if self._kerberos is not None else "NTLM"

    @property
    def sealed_type(self) -> str:
        """The content type of a message that is sealed."""
        return f'multipart/encrypted;protocol="{self._protocol.decode()}";boundary="Encrypted Boundary"'

    @property
    def delegated(self) -> bool:
        """Whether the client's own ticket, or its password, came along."""
        return self._protocol == _CREDSSP or (self._kerberos is not None and self._kerberos.delegated)

    def close(self) -> None:
        self._forget()

    def _forget(self) -> None:
        if self._kerberos is not None:
            self._kerberos.close()
        self._context = self._kerberos = self.token = None
        self._protocol = _SPNEGO

    def step(self, message: bytes, *, scheme: str = "negotiate", channel: bytes | None = None) -> bytes | None:
        """Take the client's next token; answers ours, if there is one to send."""
        if self.complete:
            self._forget()
        if scheme == "credssp":
            return self._credssp_step(message)
        if self._keytab is not None and _NTLM_SIGNATURE not in message:
            return self._kerberos_step(self._keytab, message, channel)
        if not self._ntlm:
            raise AuthenticationFailed("NTLM is not allowed here (Network security: Restrict NTLM)")
        return self._ntlm_step(message)

    def _kerberos_step(self, keytab: Path, message: bytes, channel: bytes | None) -> bytes:
        if self._kerberos is None:
            self._kerberos = Acceptor(keytab)
        acceptor = self._kerberos
        try:
            answer = acceptor.step(message, channel=channel)
            if acceptor.complete:
                user = self._host.accounts.find_user(acceptor.principal)
                self.token = self._host.accounts.log_on_hash(
                    acceptor.principal, user.nt_hash if user else "", network=True
                )
        except (KerberosFailed, WinError) as error:
            principal = acceptor.principal
            self._forget()
            raise AuthenticationFailed(f"{principal or 'Kerberos'}: {error}") from error
        return answer

    def _credssp_step(self, message: bytes) -> bytes | None:
        """NTLM inside TLS: whose it is can be seen afterwards only, so every account may be asked for."""
        self._protocol = _CREDSSP
        try:
            with _ONE_AT_A_TIME, _credentials("\n".join(self._all_accounts())):
                if self._context is None:
                    self._context = spnego.server(protocol="credssp", options=spnego.NegotiateOptions.use_negotiate)
                answer = self._context.step(message)
            if self._context.complete:
                name = self._context.client_principal or ""
                user = self._host.accounts.find_user(name)
                self.token = self._host.accounts.log_on_hash(name, user.nt_hash if user else "", network=True)
        except (spnego.exceptions.SpnegoError, WinError, ValueError, struct.error) as error:
            self._forget()
            raise AuthenticationFailed(f"CredSSP: {error}") from error
        return answer

    def _all_accounts(self) -> Iterator[str]:
        """In smbpasswd form, in every spelling in which clients write an account."""
        for user in self._host.accounts.users.values():
            for name in (user.name, f".\\{user.name}", f"{self._host.name}\\{user.name}"):
                yield _smbpasswd(name, user.nt_hash)
        domain = self._host.directory
        for user in domain.users.values() if domain else ():
            for name in (f"{domain.name}\\{user.name}", f"{user.name}@{domain.dns_name}"):
                yield _smbpasswd(name, user.nt_hash)

    def _ntlm_step(self, message: bytes) -> bytes | None:
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
            return "", _smbpasswd("nobody", "0" * 32)
        domain, user = names
        account = f"{domain}\\{user}" if domain else user
        found = self._host.accounts.find_user(account)
        written = f"{domain}\\{user}" if domain else user
        known_hash = found.nt_hash if found else "f" * 31 + "0"
        return account, _smbpasswd(written, known_hash)

    def unseal(self, body: bytes) -> bytes:
        """The plain text of a `multipart/encrypted` body. ValueError when it does not fit."""
        if self.token is None:
            raise ValueError("sealed message before authentication")
        plain = b""
        parts = body.split(_BOUNDARY + b"\r\n")[1:]
        for described, sealed in zip(parts[0::2], parts[1::2], strict=True):
            length = re.search(rb"Length=(\d+)", described)
            payload = sealed.removesuffix(_BOUNDARY + b"--\r\n").removeprefix(_BODY_TYPE)
            (header_length,) = struct.unpack("<i", payload[:4])
            message = self._unwrap(payload[4 : 4 + header_length], payload[4 + header_length :])
            if length is None or len(message) != int(length[1]):
                raise ValueError("sealed message of another length than it says")
            plain += message
        return plain

    def _unwrap(self, header: bytes, data: bytes) -> bytes:
        if self._kerberos is not None:
            return self._kerberos.unwrap(header, data)
        assert self._context is not None
        return self._context.unwrap_winrm(header, data)

    def _wrap(self, body: bytes) -> tuple[bytes, bytes, int]:
        """(header, sealed data, length of its padding)."""
        if self._kerberos is not None:
            return self._kerberos.wrap(body)
        assert self._context is not None
        sealed = self._context.wrap_winrm(body)
        return sealed.header, sealed.data, sealed.padding_length

    def seal(self, body: bytes) -> bytes:
        header, data, padding = self._wrap(body)
        return b"".join(
            (
                _BOUNDARY, b"\r\n\tContent-Type: ", self._protocol,
                b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % (len(body) + padding),
                _BOUNDARY, b"\r\n", _BODY_TYPE, struct.pack("<i", len(header)), header, data, _BOUNDARY, b"--\r\n",
            )
        )  # fmt: skip


def _smbpasswd(name: str, nt_hash: str) -> str:
    return f"{name}:0:{'0' * 32}:{nt_hash}:[U]:LCT-0"


def _names(message: bytes) -> tuple[str, str] | None:
    """(domain, user) out of an NTLM AUTHENTICATE message, or None when it is another one."""
    start = message.find(_NTLM_SIGNATURE + b"\3\0\0\0")
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
