"""CREATE, ALTER and DROP DATABASE."""

from __future__ import annotations

from typing import Any

from . import ir_objects as ir
from .ir import Statement
from .stream import TokenStream

__all__ = ["alter_database", "create_database", "drop_database"]

_SWITCHES = frozenset(
    """AUTO_CLOSE AUTO_SHRINK AUTO_CREATE_STATISTICS AUTO_UPDATE_STATISTICS AUTO_UPDATE_STATISTICS_ASYNC ANSI_NULL_DEFAULT ANSI_NULLS ANSI_PADDING
    ANSI_WARNINGS ARITHABORT CONCAT_NULL_YIELDS_NULL NUMERIC_ROUNDABORT QUOTED_IDENTIFIER RECURSIVE_TRIGGERS CURSOR_CLOSE_ON_COMMIT DB_CHAINING TRUSTWORTHY
    HONOR_BROKER_PRIORITY ALLOW_SNAPSHOT_ISOLATION READ_COMMITTED_SNAPSHOT DATE_CORRELATION_OPTIMIZATION ENCRYPTION TEMPORAL_HISTORY_RETENTION
    MIXED_PAGE_ALLOCATION NESTED_TRIGGERS""".split()  # noqa: SIM905
)
_WORDS = frozenset(
    """SINGLE_USER RESTRICTED_USER MULTI_USER ONLINE OFFLINE EMERGENCY READ_ONLY READ_WRITE ENABLE_BROKER DISABLE_BROKER NEW_BROKER
    ERROR_BROKER_CONVERSATIONS""".split()  # noqa: SIM905
)
_CHOICES = {
    "RECOVERY": ("FULL", "BULK_LOGGED", "SIMPLE"),
    "PAGE_VERIFY": ("CHECKSUM", "TORN_PAGE_DETECTION", "NONE"),
    "CURSOR_DEFAULT": ("LOCAL", "GLOBAL"),
    "PARAMETERIZATION": ("SIMPLE", "FORCED"),
}
_ASSIGNED = {
    "DELAYED_DURABILITY": ("DISABLED", "ALLOWED", "FORCED"),
    "CONTAINMENT": ("NONE", "PARTIAL"),
    "QUERY_STORE": ("ON", "OFF"),
    "ACCELERATED_DATABASE_RECOVERY": ("ON", "OFF"),
}
_KILOBYTES = {"KB": 1, "MB": 1 << 10, "GB": 1 << 20, "TB": 1 << 30, "": 1 << 10}


def create_database(stream: TokenStream) -> Statement:
    """After CREATE DATABASE."""
    name = stream.name()
    found: dict[str, Any] = {}
    options: list[tuple[str, Any]] = []
    if stream.accept("CONTAINMENT"):
        stream.expect("=")
        options.append(("CONTAINMENT", stream.expect("NONE", "PARTIAL")))
    if stream.accept("ON"):
        stream.accept("PRIMARY")
        found["files"] = _file_specs(stream)
    if stream.accept_all("LOG", "ON"):
        found["logs"] = _file_specs(stream)
    if stream.accept("COLLATE"):
        found["collation"] = stream.name()
    if stream.accept("WITH"):
        while True:
            option = stream.expect(
                "TRUSTWORTHY", "DB_CHAINING", "ENABLE_BROKER", "NEW_BROKER", "ERROR_BROKER_CONVERSATIONS", "LEDGER"
            )
            if option == "LEDGER":
                stream.expect("=")
            is_switch = option in ("TRUSTWORTHY", "DB_CHAINING", "LEDGER")
            options.append((option, stream.expect("ON", "OFF") if is_switch else True))
            if not stream.accept(","):
                break
    if stream.accept("FOR"):
        rebuild_log = stream.expect("ATTACH", "ATTACH_REBUILD_LOG") == "ATTACH_REBUILD_LOG"
        restricted = not rebuild_log and bool(stream.accept_all("WITH", "RESTRICTED_USER"))
        stream.expect_end()
        paths = tuple(spec.physical for spec in (*found.get("files", ()), *found.get("logs", ())))
        return ir.AttachDatabase(name=name, paths=paths, rebuild_log=rebuild_log, restricted=restricted)
    stream.expect_end()
    return ir.CreateDatabase(name=name, options=tuple(options), **found)


def drop_database(stream: TokenStream) -> Statement:
    """After DROP DATABASE."""
    if_exists = bool(stream.accept_all("IF", "EXISTS"))
    names = [stream.name()]
    while stream.accept(","):
        names.append(stream.name())
    stream.expect_end()
    return ir.DropDatabase(names=tuple(names), if_exists=if_exists)


def alter_database(stream: TokenStream) -> Statement:
    """After ALTER DATABASE."""
    name = "" if stream.accept("CURRENT") else stream.name()
    found = _alteration(stream, name)
    stream.expect_end()
    return found


def _alteration(stream: TokenStream, name: str) -> Statement:
    if stream.accept("COLLATE"):
        return ir.AlterDatabaseCollation(name=name, collation=stream.name())
    if stream.accept("MODIFY"):
        if stream.accept("NAME"):
            stream.expect("=")
            return ir.AlterDatabaseName(name=name, new_name=stream.name())
        stream.expect("FILE")
        return ir.AlterDatabaseFile(name=name, action="modify", files=(_file_spec(stream),))
    if stream.accept("ADD"):
        action = "add log" if stream.accept("LOG") else "add"
        stream.expect("FILE")
        files = _file_specs(stream)
        if stream.accept_all("TO", "FILEGROUP"):
            stream.name()
        return ir.AlterDatabaseFile(name=name, action=action, files=files)
    if stream.accept("REMOVE"):
        stream.expect("FILE")
        return ir.AlterDatabaseFile(name=name, action="remove", files=(ir.FileSpec(logical=stream.name()),))
    stream.expect("SET")
    if stream.peek() in ("PARTNER", "WITNESS"):
        return _mirroring(stream, name)
    options = [_option(stream)]
    while stream.accept(","):
        options.append(_option(stream))
    termination: str | int | None = None
    if stream.accept("WITH"):
        if stream.accept("NO_WAIT"):
            termination = "no_wait"
        else:
            stream.expect("ROLLBACK")
            if stream.accept("IMMEDIATE"):
                termination = "immediate"
            else:
                stream.expect("AFTER")
                termination = _literal_integer(stream)
                stream.accept("SECONDS")
    return ir.AlterDatabaseSet(name=name, options=tuple(options), termination=termination)


def _option(stream: TokenStream) -> tuple[str, Any]:
    word = stream.take().upper
    if word in _WORDS:
        return word, True
    if word in _SWITCHES:
        return word, stream.expect("ON", "OFF")
    if word in _CHOICES:
        return word, stream.expect(*_CHOICES[word])
    if word in _ASSIGNED:
        stream.expect("=")
        return word, stream.expect(*_ASSIGNED[word])
    if word == "COMPATIBILITY_LEVEL":
        stream.expect("=")
        return word, _literal_integer(stream)
    if word == "TARGET_RECOVERY_TIME":
        stream.expect("=")
        seconds = _literal_integer(stream)
        return word, seconds * (60 if stream.expect("SECONDS", "MINUTES") == "MINUTES" else 1)
    stream.place -= 1
    stream.fail()


def _mirroring(stream: TokenStream, name: str) -> Statement:
    if stream.accept("WITNESS"):
        if stream.accept("OFF"):
            return ir.AlterDatabaseMirroring(name=name, action="witness off")
        stream.expect("=")
        return ir.AlterDatabaseMirroring(name=name, action="witness", value=stream.string())
    stream.expect("PARTNER")
    if stream.accept("="):
        return ir.AlterDatabaseMirroring(name=name, action="partner", value=stream.string())
    action = stream.expect("OFF", "FAILOVER", "FORCE_SERVICE_ALLOW_DATA_LOSS", "RESUME", "SUSPEND", "SAFETY", "TIMEOUT")
    value: Any = None
    if action == "SAFETY":
        value = stream.expect("FULL", "OFF")
    elif action == "TIMEOUT":
        value = _literal_integer(stream)
    return ir.AlterDatabaseMirroring(name=name, action=f"partner {action.lower()}", value=value)


def _literal_integer(stream: TokenStream) -> int:
    if stream.current().kind == "variable":
        stream.fail()
    return int(stream.integer_or_variable())  # a literal: the grammar takes no variable here


def _file_specs(stream: TokenStream) -> tuple[ir.FileSpec, ...]:
    found = []
    while stream.peek() == "(":
        found.append(_file_spec(stream))
        if not stream.accept(","):
            break
    if not found:
        stream.fail()
    return tuple(found)


def _file_spec(stream: TokenStream) -> ir.FileSpec:
    found: dict[str, Any] = {}
    stream.expect("(")
    while True:
        word = stream.expect("NAME", "NEWNAME", "FILENAME", "SIZE", "MAXSIZE", "FILEGROWTH", "OFFLINE")
        if word != "OFFLINE":
            stream.expect("=")
        if word in ("NAME", "NEWNAME"):
            token = stream.current()
            found["logical" if word == "NAME" else "new_logical"] = (
                stream.string() if token.kind == "string" else stream.name()
            )
        elif word == "FILENAME":
            found["physical"] = stream.string()
        elif word == "MAXSIZE" and stream.accept("UNLIMITED"):
            found["max_size"] = -1
        elif word != "OFFLINE":
            number, unit = _literal_integer(stream), stream.accept("KB", "MB", "GB", "TB", "%")
            if word == "FILEGROWTH":
                found["growth"] = f"{number}{unit or 'MB'}"
            else:
                found["size" if word == "SIZE" else "max_size"] = number * _KILOBYTES[unit]
        if not stream.accept(","):
            break
    stream.expect(")")
    return ir.FileSpec(**found)
