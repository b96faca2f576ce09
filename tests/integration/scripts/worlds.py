"""What the scripts of the roles find where they run: files, certificates, a web server that misbehaves."""

from __future__ import annotations

import base64
import datetime as dt
import http.server
import io
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

__all__ = ["DENIED", "FILES", "SECRET", "Certificate", "certificate", "make_files", "misbehaving_web_server"]

SECRET = "Secret-1!"
EXPIRES = dt.datetime(2031, 3, 4, 12, 34, 56)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """In base64: with its key (pfx) and without (cer)."""

    pfx: str
    cer: str
    thumbprint: str


@cache
def _key(elliptic: bool) -> Any:
    return ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)


@cache
def certificate(*names: str, elliptic: bool = False, organization: str = "", key_inside: bool = True) -> Certificate:
    """names: DNS names, as they stand in the certificate."""
    key = _key(elliptic)
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, "prs.corp.local")]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(dt.datetime(2024, 1, 1)).not_valid_after(EXPIRES)
    )  # fmt: skip
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    made = builder.sign(key, hashes.SHA256())
    encryption = serialization.BestAvailableEncryption(SECRET.encode())
    pfx = (
        pkcs12.serialize_key_and_certificates(b"x", key, made, None, encryption)
        if key_inside
        else pkcs12.serialize_key_and_certificates(b"x", None, None, [made], encryption)
    )
    return Certificate(
        pfx=base64.b64encode(pfx).decode(),
        cer=base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode(),
        thumbprint=made.fingerprint(hashes.SHA1()).hex().upper(),
    )


def _zipped(content: dict[str, bytes]) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        for name, data in content.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, data)
    return result.getvalue()


GOOD = _zipped({
    "web.config": b"x", "bin/a.dll": b"x", "Bin2\\b.dll": b"x", "sub/encryption.config": b"key", "other\\Encryption.Config": b"key2",
})  # fmt: skip
FILES = {
    "app [1]/it's.config": b"<a/>", "app [1]/x[ab].json": b'{"a": 1}', "empty/": b"", "denied/x.bak": b"x", "denied.txt": b"x", "setup.exe": b"MZ no resource",
    "good.zip": GOOD, "GOOD2.ZIP": GOOD, "text.zip": b"not a zip" * 100, "short.zip": b"PK\x05\x06xx", "nothing.zip": b"", "half.zip": GOOD[:-30],
    "damaged/d.zip": GOOD.replace(b"PK\x01\x02", b"PK\x01\x09", 1), "damaged/e.txt": b"",
    "newest/a.bak": b"1", "newest/sub/b.bak": b"22", "newest/c.bak_old": b"333", "one/r.json": '{"x": "ä"}'.encode(), "bom/r.json": b'\xef\xbb\xbf{"x": 1}',
    "latin/r.json": '{"x": "ä"}'.encode("latin-1"), **{f"many/{number:02}.json": f'{{"i": {number}}}'.encode() for number in range(3)},
    "many/03.json_old": b"{}",
}  # fmt: skip
"""Names that end in / are folders; each is a second older than the next one."""
DENIED = ("denied", "denied.txt")
OLDEST = 1_700_000_000


def make_files(root: Path) -> None:
    root.mkdir(mode=0o755)
    for number, (name, data) in enumerate(FILES.items()):
        path = root / name
        if name.endswith("/"):
            path.mkdir()
            continue
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
        path.chmod(0o644)
        os.utime(path, (OLDEST + number, OLDEST + number))
    for name in DENIED:
        (root / name).chmod(0)


class _Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def answer(self, status: int, body: bytes = b"", *, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def do_GET(self) -> None:
        pages: dict[str, Any] = {
            "/redirect": lambda: self.answer(302, b"moved", Location="/page?x=1"),
            "/307": lambda: self.answer(307, Location="/page"),
            "/elsewhere": lambda: self.answer(302, Location=f"http://elsewhere.example:{self.server.server_port}/page"),
            "/https": lambda: self.answer(302, Location="https://elsewhere.example/page"),
            "/loop": lambda: self.answer(302, Location="/loop"),
            "/then-cut": lambda: self.answer(302, b"the page before", Location="/cut"),
            "/cut": lambda: self.answer(200, b"part", length=1000),
            "/500": lambda: self.answer(500, b"broken"),
            "/big": lambda: self.answer(200, b"x" * 70_000),
            "/endless": self.endless,
            "/trickle": self.trickle,
            "/surrogate": lambda: self.answer(200, b"x" * 65_535 + "😀y".encode()),
            "/latin": lambda: self.answer(200, "ä".encode("latin-1"), Content_Type="text/html; charset=iso-8859-1"),
        }
        page = pages.get(self.path, lambda: self.answer(200, f"{self.headers['Host']} {self.path}".encode()))
        try:
            page()
        except OSError:
            self.close_connection = True

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(2_000):
            self.wfile.write(b"x" * 65_536)

    def trickle(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(30):
            self.wfile.write(b"x")
            time.sleep(1)


@contextmanager
def misbehaving_web_server() -> Iterator[int]:
    """Its port on the loopback address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
