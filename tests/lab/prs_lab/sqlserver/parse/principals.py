"""Logins, users, roles, schemas, ownership and permissions."""

from __future__ import annotations

from typing import Any

from . import ir_objects as ir
from .ir import Statement
from .stream import TokenStream

__all__ = [
    "alter_authorization",
    "alter_login",
    "alter_role",
    "alter_user",
    "create_login",
    "create_role",
    "create_schema",
    "create_user",
    "permission",
]


def create_login(stream: TokenStream) -> Statement:
    """After CREATE LOGIN."""
    name = stream.name()
    if stream.accept("FROM"):
        source = stream.expect("WINDOWS", "CERTIFICATE", "ASYMMETRIC")
        if source == "WINDOWS":
            options = (
                _login_options(stream, {"DEFAULT_DATABASE", "DEFAULT_LANGUAGE"})
                if stream.accept("WITH")
                else ir.LoginOptions()
            )
            stream.expect_end()
            return ir.CreateLogin(name=name, source="windows", options=options)
        if source == "ASYMMETRIC":
            stream.expect("KEY")
        found = ir.CreateLogin(
            name=name, source="certificate" if source == "CERTIFICATE" else "asymmetric_key", source_name=stream.name()
        )
        stream.expect_end()
        return found
    stream.expect("WITH")
    if stream.peek() != "PASSWORD":
        stream.fail()
    allowed = {
        "PASSWORD",
        "SID",
        "DEFAULT_DATABASE",
        "DEFAULT_LANGUAGE",
        "CHECK_EXPIRATION",
        "CHECK_POLICY",
        "CREDENTIAL",
    }
    options = _login_options(stream, allowed)
    stream.expect_end()
    return ir.CreateLogin(name=name, source="sql", options=options)


def alter_login(stream: TokenStream) -> Statement:
    """After ALTER LOGIN."""
    name = stream.name()
    if word := stream.accept("ENABLE", "DISABLE"):
        stream.expect_end()
        return ir.AlterLogin(name=name, enable=word == "ENABLE")
    stream.expect("WITH")
    allowed = {
        "PASSWORD",
        "NAME",
        "DEFAULT_DATABASE",
        "DEFAULT_LANGUAGE",
        "CHECK_EXPIRATION",
        "CHECK_POLICY",
        "CREDENTIAL",
        "NO",
    }
    options = _login_options(stream, allowed)
    stream.expect_end()
    return ir.AlterLogin(name=name, options=options)


def _login_options(stream: TokenStream, allowed: set[str]) -> ir.LoginOptions:
    found: dict[str, Any] = {}
    while True:
        word = stream.expect(*allowed)
        if word == "NO":
            stream.expect("CREDENTIAL")
        else:
            stream.expect("=")
        if word == "PASSWORD":
            _password(stream, found)
        elif word == "SID":
            token = stream.take()
            if token.kind != "binary":
                stream.place -= 1
                stream.fail()
            found["sid"] = token.value
        elif word in ("CHECK_EXPIRATION", "CHECK_POLICY"):
            found[word.lower()] = stream.expect("ON", "OFF") == "ON"
        elif word == "NAME":
            found["new_name"] = stream.name()
        elif word != "NO":
            found[word.lower()] = stream.name()
        if not stream.accept(","):
            return ir.LoginOptions(**found)


def _password(stream: TokenStream, found: dict[str, Any]) -> None:
    token = stream.current()
    if token.kind == "binary":
        stream.place += 1
        found["password"] = token.value
        stream.expect("HASHED")
        found["hashed"] = True
    else:
        found["password"] = stream.string()
        found["hashed"] = bool(stream.accept("HASHED"))
    while word := stream.accept("MUST_CHANGE", "UNLOCK", "OLD_PASSWORD"):
        if word == "OLD_PASSWORD":
            stream.expect("=")
            found["old_password"] = stream.string()
        else:
            found[word.lower()] = True


def create_user(stream: TokenStream) -> Statement:
    """After CREATE USER."""
    name = stream.name()
    found: dict[str, Any] = {}
    if stream.accept("FOR", "FROM"):
        kind = stream.expect("LOGIN", "CERTIFICATE").lower()
        found[kind] = stream.name()
    elif stream.accept("WITHOUT"):
        stream.expect("LOGIN")
        found["without_login"] = True
    if stream.accept("WITH"):
        stream.expect_all("DEFAULT_SCHEMA", "=")
        found["default_schema"] = stream.name()
    stream.expect_end()
    return ir.CreateUser(name=name, **found)


def alter_user(stream: TokenStream) -> Statement:
    """After ALTER USER."""
    name = stream.name()
    stream.expect("WITH")
    found: dict[str, Any] = {}
    while True:
        word = stream.expect("NAME", "DEFAULT_SCHEMA", "LOGIN")
        stream.expect("=")
        found["new_name" if word == "NAME" else word.lower()] = stream.name()
        if not stream.accept(","):
            break
    stream.expect_end()
    return ir.AlterUser(name=name, **found)


def create_role(stream: TokenStream, *, server: bool) -> Statement:
    """After CREATE [SERVER] ROLE."""
    name = stream.name()
    owner = stream.name() if stream.accept("AUTHORIZATION") else None
    stream.expect_end()
    return ir.CreateRole(name=name, server=server, owner=owner)


def alter_role(stream: TokenStream, *, server: bool) -> Statement:
    """After ALTER [SERVER] ROLE."""
    name = stream.name()
    if stream.accept("WITH"):
        stream.expect_all("NAME", "=")
        action = "name"
    else:
        action = stream.expect("ADD", "DROP").lower()
        stream.expect("MEMBER")
    member = stream.name()
    stream.expect_end()
    return ir.AlterRole(name=name, server=server, action=action, member=member)


def create_schema(stream: TokenStream) -> Statement:
    """After CREATE SCHEMA (definitions inside the statement are not recognised)."""
    if stream.accept("AUTHORIZATION"):
        owner = stream.name()
        stream.expect_end()
        return ir.CreateSchema(name=owner, owner=owner)
    name = stream.name()
    owner = stream.name() if stream.accept("AUTHORIZATION") else None
    stream.expect_end()
    return ir.CreateSchema(name=name, owner=owner)


def alter_authorization(stream: TokenStream) -> Statement:
    """After ALTER AUTHORIZATION."""
    stream.expect("ON")
    kind, name = _securable(stream)
    stream.expect("TO")
    owner = None if stream.accept_all("SCHEMA", "OWNER") else stream.name()
    stream.expect_end()
    return ir.AlterAuthorization(securable_class=kind or "object", name=name, owner=owner)


def _securable(stream: TokenStream) -> tuple[str, tuple[str, ...]]:
    """[class ::] name."""
    start, words = stream.place, []
    while not stream.at_end and stream.current().kind == "word" and stream.peek() != "::" and len(words) < 3:
        words.append(stream.take().upper)
    if words and stream.accept("::"):
        return " ".join(words).lower(), stream.dotted_name()
    stream.place = start
    return "", stream.dotted_name()


def permission(stream: TokenStream, verb: str) -> Statement:
    """After GRANT, DENY or REVOKE."""
    if verb == "revoke":
        stream.accept_all("GRANT", "OPTION", "FOR")
    permissions = [_permission_words(stream)]
    while stream.accept(","):
        permissions.append(_permission_words(stream))
    kind, name = _securable(stream) if stream.accept("ON") else ("", ())
    stream.expect(*(("TO", "FROM") if verb == "revoke" else ("TO",)))
    principals = [_principal(stream)]
    while stream.accept(","):
        principals.append(_principal(stream))
    grant_option = False
    if verb == "grant" and stream.accept_all("WITH", "GRANT", "OPTION"):
        grant_option = True
    elif verb != "grant":
        stream.accept("CASCADE")
    if stream.accept("AS"):
        stream.name()
    stream.expect_end()
    return ir.Permission(
        verb=verb,
        permissions=tuple(permissions),
        securable_class=kind,
        securable=name,
        principals=tuple(principals),
        grant_option=grant_option,
    )


def _principal(stream: TokenStream) -> str:
    return "public" if stream.accept("PUBLIC") else stream.name()


def _permission_words(stream: TokenStream) -> str:
    words = []
    while stream.peek() not in ("ON", "TO", "FROM", ",", "("):
        token = stream.take()
        if token.kind != "word":
            stream.place -= 1
            stream.fail()
        words.append(token.upper)
    if stream.peek() == "(":
        stream.parenthesised()
    if not words:
        stream.fail()
    return " ".join(words)
