# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as people write them, as files and servers keep them, and as texts: all of them aware here."""

from __future__ import annotations

import datetime as dt

from .errors import RecoveryError

__all__ = ["STAMP", "parse_stored_time", "parse_user_time", "to_stamp", "to_text"]

STAMP = "%Y%m%dT%H%M%SZ"
EXAMPLE = "Write it as 2026-03-01T14:30:00+01:00, or with Z at its end for UTC"


def parse_user_time(text: str, *, option: str, advice: str = EXAMPLE) -> dt.datetime:
    """An ISO 8601 time with its zone, as a person gives it in an option.

    Raises RecoveryError for what is no time (with advice, how to write it), and for a time without a zone, which could
    be meant as two moments.
    """
    try:
        moment = dt.datetime.fromisoformat(_readable(text))
    except ValueError:
        raise RecoveryError(f"{option} is '{text}', which is no time", code="option_invalid", advice=advice) from None
    if moment.tzinfo is None:
        raise RecoveryError(
            f"{option} is '{text}', which has no zone",
            code="option_invalid",
            advice="Add it: Z for UTC, or for example +01:00",
        )
    return moment


def parse_stored_time(text: str) -> dt.datetime:
    """A time as servers, manifests and .NET write it; without a zone it is UTC. Raises ValueError."""
    moment = dt.datetime.fromisoformat(_readable(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def to_text(moment: dt.datetime) -> str:
    """2026-03-01T14:30:00Z: an aware time in UTC, to the second."""
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_stamp(moment: dt.datetime) -> str:
    """20260301T143000Z: the same for names of files."""
    return moment.astimezone(dt.timezone.utc).strftime(STAMP)


def _readable(text: str) -> str:
    """What Python 3.10 reads as well: no Z, and three or six digits of a second (.NET writes seven)."""
    whole, dot, rest = text.strip().replace("Z", "+00:00").replace("z", "+00:00").partition(".")
    if not dot:
        return whole
    zone = rest.lstrip("0123456789")
    digits = rest[: len(rest) - len(zone)]
    return f"{whole}.{digits[:6].ljust(6, '0')}{zone}" if digits else f"{whole}.{rest}"
