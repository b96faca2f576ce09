"""Pieces of SQLite source with their T-SQL types, and what names mean where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ..errors import SqlError
from ..parse import syntax
from ..types import MAX, SqlType
from .relations import quoted

__all__ = ["Fragment", "Names", "common_type", "literal_type"]

_PRECEDENCE = (
    "sql_variant",
    "xml",
    "datetimeoffset",
    "datetime2",
    "datetime",
    "smalldatetime",
    "date",
    "time",
    "float",
    "real",
    "decimal",
    "numeric",
    "money",
    "smallmoney",
    "bigint",
    "int",
    "smallint",
    "tinyint",
    "bit",
    "uniqueidentifier",
    "nvarchar",
    "nchar",
    "varchar",
    "char",
    "varbinary",
    "binary",
    "timestamp",
)

SYSNAME = 128


@dataclass(frozen=True, slots=True)
class Fragment:
    """SQLite source of an expression and its type; None: decided by the values (NULL, sql_variant functions).

    collation: of a column of names (sysname), which may conflict with another one's; empty where none is implied.
    """

    sql: str
    type: SqlType | None = None
    literal: bool = False
    collation: str = ""


@dataclass(slots=True)
class Names:
    """What column names can mean here: aliases with their columns; `outer`: around a subquery."""

    sources: list[tuple[str, str, Mapping[str, SqlType | None]]] = field(default_factory=list)
    outer: Names | None = None
    common: dict[str, list[tuple[str, SqlType | None]]] = field(default_factory=dict)
    collations: dict[str, str] = field(default_factory=dict)

    def common_table(self, name: str) -> list[tuple[str, SqlType | None]] | None:
        scope: Names | None = self
        while scope is not None:
            if name.lower() in scope.common:
                return scope.common[name.lower()]
            scope = scope.outer
        return None

    def find(self, qualifier: str, name: str) -> Fragment:
        """Raises SqlError 207, 209, 4104."""
        scope: Names | None = self
        while scope is not None:
            found = []
            for alias, shown, columns in scope.sources:
                if qualifier and alias.lower() != qualifier.lower():
                    continue
                for column, kind in columns.items():
                    if column.lower() == name.lower():
                        is_name = kind is not None and kind.is_text and kind.length == SYSNAME
                        collation = scope.collations.get(alias.lower(), "") if is_name else ""
                        found.append(Fragment(f"{quoted(shown)}.{quoted(column)}", kind, collation=collation))
            if len(found) > 1:
                raise SqlError(209, f"Ambiguous column name '{name}'.")
            if found:
                return found[0]
            scope = scope.outer
        if qualifier and not self._knows(qualifier):
            raise SqlError(4104, f'The multi-part identifier "{qualifier}.{name}" could not be bound.')
        raise SqlError(207, f"Invalid column name '{name}'.")

    def _knows(self, alias: str) -> bool:
        scope: Names | None = self
        while scope is not None:
            if any(known.lower() == alias.lower() for known, _, _ in scope.sources):
                return True
            scope = scope.outer
        return False


def common_type(types: list[SqlType | None]) -> SqlType | None:
    """The type that values of these types have in common (CASE, COALESCE, UNION)."""
    known = [kind for kind in types if kind is not None]
    if not known:
        return None
    best = min(known, key=lambda kind: _PRECEDENCE.index(kind.name))
    same = (
        [kind for kind in known if kind.is_text or kind.is_binary]
        if best.is_text or best.is_binary
        else [kind for kind in known if kind.is_exact]
    )
    if (best.is_text or best.is_binary) and best.name != "xml":
        return SqlType(
            best.name, MAX if any(kind.length == MAX for kind in same) else max(kind.length for kind in same)
        )
    if best.is_exact and best.precision:
        scale = max(kind.scale for kind in same)
        return SqlType(best.name, precision=38 if len(known) > 1 else best.precision, scale=scale)
    return best


def literal_type(literal: syntax.Literal) -> SqlType | None:
    value = literal.value
    if value is None:
        return None
    if isinstance(value, str):
        wide = literal.national
        length = max(len(value.encode("utf-16-le")) // 2 if wide else len(value), 1)
        return SqlType("nvarchar" if wide else "varchar", MAX if length > (4000 if wide else 8000) else length)
    if isinstance(value, bytes):
        return SqlType("varbinary", max(len(value), 1))
    if isinstance(value, int):
        return SqlType("int") if -(2**31) <= value < 2**31 else SqlType("numeric", precision=len(str(abs(value))))
    if isinstance(value, Decimal):
        digits = value.as_tuple()
        return SqlType("numeric", precision=max(len(digits.digits), -digits.exponent), scale=-digits.exponent)
    return SqlType("float")
