"""HTTP.sys of one host: real sockets on the host's address, one per port, over TLS where the binding says so."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..application.messages import REASONS, Request, Response

__all__ = ["CannotListen", "Listener"]

# What IIS itself refuses before any application sees it.
MAX_BODY = 64 * 1024 * 1024
IDLE_SECONDS = 15

Answer = Callable[[int, str, bool, Request], Response]


class CannotListen(Exception):
    """The port cannot be opened on this machine (in use, or below 1024 without the right to it)."""


class Listener:
    """Listens on ``address:port`` and hands each request to ``answer(port, host_header, secure, request)``.

    ``key_pair`` gives (certificate PEM, key PEM) for TLS up to ``newest_tls``, or None for plain HTTP. ``accepts(client_address)`` may
    refuse a client before a byte was read, as a firewall does.
    """

    def __init__(
        self,
        *,
        address: str,
        port: int,
        answer: Answer,
        accepts: Callable[[str], bool],
        key_pair: tuple[bytes, bytes] | None = None,
        newest_tls: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ):
        self.port = port
        self.secure = key_pair is not None
        self.key_pair = key_pair
        context = _tls(key_pair, newest_tls) if key_pair else None
        handler = type("Handler", (_Handler,), {"answer": staticmethod(answer), "port": port, "secure": self.secure})
        try:
            self._server = _Server((address, port), handler, context=context, accepts=accepts)
        except OSError as error:
            raise CannotListen(f"{address}:{port}: {error.strerror}") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=f"http {address}:{port}",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], handler: Any, *, context: ssl.SSLContext | None, accepts: Callable[[str], bool]
    ):
        self._context = context
        self._accepts = accepts
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # Without HTTPServer's own version, which looks the address up in DNS.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return self._accepts(client_address[0])

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(IDLE_SECONDS)
        if self._context is None:
            super().finish_request(request, client_address)
            return
        try:
            with self._context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except (ssl.SSLError, OSError):
            pass  # a client that does not trust the certificate, or left

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that left in the middle of an answer is no news


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-IIS/10.0"
    sys_version = ""
    answer: Answer
    port: int
    secure: bool

    def do_GET(self) -> None:
        self._serve({})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY:
            self._send(Response(status=400, body=b"<h2>Bad Request</h2>\n"))
            return
        body = self.rfile.read(length)
        form = body.decode("utf-8", "replace") if "urlencoded" in self.headers.get("Content-Type", "") else ""
        self._serve(dict(parse_qsl(form, keep_blank_values=True)), length)

    def _serve(self, form: dict[str, str], length: int = 0) -> None:
        parts = urlsplit(self.path)
        name = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        fields = {**dict(parse_qsl(parts.query)), **form}
        request = Request(
            method=self.command,
            path=parts.path,
            form=fields,
            secure=self.secure,
            host=self.headers.get("Host") or "",
            content_length=length,
        )
        self._send(self.answer(self.port, name, self.secure, request))

    def _send(self, response: Response) -> None:
        reason = REASONS.get(response.status, "")
        headers = {
            "Content-Type": "text/html",
            **response.headers,
            "Content-Length": str(len(response.body)),
            "X-Powered-By": "ASP.NET",
        }
        self.log_request(response.status)
        head = (
            f"HTTP/1.1 {response.status} {reason}\r\nServer: {self.server_version}\r\nDate: "
            f"{self.date_time_string()}\r\n"
        )
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        # Header and body in one write, or Nagle costs 40 ms.
        self.wfile.write(head.encode("latin-1") + (b"" if self.command == "HEAD" else response.body))

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _tls(key_pair: tuple[bytes, bytes], newest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    # OpenSSL reads keys from files only.
    with tempfile.NamedTemporaryFile(delete=False) as file:
        os.chmod(file.name, 0o600)
        file.write(key_pair[0] + b"\n" + key_pair[1])
    try:
        context.load_cert_chain(file.name)
    finally:
        os.unlink(file.name)
    return context
