"""Packets, PRELOGIN, LOGIN7 and the tokens of an answer (MS-TDS 7.4 and 8.0), server's side. Bytes only, no sockets."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass, field

from .bytes import Reader, short_text, text
from .encode import COLLATION

__all__ = [
    "DoneStatus",
    "Encryption",
    "Login",
    "Packet",
    "Token",
    "build_prelogin",
    "done",
    "environment",
    "feature_ack",
    "login_ack",
    "message",
    "packets",
    "parse_login",
    "parse_prelogin",
    "return_status",
]

EOM, IGNORE, RESET, RESET_KEEP_TRANSACTION = 1, 2, 8, 16
"""Flags of a packet's header."""


class Packet(enum.IntEnum):
    BATCH = 1
    RPC = 3
    RESULT = 4
    ATTENTION = 6
    BULK = 7
    TRANSACTION = 14
    LOGIN = 16
    SSPI = 17
    PRELOGIN = 18


class Encryption(enum.IntEnum):
    OFF = 0
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


class Token(enum.IntEnum):
    DONE = 0xFD
    DONE_PROCEDURE = 0xFE
    DONE_IN_PROCEDURE = 0xFF


class DoneStatus(enum.IntFlag):
    FINAL = 0
    MORE = 1
    ERROR = 2
    IN_TRANSACTION = 4
    COUNT = 0x10
    ATTENTION = 0x20


@dataclass(slots=True)
class Login:
    """LOGIN7; `integrated`: an SSPI token came instead of a password."""

    version: int = 0
    packet_size: int = 4096
    host: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    application: str = ""
    server: str = ""
    library: str = ""
    language: str = ""
    database: str = ""
    integrated: bool = False
    features: tuple[int, ...] = ()
    wants_features: bool = False
    process_id: int = 0


def packets(kind: int, payload: bytes, *, size: int, spid: int, first: int = 1, last: bool = True) -> tuple[bytes, int]:
    """Cut a payload into packets; `last`: the final one ends the message. -> (bytes, number of the next packet)."""
    room, number, out = size - 8, first, bytearray()
    starts = range(0, max(len(payload), 1), room) if last else range(0, len(payload), room)
    for start in starts:
        part = payload[start : start + room]
        ends = last and start + room >= len(payload)
        out += struct.pack(">BBHHBB", kind, EOM if ends else 0, len(part) + 8, spid & 0xFFFF, number & 0xFF, 0) + part
        number += 1
    return bytes(out), number


def parse_prelogin(body: bytes) -> dict[int, bytes]:
    """Options by number: 0 version, 1 encryption, 2 instance, 3 thread, 4 MARS, 5 trace, 6 federated authentication."""
    found, place = {}, 0
    while body[place] != 0xFF:
        option, offset, length = struct.unpack_from(">BHH", body, place)
        found[option] = body[offset : offset + length]
        place += 5
    return found


def build_prelogin(options: dict[int, bytes]) -> bytes:
    head, body, offset = b"", b"", 5 * len(options) + 1
    for option, value in options.items():
        head += struct.pack(">BHH", option, offset + len(body), len(value))
        body += value
    return head + b"\xff" + body


def parse_login(body: bytes) -> Login:
    """Raises ValueError, IndexError or struct.error for what is malformed."""
    _, version, size, _, process, _, _, flags2, _, flags3 = struct.unpack_from("<IIIIIIBBBB", body)
    login = Login(
        version=version,
        packet_size=size or 4096,
        process_id=process,
        integrated=bool(flags2 & 0x80),
        wants_features=bool(flags3 & 0x10),
    )
    offsets = struct.unpack_from("<18H", body, 36)
    names = ("host", "user", "password", "application", "server", "extension", "library", "language", "database")
    for name, offset, length in zip(names, offsets[::2], offsets[1::2], strict=True):
        if name == "extension":
            if login.wants_features and length >= 4:
                login.features = _features(body, struct.unpack_from("<I", body, offset)[0])
            continue
        raw = body[offset : offset + 2 * length]
        if name == "password":
            raw = bytes(((byte ^ 0xA5) & 0x0F) << 4 | (byte ^ 0xA5) >> 4 for byte in raw)
        setattr(login, name, raw.decode("utf-16-le", "replace"))
    return login


def _features(body: bytes, place: int) -> tuple[int, ...]:
    found = []
    reader = Reader(body, place)
    while reader.more() and reader.peek() != 0xFF:
        found.append(reader.byte())
        reader.take(reader.number(4))
    return tuple(found)


# ---- tokens
def environment(kind: int, new: str | bytes = "", old: str | bytes = "") -> bytes:
    """ENVCHANGE; strings for names and sizes, bytes for collations and transactions."""
    if isinstance(new, bytes):
        before = old if isinstance(old, bytes) else b""
        body = bytes([kind, len(new)]) + new + bytes([len(before)]) + before
    else:
        body = bytes([kind]) + short_text(new) + short_text(str(old))
    return b"\xe3" + struct.pack("<H", len(body)) + body


def collation_change() -> bytes:
    return environment(7, COLLATION, b"")


def message(number: int, state: int, severity: int, words: str, server: str, procedure: str, line: int) -> bytes:
    """INFO for severities up to 10, else ERROR."""
    body = (
        struct.pack("<iBB", number, state & 0xFF, severity)
        + text(words[:8000])
        + short_text(server)
        + short_text(procedure)
        + struct.pack("<I", line)
    )
    return bytes([0xAA if severity > 10 else 0xAB]) + struct.pack("<H", len(body)) + body


def done(token: Token, status: int, command: int = 0, count: int = 0) -> bytes:
    return struct.pack("<BHHQ", token, status, command, count)


def login_ack(version: int, server_version: tuple[int, int, int]) -> bytes:
    major, minor, build = server_version
    body = (
        b"\x01"
        + struct.pack(">I", version)
        + short_text("Microsoft SQL Server")
        + bytes([major, minor])
        + struct.pack(">H", build)
    )
    return b"\xad" + struct.pack("<H", len(body)) + body


def feature_ack(features: dict[int, bytes]) -> bytes:
    return (
        b"\xae"
        + b"".join(bytes([number]) + struct.pack("<I", len(value)) + value for number, value in features.items())
        + b"\xff"
    )


def return_status(value: int) -> bytes:
    return b"\x79" + struct.pack("<i", value)
