"""Reads the definition of a table: columns and constraints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .expressions import condition, expression, type_name
from .stream import TokenStream
from .syntax import Expression

__all__ = [
    "ColumnDefinition",
    "TableConstraint",
    "TableDefinition",
    "column_definition",
    "key_columns",
    "table_constraint",
    "table_definition",
]

_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "DEFAULT")


@dataclass(frozen=True, kw_only=True)
class ColumnDefinition:
    """type as written; identity: (seed, increment); `unread`: parts that are recognised but not modelled (check,
    foreign key, computed).
    """

    name: str
    type: str
    nullable: bool | None = None
    identity: tuple[int, int] | None = None
    default: Expression | None = None
    primary_key: bool = False
    unique: bool = False
    collation: str | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableConstraint:
    """kind: primary key, unique, check, foreign key, default."""

    kind: str
    name: str = ""
    columns: tuple[str, ...] = ()
    default: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class TableDefinition:
    columns: tuple[ColumnDefinition, ...] = field(default=())
    constraints: tuple[TableConstraint, ...] = field(default=())


def table_definition(stream: TokenStream) -> TableDefinition:
    """( ... )"""
    columns, constraints = [], []
    stream.expect("(")
    while True:
        if stream.peek() in _CONSTRAINTS:
            constraints.append(table_constraint(stream))
        elif stream.accept("INDEX"):
            stream.name()
            stream.accept("UNIQUE")
            stream.accept("CLUSTERED", "NONCLUSTERED")
            stream.parenthesised()
        else:
            columns.append(column_definition(stream))
        if not stream.accept(","):
            break
    stream.expect(")")
    if not columns:
        stream.fail()
    return TableDefinition(columns=tuple(columns), constraints=tuple(constraints))


def column_definition(stream: TokenStream) -> ColumnDefinition:
    """name type [NULL | NOT NULL | IDENTITY | DEFAULT ... ]*"""
    name = stream.name()
    if stream.accept("AS"):
        expression(stream)
        stream.accept("PERSISTED")
        return ColumnDefinition(name=name, type="", unread=("a computed column",))
    found: dict[str, Any] = {"name": name, "type": type_name(stream)}
    unread: list[str] = []
    while stream.peek() not in (",", ")", "", ";"):
        if stream.accept("CONSTRAINT"):
            stream.name()
        elif stream.accept("NULL"):
            found["nullable"] = True
        elif stream.accept_all("NOT", "NULL"):
            found["nullable"] = False
        elif stream.accept("IDENTITY"):
            found["identity"] = _seed(stream)
        elif stream.accept("DEFAULT"):
            found["default"] = expression(stream)
        elif stream.accept("COLLATE"):
            found["collation"] = stream.name()
        elif stream.accept_all("PRIMARY", "KEY"):
            stream.accept("CLUSTERED", "NONCLUSTERED")
            found["primary_key"] = True
        elif stream.accept("UNIQUE"):
            stream.accept("CLUSTERED", "NONCLUSTERED")
            found["unique"] = True
        elif stream.accept("CHECK"):
            _check(stream)
            unread.append("a check constraint")
        elif stream.peek() in ("FOREIGN", "REFERENCES"):
            stream.accept_all("FOREIGN", "KEY")
            _references(stream)
            unread.append("a foreign key")
        elif not stream.accept("ROWGUIDCOL", "SPARSE"):
            stream.fail()
    return ColumnDefinition(**found, unread=tuple(unread))


def _seed(stream: TokenStream) -> tuple[int, int]:
    if not stream.accept("("):
        return 1, 1
    seed = stream.integer_or_variable()
    stream.expect(",")
    increment = stream.integer_or_variable()
    stream.expect(")")
    if not isinstance(seed, int) or not isinstance(increment, int):
        stream.fail()
    return seed, increment


def _check(stream: TokenStream) -> None:
    stream.expect("(")
    condition(stream)
    stream.expect(")")


def _references(stream: TokenStream) -> None:
    stream.expect("REFERENCES")
    stream.dotted_name()
    if stream.peek() == "(":
        stream.parenthesised()
    while stream.accept("ON"):
        stream.expect("DELETE", "UPDATE")
        if stream.accept("NO"):
            stream.expect("ACTION")
        elif stream.accept("SET"):
            stream.expect("NULL", "DEFAULT")
        else:
            stream.expect("CASCADE")


def table_constraint(stream: TokenStream) -> TableConstraint:
    """[CONSTRAINT name] PRIMARY KEY | UNIQUE | CHECK | FOREIGN KEY | DEFAULT ... FOR column"""
    name = stream.name() if stream.accept("CONSTRAINT") else ""
    kind = stream.expect("PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "DEFAULT")
    if kind == "CHECK":
        _check(stream)
        return TableConstraint(kind="check", name=name)
    if kind == "DEFAULT":
        value = expression(stream)
        stream.expect("FOR")
        return TableConstraint(kind="default", name=name, columns=(stream.name(),), default=value)
    if kind in ("PRIMARY", "FOREIGN"):
        stream.expect("KEY")
    stream.accept("CLUSTERED", "NONCLUSTERED")
    columns = key_columns(stream)
    if kind == "FOREIGN":
        _references(stream)
        return TableConstraint(kind="foreign key", name=name, columns=columns)
    return TableConstraint(kind="primary key" if kind == "PRIMARY" else "unique", name=name, columns=columns)


def key_columns(stream: TokenStream) -> tuple[str, ...]:
    """(a, b DESC, ...)"""
    stream.expect("(")
    found = []
    while True:
        found.append(stream.name())
        stream.accept("ASC", "DESC")
        if not stream.accept(","):
            break
    stream.expect(")")
    return tuple(found)
