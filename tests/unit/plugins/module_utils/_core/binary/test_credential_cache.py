"""The life of a ticket, from the bytes of credential caches as MIT documents them (the file of a real kinit is read in
tests/integration/winrm/test_kerberos.py).
"""

from __future__ import annotations

import struct

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.credential_cache import ticket_life

NOON = 1_800_000_000


def data(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def principal(realm: str, *names: str) -> bytes:
    return struct.pack(">II", 1, len(names)) + b"".join(data(part.encode()) for part in (realm, *names))


ME = principal("PRS.LAB", "dba")


def entry(server: bytes, *, start: int = NOON, life: int = 0, issued: int = NOON, version: int = 4) -> bytes:
    key = (struct.pack(">HH", 18, 18) if version == 3 else struct.pack(">H", 18)) + data(bytes(32))
    times = struct.pack(">IIIIBI", issued, start, (start or issued) + life, 0, 0, 0x50E10000)
    addresses = struct.pack(">IH", 1, 2) + data(b"\x7f\0\0\1")
    authorization = struct.pack(">I", 0)
    return ME + server + key + times + addresses + authorization + data(b"ticket") + data(b"")


def cache(*entries: bytes, version: int = 4) -> bytes:
    header = struct.pack(">HHHII", 12, 1, 8, 0, 0) if version == 4 else b""
    return bytes([5, version]) + header + ME + b"".join(entries)


TGT = principal("PRS.LAB", "krbtgt", "PRS.LAB")
SETTING = principal("X-CACHECONF:", "krb5_ccache_conf_data", "fast_avail")
SERVICE = principal("PRS.LAB", "HTTP", "web.prs.lab")

CACHES = [
    (cache(entry(TGT, life=36000)), 36000),
    (cache(entry(SETTING), entry(TGT, life=36000)), 36000),  # what kinit writes: a setting first, with no times
    (cache(entry(TGT, life=36000, start=0)), 36000),  # a KDC may leave the start out
    (cache(entry(TGT, life=300), entry(SERVICE, life=60)), 300),  # others are had again with the first
    (cache(entry(TGT, life=300), entry(principal("PRS.LAB", "krbtgt", "OTHER.LAB"), life=200)), 200),
    (cache(entry(TGT, life=36000, version=3), version=3), 36000),
    (cache(entry(TGT, life=-5)), 0),
    (cache(), None),
    (cache(entry(SERVICE, life=60)), None),
    (b"", None),
    (b"\x05\x02", None),
    (b"\x05\x04", None),
    (b"not a cache at all", None),
    (cache(entry(TGT, life=36000))[:-3], None),
]


@pytest.mark.parametrize(("held", "life"), CACHES)
def test_the_life_of_a_ticket(held: bytes, life: int | None) -> None:
    assert ticket_life(held) == life


def test_a_cache_that_is_cut_anywhere_is_no_error() -> None:
    whole = cache(entry(SETTING), entry(TGT, life=36000))
    assert {ticket_life(whole[:length]) for length in range(len(whole))} == {None}
