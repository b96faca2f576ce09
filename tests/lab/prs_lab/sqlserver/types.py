"""T-SQL's types: names, lengths, and the words in which declarations and result sets speak of them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from .errors import SqlError

__all__ = ["MAX", "SqlType", "sql_type"]

MAX = -1
"""The length of varchar(max) and its like."""

_SYNONYMS = {
    "integer": "int",
    "dec": "decimal",
    "rowversion": "timestamp",
    "character": "char",
    "double precision": "float",
    "sysname": "nvarchar",
}
_LONG = {"text": "varchar", "ntext": "nvarchar", "image": "varbinary"}
_PLAIN = {
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "bit",
    "money",
    "smallmoney",
    "datetime",
    "smalldatetime",
    "date",
    "uniqueidentifier",
    "xml",
    "sql_variant",
    "timestamp",
    "real",
}
_LIMITS = {"char": 8000, "varchar": 8000, "binary": 8000, "varbinary": 8000, "nchar": 4000, "nvarchar": 4000}
_TEXT = re.compile(r"(?:\[?sys\]?\.)?\[?([a-z_][\w ]*?)\]?\s*(?:\(\s*(max|\d+)\s*(?:,\s*(\d+)\s*)?\))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SqlType:
    """length: characters (n)(var)char, bytes (var)binary, MAX; precision and scale of numbers; scale of times."""

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.length:
            return f"{self.name}({'max' if self.length == MAX else self.length})"
        if self.precision and self.name in ("decimal", "numeric"):
            return f"{self.name}({self.precision},{self.scale})"
        if self.name in ("time", "datetime2", "datetimeoffset"):
            return f"{self.name}({self.scale})"
        return self.name

    @property
    def is_text(self) -> bool:
        return self.name in ("char", "varchar", "nchar", "nvarchar", "xml")

    @property
    def is_wide(self) -> bool:
        return self.name in ("nchar", "nvarchar")

    @property
    def is_binary(self) -> bool:
        return self.name in ("binary", "varbinary", "timestamp")

    @property
    def is_integer(self) -> bool:
        return self.name in ("tinyint", "smallint", "int", "bigint")

    @property
    def is_exact(self) -> bool:
        """Decimals and money: Python's Decimal."""
        return self.name in ("decimal", "numeric", "money", "smallmoney")

    @property
    def is_number(self) -> bool:
        return self.is_integer or self.is_exact or self.name in ("float", "real", "bit")

    @property
    def is_time(self) -> bool:
        return self.name in ("datetime", "datetime2", "smalldatetime", "date", "time", "datetimeoffset")


@functools.lru_cache(maxsize=2048)
def sql_type(text: str, default_length: int = 1) -> SqlType:
    """ "nvarchar(128)" -> SqlType. `default_length`: of a string without one, 1 in declarations and 30 in CAST. Raises
    2715, 131, 2750.
    """
    match = _TEXT.fullmatch(text.strip())
    word = " ".join(match[1].lower().split()) if match else ""
    name = _LONG.get(word) or _SYNONYMS.get(word, word)
    if match is None or name not in _PLAIN | set(_LIMITS) | {
        "decimal",
        "numeric",
        "float",
        "time",
        "datetime2",
        "datetimeoffset",
    }:
        raise SqlError(2715, f"Column, parameter, or variable #1: Cannot find data type {text.strip()}.", state=6)
    first = MAX if (match[2] or "").lower() == "max" else int(match[2]) if match[2] else None
    second = int(match[3]) if match[3] else 0
    if word == "sysname":
        return SqlType("nvarchar", 128)
    if word in _LONG:
        return SqlType(name, MAX)
    if name in _LIMITS:
        length = default_length if first is None else first
        if length > _LIMITS[name] or length == 0 or (length == MAX and name in ("char", "nchar", "binary")):
            raise SqlError(
                131,
                f"The size ({match[2]}) given to the type '{word}' exceeds the maximum allowed for any data type "
                f"({_LIMITS[name]}).",
                severity=15,
                state=2,
            )
        return SqlType(name, length)
    if name in ("decimal", "numeric"):
        precision = 18 if first is None else first
        if not 1 <= precision <= 38 or second > precision:
            raise SqlError(
                2750,
                f"Column or parameter #1: Specified column precision {precision} is greater than the maximum "
                "precision of 38.",
            )
        return SqlType(name, precision=precision, scale=second)
    if name == "float":
        return SqlType("real") if first is not None and first <= 24 else SqlType("float")
    if name in ("time", "datetime2", "datetimeoffset"):
        scale = 7 if first is None else first
        if not 0 <= scale <= 7:
            raise SqlError(1002, f"Line 1: Specified scale {scale} is invalid.", severity=15)
        return SqlType(name, scale=scale)
    if first is not None:
        raise SqlError(2716, f"Column, parameter, or variable #1: Cannot specify a column width on data type {name}.")
    return SqlType(name, length=8) if name == "timestamp" else SqlType(name)
