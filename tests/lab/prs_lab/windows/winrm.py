"""The WinRM listeners of one host: HTTP on 5985 and HTTPS on 5986 of its own address, with authentication and sealing."""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .accounts import Token
from .auth import AuthenticationFailed, Negotiation, check_basic
from .client_certificate import CLIENT_CERTIFICATE, check_certificate
from .dispatch import Dispatcher
from .kerberos import channel_of
from .wsman import Limits, WsMan

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["WinRm", "WinRmSettings"]

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
}
_SOAP = "application/soap+xml;charset=UTF-8"
_TLS_HANDSHAKE = b"\x16"
_HANDSHAKE_SECONDS = 10.0
_HEADER_LIMIT = 64 * 1024
_LARGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class WinRmSettings:
    """How the service is configured; the defaults are Windows'. HTTPS needs `certificate` and `key` (PEM files on this
    machine). Kerberos needs a `keytab` with the host's services; `ntlm` may be forbidden by policy. Client certificates
    of `client_authority` (PEM) log on as the local account that `client_accounts` names for their user principal name.
    """

    http_port: int | None = 5985
    https_port: int = 5986
    certificate: Path | None = None
    key: Path | None = None
    negotiate: bool = True
    ntlm: bool = True
    credssp: bool = False
    keytab: Path | None = None
    client_authority: Path | None = None
    client_accounts: Mapping[str, str] = field(default_factory=dict)
    basic: bool = False
    allow_unencrypted: bool = False
    limits: Limits = field(default_factory=Limits)


class WinRm:
    """The service: `open()` listens, `close()` drops every connection as a machine that goes down does."""

    def __init__(self, host: WindowsHost, settings: WinRmSettings | None = None) -> None:
        self.host = host
        self.settings = settings or WinRmSettings()
        self.wsman = WsMan(host, limits=self.settings.limits, start=Dispatcher(host).start)
        self._listeners: list[_Listener] = []
        self.channel = channel_of(self.settings.certificate) if self.settings.certificate else None

    def open(self) -> None:
        if self.settings.http_port:
            self._listeners.append(_Listener(self, self.settings.http_port, None))
        if self.settings.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.maximum_version = self.host.character.windows.newest_tls
            context.load_cert_chain(self.settings.certificate, self.settings.key)
            if self.settings.client_authority:
                # In the handshake, as up to TLS 1.2. With TLS 1.3 Windows asks afterwards, which Python's clients do not do.
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.verify_mode = ssl.CERT_OPTIONAL
                context.load_verify_locations(self.settings.client_authority)
            self._listeners.append(_Listener(self, self.settings.https_port, context))

    def close(self) -> None:
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()
        self.wsman.forget_shells()


class _Listener:
    """One listening socket with a thread that accepts, and a thread for each connection."""

    def __init__(self, winrm: WinRm, port: int, tls: ssl.SSLContext | None) -> None:
        self._winrm = winrm
        self._tls = tls
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        try:
            self._socket = socket.create_server((winrm.host.address, port), backlog=128)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{winrm.host.name} cannot listen on {winrm.host.address}:{port}: {error.strerror}. Is another lab "
                "running with these addresses?",
            ) from error
        self._thread = threading.Thread(target=self._accept, name=f"winrm {winrm.host.name}:{port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)
        with self._lock:
            connections, self._connections = self._connections, set()
        for connection in connections:
            # Linger 0: the client gets a reset, as from a machine that is gone.
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection.settimeout(_HANDSHAKE_SECONDS)
                connection = self._tls.wrap_socket(connection, server_side=True)
                connection.settimeout(None)
            with self._lock:
                self._connections.add(connection)
            client = _Connection(self._winrm, connection, encrypted=self._tls is not None)
            try:
                client.serve()
            finally:
                client.close()
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            with contextlib.suppress(OSError):
                connection.close()


class _Connection:
    """HTTP of one connection. With NTLM and Kerberos it is the connection that is authenticated, not the request."""

    def __init__(self, winrm: WinRm, connection: socket.socket, *, encrypted: bool) -> None:
        self._winrm = winrm
        self._settings = winrm.settings
        self._socket = connection
        self._encrypted = encrypted
        self._negotiation = Negotiation(winrm.host, self._settings.keytab, ntlm=self._settings.ntlm)
        self._final_token: bytes | None = None
        self._certificate_known = False
        self._channel = winrm.channel if encrypted else None

    def close(self) -> None:
        self._negotiation.close()

    def serve(self) -> None:
        if not self._encrypted and self._socket.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
            self._reply(
                400
            )  # a client that speaks TLS to the plain port: HTTP.sys calls it an invalid verb and hangs up
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(_HANDSHAKE_SECONDS)
            while self._socket.recv(65536):  # a reset for what is unread would overtake the answer
                pass
            return
        reader = self._socket.makefile("rb", buffering=256 * 1024)
        while (request := _read_request(reader)) is not None:
            method, path, headers, body = request
            if method != "POST":
                self._reply(405)
            elif path.rstrip("/").lower() != "/wsman":
                self._reply(404)
            else:
                self._post(headers, body)

    def _post(self, headers: dict[str, str], body: bytes) -> None:
        token = self._authenticate(headers.get("authorization", ""))
        if token is None:
            return
        final, self._final_token = self._final_token, None
        proof = [f"WWW-Authenticate: Negotiate {base64.b64encode(final).decode()}"] if final else []
        if not body:
            self._reply(200, headers=proof)
            return
        sealed = "encrypted" in headers.get("content-type", "").lower()
        if sealed:
            try:
                body = self._negotiation.unseal(body)
            except Exception:  # any defect of a sealed message: the real service says no more either
                self._reply(400)
                return
        elif not self._encrypted and not self._settings.allow_unencrypted:
            self._reply(500)
            return
        status, answer = self._winrm.wsman.answer(body, token)
        if sealed:
            self._reply(status, self._negotiation.seal(answer), self._negotiation.sealed_type)
        else:
            self._reply(status, answer, _SOAP, headers=proof)

    def _authenticate(self, header: str) -> Token | None:
        """The account of this request, or None when an answer (401) was already sent."""
        scheme, _, value = header.partition(" ")
        try:
            if scheme.lower() == "basic" and self._settings.basic:
                return check_basic(self._winrm.host, value)
            if scheme == CLIENT_CERTIFICATE and self._settings.client_authority:
                return self._known_by_certificate()
            if scheme.lower() in self._packages:
                answer = self._negotiation.step(base64.b64decode(value), scheme=scheme.lower(), channel=self._channel)
                if not self._negotiation.complete:
                    self._reply(401, headers=[f"WWW-Authenticate: {scheme} {base64.b64encode(answer or b'').decode()}"])
                    return None
                self._final_token = answer
                self._log_on(self._negotiation.token, self._negotiation.package, self._negotiation.delegated)
            if self._negotiation.complete:
                return self._negotiation.token
        except (AuthenticationFailed, binascii.Error) as error:
            self._winrm.host.record.add("logon", self._winrm.host.name, failed=True, detail=str(error))
        offers = (
            ("Negotiate", self._settings.negotiate),
            ("Kerberos", self._settings.negotiate and self._settings.keytab),
            ("CredSSP", self._settings.credssp),
            ('Basic realm="WSMAN"', self._settings.basic),
        )
        self._reply(401, headers=[f"WWW-Authenticate: {offer}" for offer, enabled in offers if enabled])
        return None

    @property
    def _packages(self) -> set[str]:
        """Words of the Authorization header that begin or go on with a conversation."""
        negotiate = {"negotiate", "ntlm", "kerberos"} if self._settings.negotiate else set()
        return negotiate | ({"credssp"} if self._settings.credssp else set())

    def _known_by_certificate(self) -> Token:
        shown = self._socket.getpeercert(True) if isinstance(self._socket, ssl.SSLSocket) else None
        token = check_certificate(self._winrm.host, shown, self._settings.client_accounts)
        if not self._certificate_known:
            self._log_on(token, "Certificate", False)
        self._certificate_known = True
        return token

    def _log_on(self, token: Token | None, package: str, delegated: bool) -> None:
        """As event 4624 tells of a network logon: who, and by which package."""
        account = token.name if token else ""
        host = self._winrm.host
        host.record.add("logon", host.name, failed=False, account=account, package=package, delegated=delegated)

    def _reply(self, status: int, body: bytes = b"", content_type: str = "", headers: list[str] | None = None) -> None:
        lines = [
            f"HTTP/1.1 {status} {_REASONS[status]}",
            "Server: Microsoft-HTTPAPI/2.0",
            *(headers or []),
            f"Content-Length: {len(body)}",
        ]
        if content_type:
            lines.insert(1, f"Content-Type: {content_type}")
        # Header and body in one write, or Nagle and delayed acknowledgements cost 40 ms.
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)


def _read_request(reader: BinaryIO) -> tuple[str, str, dict[str, str], bytes] | None:
    """(method, path, headers in lower case, body), or None at the end of the connection. ValueError when it is not
    HTTP.
    """
    first = reader.readline(_HEADER_LIMIT)
    if not first:
        return None
    words = first.decode("latin-1").split()
    if len(words) != 3:
        raise ValueError("not an HTTP request line")
    headers: dict[str, str] = {}
    while line := reader.readline(_HEADER_LIMIT).rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    if length > _LARGEST_BODY:
        raise ValueError("body beyond any envelope size")
    return words[0], words[1], headers, reader.read(length) if length else b""
