"""Master key, certificates, endpoints."""

from __future__ import annotations

from typing import Any

from . import ir_objects as ir
from .ir import Statement
from .stream import TokenStream

__all__ = ["create_certificate", "create_master_key", "endpoint"]


def create_master_key(stream: TokenStream) -> Statement:
    """After CREATE MASTER KEY."""
    password = None
    if stream.accept("ENCRYPTION"):
        stream.expect_all("BY", "PASSWORD", "=")
        password = stream.string()
    stream.expect_end()
    return ir.CreateMasterKey(password=password)


def create_certificate(stream: TokenStream) -> Statement:
    """After CREATE CERTIFICATE."""
    name = stream.name()
    found: dict[str, Any] = {}
    if stream.accept("AUTHORIZATION"):
        found["owner"] = stream.name()
    if stream.accept("FROM"):
        source = stream.expect("FILE", "BINARY")
        stream.expect("=")
        found["file" if source == "FILE" else "binary"] = stream.string() if source == "FILE" else _binary(stream)
        if stream.accept("WITH"):
            stream.expect_all("PRIVATE", "KEY", "(")
            while True:
                word = stream.expect("FILE", "BINARY", "DECRYPTION", "ENCRYPTION")
                if word in ("DECRYPTION", "ENCRYPTION"):
                    stream.expect_all("BY", "PASSWORD", "=")
                    found[f"{word.lower()}_password"] = stream.string()
                else:
                    stream.expect("=")
                    found["key_file" if word == "FILE" else "key_binary"] = (
                        stream.string() if word == "FILE" else _binary(stream)
                    )
                if not stream.accept(","):
                    break
            stream.expect(")")
    else:
        if stream.accept("ENCRYPTION"):
            stream.expect_all("BY", "PASSWORD", "=")
            found["encryption_password"] = stream.string()
        stream.expect("WITH")
        while True:
            word = stream.expect("SUBJECT", "START_DATE", "EXPIRY_DATE")
            stream.expect("=")
            found[word.lower()] = stream.string()
            if not stream.accept(","):
                break
        if "subject" not in found:
            stream.fail()
    if stream.accept_all("ACTIVE", "FOR", "BEGIN_DIALOG", "="):
        stream.expect("ON", "OFF")
    stream.expect_end()
    return ir.CreateCertificate(name=name, **found)


def _binary(stream: TokenStream) -> bytes:
    token = stream.take()
    if token.kind != "binary":
        stream.place -= 1
        stream.fail()
    return token.value


def endpoint(stream: TokenStream, *, create: bool) -> Statement:
    """After CREATE ENDPOINT or ALTER ENDPOINT."""
    name = stream.name()
    found: dict[str, Any] = {}
    if stream.accept("AUTHORIZATION"):
        found["owner"] = stream.name()
    if stream.accept("STATE"):
        stream.expect("=")
        found["state"] = stream.expect("STARTED", "STOPPED", "DISABLED")
    if stream.accept("AS") if not create else stream.expect("AS"):
        stream.expect_all("TCP", "(", "LISTENER_PORT", "=")
        port = stream.integer_or_variable()
        found["port"] = int(port) if isinstance(port, int) else stream.fail()
        if stream.accept(","):
            stream.expect_all("LISTENER_IP", "=")
            if not stream.accept("ALL"):
                stream.parenthesised()
        stream.expect(")")
    if stream.accept("FOR") if not create else stream.expect("FOR"):
        stream.expect_all("DATABASE_MIRRORING", "(")
        while True:
            _mirroring_option(stream, found)
            if not stream.accept(","):
                break
        if "role" not in found:
            stream.fail()
        stream.expect(")")
    stream.expect_end()
    return ir.Endpoint(name=name, create=create, **found)


def _mirroring_option(stream: TokenStream, found: dict[str, Any]) -> None:
    word = stream.expect("AUTHENTICATION", "ENCRYPTION", "ROLE")
    stream.expect("=")
    if word == "ROLE":
        found["role"] = stream.expect("PARTNER", "WITNESS", "ALL")
    elif word == "ENCRYPTION":
        found["encryption"] = stream.expect("REQUIRED", "SUPPORTED", "DISABLED")
        if stream.accept("ALGORITHM"):
            first = stream.expect("AES", "RC4")
            second = stream.accept("AES", "RC4")
            found["algorithm"] = f"{first} {second}".strip()
    elif stream.accept("WINDOWS"):
        found["authentication"] = stream.accept("NTLM", "KERBEROS", "NEGOTIATE") or "NEGOTIATE"
        if stream.accept("CERTIFICATE"):
            found["certificate"] = stream.name()
            found["authentication"] += ", CERTIFICATE"
    else:
        stream.expect("CERTIFICATE")
        found["certificate"] = stream.name()
        found["authentication"] = "CERTIFICATE"
        if stream.accept("WINDOWS"):
            found["authentication"] += f", {stream.accept('NTLM', 'KERBEROS', 'NEGOTIATE') or 'NEGOTIATE'}"
