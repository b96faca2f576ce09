"""Statements of the language itself: queries, variables, control of flow, transactions, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import syntax
from .ir import Statement, Value, Variable
from .syntax import Expression
from .tables import TableDefinition

__all__ = [
    "Argument",
    "AssignVariable",
    "BeginTransaction",
    "Block",
    "Break",
    "Checkpoint",
    "Commit",
    "Continue",
    "Dbcc",
    "Declare",
    "DeclareTable",
    "Declared",
    "ExecuteProcedure",
    "ExecuteText",
    "If",
    "InsertExecute",
    "Kill",
    "Print",
    "Query",
    "RaiseError",
    "Reconfigure",
    "Return",
    "Rollback",
    "Save",
    "SetOption",
    "Shutdown",
    "Throw",
    "Truncate",
    "TryCatch",
    "Use",
    "WaitFor",
    "While",
]


@dataclass(frozen=True, kw_only=True)
class Query(Statement):
    """SELECT, INSERT, UPDATE, DELETE, MERGE, also behind WITH; `verb` is the one that counts, in upper case."""

    verb: str
    tree: syntax.Query | syntax.Insert | syntax.Update | syntax.Delete | syntax.Merge


@dataclass(frozen=True)
class Argument:
    """One argument of EXEC; value None: NULL, DEFAULT_ARGUMENT for the word DEFAULT."""

    name: str
    value: Any
    output: bool = False


@dataclass(frozen=True, kw_only=True)
class ExecuteProcedure(Statement):
    """EXEC [@status =] procedure arguments; `procedure` may be a Variable."""

    procedure: tuple[Value, ...]
    arguments: tuple[Argument, ...] = ()
    status: Variable | None = None


@dataclass(frozen=True, kw_only=True)
class ExecuteText(Statement):
    """EXEC ('...')."""

    expression: Expression


@dataclass(frozen=True, kw_only=True)
class InsertExecute(Statement):
    """INSERT [INTO] target [(columns)] EXEC ..."""

    target: tuple[str, ...]
    columns: tuple[str, ...]
    execute: Statement


@dataclass(frozen=True, kw_only=True)
class Truncate(Statement):
    table: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """One variable of a DECLARE; `type` as it was written."""

    name: str
    type: str
    value: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Declare(Statement):
    variables: tuple[Declared, ...]


@dataclass(frozen=True, kw_only=True)
class DeclareTable(Statement):
    """DECLARE @name TABLE (...)."""

    name: str
    definition: TableDefinition


@dataclass(frozen=True, kw_only=True)
class AssignVariable(Statement):
    """SET @name = expression (compound operators are written out)."""

    name: str
    expression: Expression


@dataclass(frozen=True, kw_only=True)
class SetOption(Statement):
    """SET option ON | OFF | value; options and ON/OFF in upper case."""

    options: tuple[str, ...]
    value: Any


@dataclass(frozen=True, kw_only=True)
class If(Statement):
    condition: Expression
    then: Statement
    otherwise: Statement | None = None


@dataclass(frozen=True, kw_only=True)
class While(Statement):
    condition: Expression
    body: Statement


@dataclass(frozen=True, kw_only=True)
class Block(Statement):
    body: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True)
class TryCatch(Statement):
    body: tuple[Statement, ...]
    handler: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True)
class Break(Statement):
    pass


@dataclass(frozen=True, kw_only=True)
class Continue(Statement):
    pass


@dataclass(frozen=True, kw_only=True)
class Return(Statement):
    expression: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Print(Statement):
    expression: Expression


@dataclass(frozen=True, kw_only=True)
class RaiseError(Statement):
    arguments: tuple[Expression, ...]
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Throw(Statement):
    """No arguments: again what was caught."""

    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WaitFor(Statement):
    """kind: delay or time."""

    kind: str
    value: Value


@dataclass(frozen=True, kw_only=True)
class BeginTransaction(Statement):
    """mark: None without WITH MARK, "" for a mark without a description."""

    name: Value | None = None
    mark: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Commit(Statement):
    name: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Rollback(Statement):
    name: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Save(Statement):
    name: Value


@dataclass(frozen=True, kw_only=True)
class Use(Statement):
    database: str


@dataclass(frozen=True, kw_only=True)
class Kill(Statement):
    session: Value
    status_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Statement):
    pass


@dataclass(frozen=True, kw_only=True)
class Reconfigure(Statement):
    pass


@dataclass(frozen=True, kw_only=True)
class Shutdown(Statement):
    pass


@dataclass(frozen=True, kw_only=True)
class Dbcc(Statement):
    """DBCC command (arguments) WITH options; command and options in upper case."""

    command: str
    arguments: tuple[Any, ...] = ()
    options: frozenset[str] = frozenset()
