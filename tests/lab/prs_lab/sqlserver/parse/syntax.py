"""Trees of expressions and queries, as `expressions` and `queries` read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = [
    "Assignment",
    "AtTimeZone",
    "Between",
    "Binary",
    "Call",
    "Case",
    "Cast",
    "Collate",
    "Column",
    "CommonTable",
    "Delete",
    "Derived",
    "Exists",
    "Expression",
    "FunctionSource",
    "GlobalVariable",
    "In",
    "Insert",
    "IsNull",
    "Item",
    "Join",
    "Like",
    "Literal",
    "Merge",
    "Ordering",
    "Query",
    "Select",
    "SetOperation",
    "Source",
    "Star",
    "Subquery",
    "TableSource",
    "Unary",
    "Update",
    "Values",
    "VariableReference",
    "Window",
]


class Expression:
    """Base of everything that has a value or a truth."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """None, int, Decimal, float, str or bytes; `national`: N'...'."""

    value: Any
    national: bool = False


@dataclass(frozen=True, slots=True)
class VariableReference(Expression):
    """@name, in lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class GlobalVariable(Expression):
    """@@NAME, without the signs, in upper case."""

    name: str


@dataclass(frozen=True, slots=True)
class Column(Expression):
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Star(Expression):
    """* or alias.*"""

    qualifier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """- + ~ NOT"""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """+ - * / % & | ^ = <> < > <= >= AND OR"""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Ordering:
    expression: Expression
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """OVER (...); `frame`: the words of ROWS or RANGE, "" without."""

    partition: tuple[Expression, ...] = ()
    order: tuple[Ordering, ...] = ()
    frame: str = ""


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function; name in upper case, dots included. `order`: WITHIN GROUP."""

    name: str
    arguments: tuple[Expression, ...] = ()
    distinct: bool = False
    window: Window | None = None
    order: tuple[Ordering, ...] = ()


@dataclass(frozen=True, slots=True)
class Cast(Expression):
    """CAST, CONVERT and their TRY_ forms; type as written."""

    operand: Expression
    type: str
    style: Expression | None = None
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Case(Expression):
    operand: Expression | None
    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None = None


@dataclass(frozen=True, slots=True)
class Subquery(Expression):
    query: Query


@dataclass(frozen=True, slots=True)
class Exists(Expression):
    query: Query


@dataclass(frozen=True, slots=True)
class In(Expression):
    operand: Expression
    choices: tuple[Expression, ...] | Query
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between(Expression):
    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like(Expression):
    operand: Expression
    pattern: Expression
    escape: Expression | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull(Expression):
    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Collate(Expression):
    operand: Expression
    collation: str


@dataclass(frozen=True, slots=True)
class AtTimeZone(Expression):
    operand: Expression
    zone: Expression


# ---- where rows come from


class Source:
    """Base of what stands in FROM."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TableSource(Source):
    """A table, a view, a temporary table (#x) or a table variable (@x)."""

    name: tuple[str, ...]
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Derived(Source):
    query: Query
    alias: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionSource(Source):
    name: tuple[str, ...]
    arguments: tuple[Expression, ...]
    alias: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Join(Source):
    """kind: INNER, LEFT, RIGHT, FULL, CROSS, CROSS APPLY, OUTER APPLY."""

    kind: str
    left: Source
    right: Source
    on: Expression | None = None


# ---- queries


@dataclass(frozen=True, slots=True)
class Item:
    """One column of a SELECT; `variable` with `operator` ("=", "+=" ...) when it assigns."""

    expression: Expression
    alias: str = ""
    variable: str = ""
    operator: str = "="


@dataclass(frozen=True, slots=True)
class Select:
    items: tuple[Item, ...]
    distinct: bool = False
    top: Expression | None = None
    into: tuple[str, ...] = ()
    source: Source | None = None
    where: Expression | None = None
    group: tuple[Expression, ...] = ()
    having: Expression | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """VALUES (...), (...); None in a row: DEFAULT."""

    rows: tuple[tuple[Expression | None, ...], ...]


@dataclass(frozen=True, slots=True)
class SetOperation:
    """operator: UNION, UNION ALL, EXCEPT, INTERSECT."""

    operator: str
    left: Select | SetOperation | Values | Query
    right: Select | SetOperation | Values | Query


@dataclass(frozen=True, slots=True)
class CommonTable:
    name: str
    columns: tuple[str, ...]
    query: Query


@dataclass(frozen=True, slots=True)
class Query:
    """`output`: FOR XML or FOR JSON as written, "" without."""

    body: Select | SetOperation | Values
    common: tuple[CommonTable, ...] = ()
    order: tuple[Ordering, ...] = ()
    offset: Expression | None = None
    fetch: Expression | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Insert:
    """source None: DEFAULT VALUES. `output`: columns of inserted."""

    table: tuple[str, ...]
    columns: tuple[str, ...]
    source: Query | None
    common: tuple[CommonTable, ...] = ()
    output: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """column = value; variable ("@x") in the place of the column, or before it, assigns that too."""

    column: tuple[str, ...]
    value: Expression


@dataclass(frozen=True, slots=True)
class Update:
    table: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    source: Source | None = None
    where: Expression | None = None
    top: Expression | None = None
    common: tuple[CommonTable, ...] = ()
    output: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    table: tuple[str, ...]
    source: Source | None = None
    where: Expression | None = None
    top: Expression | None = None
    common: tuple[CommonTable, ...] = ()
    output: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """Seen, but not modelled."""
