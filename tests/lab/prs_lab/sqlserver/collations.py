"""The collations that the twin accepts: those of Windows Server setups that people meet."""

from __future__ import annotations

import re

from .errors import SqlError

__all__ = ["check_collation", "is_collation"]

_SQL = {
    "SQL_Latin1_General_CP1_CI_AS", "SQL_Latin1_General_CP1_CS_AS", "SQL_Latin1_General_CP1_CI_AI", "SQL_Latin1_General_CP850_CI_AS",
    "SQL_Latin1_General_CP437_CI_AS", "SQL_Latin1_General_CP850_BIN2",
}  # fmt: skip
_LANGUAGES = "Latin1_General|French|German_PhoneBook|Modern_Spanish|Polish|Czech|Danish_Norwegian|Finnish_Swedish"
_LANGUAGES += "|Turkish|Cyrillic_General|Greek|Hungarian|Japanese"
_WINDOWS = re.compile(
    rf"(?:{_LANGUAGES})(?:_90|_100|_140)?(?:_(?:BIN|BIN2)|_C[IS]_A[IS](?:_KS)?(?:_WS)?(?:_SC)?(?:_UTF8)?)",
    re.IGNORECASE,
)


def is_collation(name: str) -> bool:
    return name.lower() in {known.lower() for known in _SQL} or _WINDOWS.fullmatch(name) is not None


def check_collation(name: str) -> str:
    """The name as the server writes it. Raises 448."""
    for known in _SQL:
        if known.lower() == name.lower():
            return known
    if _WINDOWS.fullmatch(name) is None:
        raise SqlError(448, f"Invalid collation '{name}'.")
    return name
