# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the ticket in a Kerberos credential cache lasts, read from the bytes of the cache's file.

The format is MIT's "Credential cache file format", versions 3 and 4, which Heimdal writes as well. klist would say the
same in words that depend on language and version.
"""

from __future__ import annotations

import struct

__all__ = ["ticket_life"]

_KRBTGT = b"krbtgt"
_CONFIGURATION = b"X-CACHECONF:"
"""The realm of entries that hold settings of the cache and no ticket."""


def ticket_life(cache: bytes) -> int | None:
    """Seconds between the start and the end of the ticket-granting ticket that lasts shortest, by the clock of the KDC.
    None where there is none, or the file is of another format.
    """
    try:
        reader = _Reader(cache)
        lives = [end - (start or issued) for issued, start, end in reader.ticket_granting_times()]
    except (struct.error, ValueError):
        return None
    return max(0, min(lives)) if lives else None


class _Reader:
    """Reads the file from its beginning to its end; struct.error or ValueError where it is not what it says."""

    def __init__(self, cache: bytes) -> None:
        self._cache = cache
        self._at = 0
        magic, self._version = self._take(">BB")
        if magic != 5 or self._version not in (3, 4):
            raise ValueError("no credential cache of a version that is known")
        if self._version == 4:
            (length,) = self._take(">H")
            self._at += length

    def ticket_granting_times(self) -> list[tuple[int, int, int]]:
        """(issued, start, end) of each ticket-granting ticket."""
        self._principal()
        times = []
        while self._at < len(self._cache):
            server, of_entry = self._credential()
            if server[0] != _CONFIGURATION and server[1:2] == [_KRBTGT]:
                times.append(of_entry)
        return times

    def _credential(self) -> tuple[list[bytes], tuple[int, int, int]]:
        """(realm and components of the server, times) of one entry."""
        self._principal()
        server = self._principal()
        self._take(">HH" if self._version == 3 else ">H")  # the key's type, twice in version 3
        self._data()
        issued, start, end, _renewable, _is_session_key, _flags = self._take(">IIIIBI")
        for _kind in ("addresses", "authorization data"):
            for _entry in range(*self._take(">I")):
                self._take(">H")
                self._data()
        self._data()
        self._data()
        return server, (issued, start, end)

    def _principal(self) -> list[bytes]:
        """The realm and the components of a name."""
        _type, components = self._take(">II")
        return [self._data() for _part in range(components + 1)]

    def _data(self) -> bytes:
        (length,) = self._take(">I")
        data = self._cache[self._at : self._at + length]
        if len(data) != length:
            raise ValueError("the cache ends in the middle of an entry")
        self._at += length
        return data

    def _take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(form, self._cache, self._at)
        self._at += struct.calcsize(form)
        return values
