"""Each way in which a site can fail keeps its own name: real sockets on this machine, one server a case."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.prs.recovery.plugins.module_utils import _site
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.site_answer import judge
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

READY, WIZARD = r"(?i)password reset server", r"(?i)/installer\.aspx"
PAGES = {
    "/": (200, {}, "<h1>Password Reset Server</h1>"),
    "/broken": (500, {}, "<style>x</style><h1>HTTP Error 500</h1> SQL error 18456 of &quot;prs&quot;"),
    "/stopped": (503, {}, "Service unavailable"),
    "/other": (200, {}, "<h1>It works!</h1>"),
    "/fresh": (302, {"Location": "/Installer.aspx"}, ""),
    "/Installer.aspx": (200, {}, "<h1>Password Reset Server</h1>"),
    "/turns": (302, {"Location": "/turns"}, ""),
}
KEY = ec.generate_private_key(ec.SECP256R1())
NOW = dt.datetime.now(dt.timezone.utc)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/hangs-up":
            return
        status, headers, text = PAGES[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def certificate(tmp_path, *, name="127.0.0.1", days=(-1, 90), key=KEY):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
    names = [x509.IPAddress(ipaddress.ip_address(name))] if name[0].isdigit() else [x509.DNSName(name)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW + dt.timedelta(days=days[0]))
        .not_valid_after(NOW + dt.timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "site.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return pem


@contextmanager
def site(pem=None):
    """A site on a port of its own; with TLS when there is a certificate."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def asked(url, *, ca_file=None, address=None):
    answer = _site.ask(url, ca_file=ca_file and str(ca_file), address=address, timeout=30)
    return answer, judge(answer, ready_pattern=READY, wizard_pattern=WIZARD)


@pytest.mark.parametrize(
    ("page", "state", "said"),
    [
        ("/", "ready", ""),
        ("/fresh", "wizard", "setup wizard"),
        ("/broken", "broken", '500: the application fails (HTTP Error 500 SQL error 18456 of "prs")'),
        ("/stopped", "broken", "503: the application pool is stopped"),
        ("/other", "broken", "not the page of Password Reset Server"),
        ("/turns", "broken", "302"),
        ("/hangs-up", "unreachable", "without an answer"),
    ],
)
def test_what_a_site_answers(tmp_path, page, state, said):
    pem = certificate(tmp_path)
    with site(pem) as port:
        answer, judged = asked(f"https://127.0.0.1:{port}{page}", ca_file=pem)
    assert judged["state"] == state
    assert said in judged["problem"]
    assert bool(judged["advice"]) == bool(judged["problem"]) == (state != "ready")
    if state == "ready":
        assert (answer.certificate["names"], answer.addresses) == (["127.0.0.1"], ("127.0.0.1",))
        assert dt.datetime.fromisoformat(answer.certificate["not_after"]) > NOW + dt.timedelta(days=89)


@pytest.mark.parametrize(
    ("made", "trusted", "reason", "said"),
    [
        ({"days": (-90, -1)}, True, "expired", "has expired"),
        ({"days": (1, 90)}, True, "not_yet", "not valid yet"),
        ({"name": "reset.example.com"}, True, "name", "not for 127.0.0.1"),
        ({}, False, "untrusted", "does not trust"),
    ],
)
def test_what_is_wrong_with_a_certificate(tmp_path, made, trusted, reason, said):
    pem = certificate(tmp_path, **made)
    with site(pem) as port:
        answer, judged = asked(f"https://127.0.0.1:{port}/", ca_file=pem if trusted else None)
    assert (answer.step, answer.reason, judged["state"]) == ("tls", reason, "unreachable")
    assert said in judged["problem"]


def test_a_port_without_tls(tmp_path):
    with site() as port:
        answer, judged = asked(f"https://127.0.0.1:{port}/", ca_file=certificate(tmp_path))
        assert (answer.step, answer.reason) == ("tls", "no_tls")
        assert "binding is https" in judged["advice"]
        assert asked(f"http://127.0.0.1:{port}/")[1]["state"] == "ready"


def test_a_port_where_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can get it meanwhile
        answer, judged = asked(f"https://127.0.0.1:{taken.getsockname()[1]}/")
    assert (answer.step, answer.reason) == ("connect", "refused")
    assert "refuses" in judged["problem"] and "W3SVC" in judged["advice"]


def test_a_name_that_dns_does_not_know(monkeypatch):
    def unknown(*_arguments, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(_site.socket, "getaddrinfo", unknown)
    answer, judged = asked("https://reset.example.com/")
    assert answer.step == "name"
    assert "reset.example.com is not known" in judged["problem"] and "active site" in judged["advice"]


def test_a_name_is_verified_at_an_address_that_is_told(tmp_path):
    pem = certificate(tmp_path, name="reset.example.com")
    with site(pem) as port:
        answer, judged = asked(f"https://reset.example.com:{port}/", ca_file=pem, address="127.0.0.1")
    assert judged["state"] == "ready", (answer, judged)


@pytest.mark.parametrize(
    "url", ["reset.example.com", "ftp://reset.example.com/", "https:///", "https://reset.example.com:port/"]
)
def test_no_address(url):
    with pytest.raises(RecoveryError, match="no address of a site"):
        asked(url)


def test_authorities_that_cannot_be_read():
    with pytest.raises(RecoveryError, match="/nowhere"):
        asked("https://127.0.0.1/", ca_file="/nowhere")
