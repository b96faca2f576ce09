"""BACKUP and RESTORE: every option that the grammar has, each with the kind of value that it takes."""

from __future__ import annotations

from typing import Any

from ..errors import SqlError, SyntaxFault
from .ir import (
    Backup,
    BackupCertificate,
    BackupOptions,
    Device,
    Encryption,
    FileChoice,
    Mark,
    Move,
    Restore,
    RestoreOptions,
    Statement,
    Value,
)
from .stream import TokenStream

__all__ = ["backup", "restore"]

_DEVICES = ("DISK", "TAPE", "URL", "VIRTUAL_DEVICE", "DATABASE_SNAPSHOT")
_TEXTS = {
    "NAME": "name",
    "DESCRIPTION": "description",
    "EXPIREDATE": "expire_date",
    "MEDIANAME": "media_name",
    "MEDIADESCRIPTION": "media_description",
}
_NUMBERS = {
    "RETAINDAYS": "retain_days",
    "BLOCKSIZE": "block_size",
    "BUFFERCOUNT": "buffer_count",
    "MAXTRANSFERSIZE": "max_transfer_size",
}
_BACKUP_FLAGS: dict[str, tuple[str, Any] | None] = {
    "COPY_ONLY": ("copy_only", True),
    "DIFFERENTIAL": ("differential", True),
    "NO_COMPRESSION": ("compression", False),
    "CHECKSUM": ("checksum", True),
    "NO_CHECKSUM": ("checksum", False),
    "CONTINUE_AFTER_ERROR": ("continue_after_error", True),
    "STOP_ON_ERROR": None,
    "INIT": ("init", True),
    "NOINIT": None,
    "FORMAT": ("format", True),
    "NOFORMAT": None,
    "SKIP": ("skip", True),
    "NOSKIP": None,
    "NO_TRUNCATE": ("no_truncate", True),
    "NORECOVERY": ("norecovery", True),
    "RESTART": ("restart", True),
    "REWIND": None,
    "NOREWIND": None,
    "UNLOAD": None,
    "NOUNLOAD": None,
    "FILE_SNAPSHOT": None,
    "METADATA_ONLY": None,
    "SNAPSHOT": None,
}
_RESTORE_FLAGS: dict[str, tuple[str, Any] | None] = {
    "RECOVERY": ("end", "recovery"),
    "NORECOVERY": ("end", "norecovery"),
    "REPLACE": ("replace", True),
    "RESTART": ("restart", True),
    "RESTRICTED_USER": ("restricted_user", True),
    "PARTIAL": ("partial", True),
    "CHECKSUM": ("checksum", True),
    "NO_CHECKSUM": ("checksum", False),
    "CONTINUE_AFTER_ERROR": ("continue_after_error", True),
    "STOP_ON_ERROR": None,
    "KEEP_REPLICATION": ("keep_replication", True),
    "KEEP_CDC": ("keep_cdc", True),
    "ENABLE_BROKER": ("broker", "enable_broker"),
    "NEW_BROKER": ("broker", "new_broker"),
    "ERROR_BROKER_CONVERSATIONS": ("broker", "error_broker_conversations"),
    "LOADHISTORY": ("load_history", True),
    "REWIND": None,
    "NOREWIND": None,
    "UNLOAD": None,
    "NOUNLOAD": None,
    "METADATA_ONLY": ("metadata_only", True),
    "SNAPSHOT": None,
}
_CONFLICTS = (
    ("INIT", "NOINIT"),
    ("FORMAT", "NOFORMAT"),
    ("FORMAT", "NOINIT"),
    ("SKIP", "NOSKIP"),
    ("CHECKSUM", "NO_CHECKSUM"),
    ("COMPRESSION", "NO_COMPRESSION"),
    ("STOP_ON_ERROR", "CONTINUE_AFTER_ERROR"),
    ("NORECOVERY", "STANDBY"),
    ("RECOVERY", "NORECOVERY"),
    ("RECOVERY", "STANDBY"),
    ("EXPIREDATE", "RETAINDAYS"),
    ("STOPAT", "STOPATMARK"),
    ("STOPAT", "STOPBEFOREMARK"),
    ("STOPATMARK", "STOPBEFOREMARK"),
)
_MEDIA = frozenset(
    (
        "FILE",
        "PASSWORD",
        "MEDIANAME",
        "MEDIAPASSWORD",
        "CREDENTIAL",
        "REWIND",
        "NOREWIND",
        "UNLOAD",
        "NOUNLOAD",
        "CHECKSUM",
        "NO_CHECKSUM",
        "STOP_ON_ERROR",
        "CONTINUE_AFTER_ERROR",
    )
)
_ALLOWED = {
    "headeronly": _MEDIA,
    "filelistonly": _MEDIA,
    "labelonly": _MEDIA - {"FILE"},
    "rewindonly": frozenset({"UNLOAD", "NOUNLOAD"}),
    "verifyonly": _MEDIA | {"MOVE", "LOADHISTORY", "STATS", "BLOCKSIZE", "BUFFERCOUNT", "MAXTRANSFERSIZE"},
}


def backup(stream: TokenStream) -> Statement:
    """BACKUP ...; the word BACKUP is taken already."""
    what = stream.expect("DATABASE", "LOG", "CERTIFICATE")
    if what == "CERTIFICATE":
        return _certificate(stream)
    database = stream.name_or_variable()
    files = _files(stream, ("FILE", "FILEGROUP", "READ_WRITE_FILEGROUPS"))
    stream.expect("TO")
    devices = _devices(stream)
    mirrors = []
    while stream.accept_all("MIRROR", "TO"):
        mirrors.append(_devices(stream))
    said, fields = _options(stream, "BACKUP")
    stream.expect_end()
    if what == "LOG" and "DIFFERENTIAL" in said:
        raise _conflict("DIFFERENTIAL", "LOG")
    return Backup(
        what=what.lower(),
        database=database,
        files=files,
        devices=devices,
        mirrors=tuple(mirrors),
        options=BackupOptions(said=said, **fields),
    )


def restore(stream: TokenStream) -> Statement:
    """RESTORE ...; the word RESTORE is taken already."""
    what = stream.expect(
        "DATABASE", "LOG", "HEADERONLY", "FILELISTONLY", "VERIFYONLY", "LABELONLY", "REWINDONLY"
    ).lower()
    names_database = what in ("database", "log")
    database = stream.name_or_variable() if names_database else None
    files = _files(stream, ("FILE", "FILEGROUP", "PAGE", "READ_WRITE_FILEGROUPS")) if names_database else ()
    devices: tuple[Device, ...] = ()
    if not names_database:
        stream.expect("FROM")
        devices = _devices(stream)
    elif stream.accept("FROM"):
        devices = _devices(stream)
    said, fields = _options(stream, "RESTORE")
    stream.expect_end()
    refused = sorted(said - _ALLOWED.get(what, said))
    if refused:
        raise SqlError(
            3032,
            f"One or more of the options ({', '.join(refused).lower()}) are not supported for this statement. "
            "Review the documentation for supported options.",
        )
    return Restore(
        what=what, database=database, files=files, devices=devices, options=RestoreOptions(said=said, **fields)
    )


def _certificate(stream: TokenStream) -> Statement:
    name = stream.name()
    stream.expect_all("TO", "FILE", "=")
    file = stream.string_or_variable()
    found: dict[str, Any] = {}
    if stream.accept("WITH"):
        if stream.accept("FORMAT"):
            stream.expect("=")
            found["format"] = stream.string()
            stream.expect(",")
        stream.expect_all("PRIVATE", "KEY", "(")
        while True:
            if stream.accept("FILE"):
                stream.expect("=")
                found["key_file"] = stream.string_or_variable()
            else:
                which = stream.expect("ENCRYPTION", "DECRYPTION").lower()
                stream.expect_all("BY", "PASSWORD", "=")
                found[f"{which}_password"] = stream.string_or_variable()
            if not stream.accept(","):
                break
        stream.expect(")")
    stream.expect_end()
    return BackupCertificate(name=name, file=file, **found)


def _files(stream: TokenStream, kinds: tuple[str, ...]) -> tuple[FileChoice, ...]:
    found: list[FileChoice] = []
    while stream.peek() in kinds:
        kind = stream.expect(*kinds).lower()
        if kind == "read_write_filegroups":
            found.append(FileChoice(kind, ""))
        else:
            stream.expect("=")
            found.append(FileChoice(kind, stream.string_or_variable()))
        if not stream.accept(","):
            break
    return tuple(found)


def _devices(stream: TokenStream) -> tuple[Device, ...]:
    found: list[Device] = []
    while True:
        if stream.peek() in _DEVICES and stream.peek(1) == "=":
            kind = stream.expect(*_DEVICES).lower()
            stream.expect("=")
            found.append(Device(kind, stream.string_or_variable()))
        else:
            found.append(Device("logical", stream.name_or_variable()))
        if not stream.accept(","):
            break
    if len(found) > 64:
        raise SyntaxFault(3205, "Too many backup devices specified for backup or restore; only 64 are allowed.")
    return tuple(found)


def _options(stream: TokenStream, verb: str) -> tuple[frozenset[str], dict[str, Any]]:
    """WITH a, b = 1, ...: (the words said, fields of BackupOptions or RestoreOptions)."""
    said: set[str] = set()
    fields: dict[str, Any] = {}
    moves: list[Move] = []
    if stream.accept("WITH"):
        while True:
            token = stream.current()
            if token.kind != "word":
                stream.fail()
            stream.place += 1
            word = token.upper
            if word == "MOVE" and verb == "RESTORE":
                logical = stream.string_or_variable()
                stream.expect("TO")
                moves.append(Move(logical, stream.string_or_variable()))
            elif not _option(stream, verb, word, fields):
                raise SyntaxFault(155, f"'{token.text}' is not a recognized {verb} option.", line=token.line)
            said.add(word)
            if not stream.accept(","):
                break
    for one, other in _CONFLICTS:
        if one in said and other in said:
            raise _conflict(one, other)
    if moves:
        fields["moves"] = tuple(moves)
    return frozenset(said), fields


def _option(stream: TokenStream, verb: str, word: str, fields: dict[str, Any]) -> bool:
    """One option whose word is taken already; False: there is no such option."""
    flags = _BACKUP_FLAGS if verb == "BACKUP" else _RESTORE_FLAGS
    if word in flags:
        field = flags[word]
        if field:
            fields[field[0]] = field[1]
    elif word in _TEXTS and (verb == "BACKUP" or word == "MEDIANAME"):
        fields[_TEXTS[word]] = _assigned_text(stream)
    elif word in _NUMBERS and (verb == "BACKUP" or word != "RETAINDAYS"):
        fields[_NUMBERS[word]] = _assigned_number(stream)
    elif word == "STATS":
        fields["stats"] = _assigned_number(stream) if stream.peek() == "=" else 10
    elif word in ("PASSWORD", "MEDIAPASSWORD", "CREDENTIAL"):
        _assigned_text(stream)
    elif word == "STANDBY":
        fields["standby"] = _assigned_text(stream)
        if verb == "RESTORE":
            fields["end"] = "standby"
    elif verb == "BACKUP" and word == "COMPRESSION":
        fields["compression"] = True
        if stream.accept("("):
            stream.expect_all("ALGORITHM", "=")
            fields["compression_algorithm"] = stream.expect("MS_XPRESS", "QAT_DEFLATE", "ZSTD")
            stream.expect(")")
    elif verb == "BACKUP" and word == "ENCRYPTION":
        fields["encryption"] = _encryption(stream)
    elif verb == "RESTORE" and word == "FILE":
        fields["file"] = _assigned_number(stream)
    elif verb == "RESTORE" and word == "STOPAT":
        fields["stop_at"] = _assigned_text(stream)
    elif verb == "RESTORE" and word in ("STOPATMARK", "STOPBEFOREMARK"):
        name = _assigned_text(stream)
        after = stream.string_or_variable() if stream.accept("AFTER") else None
        fields["mark"] = Mark(name, word == "STOPBEFOREMARK", after)
    else:
        return False
    return True


def _assigned_text(stream: TokenStream) -> Value:
    stream.expect("=")
    return stream.string_or_variable()


def _assigned_number(stream: TokenStream) -> Value:
    stream.expect("=")
    return stream.integer_or_variable()


def _encryption(stream: TokenStream) -> Encryption:
    stream.expect_all("(", "ALGORITHM", "=")
    algorithm = stream.expect("AES_128", "AES_192", "AES_256", "TRIPLE_DES_3KEY")
    stream.expect_all(",", "SERVER")
    by = "certificate" if stream.expect("CERTIFICATE", "ASYMMETRIC") == "CERTIFICATE" else "asymmetric_key"
    if by == "asymmetric_key":
        stream.expect("KEY")
    stream.expect("=")
    name = stream.name()
    stream.expect(")")
    return Encryption(algorithm, by, name)


def _conflict(one: str, other: str) -> SqlError:
    return SqlError(
        3031,
        f"Option '{one.lower()}' conflicts with option(s) '{other.lower()}'. Remove the conflicting option and "
        "reissue the statement.",
    )
