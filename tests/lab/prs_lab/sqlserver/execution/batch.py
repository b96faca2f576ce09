"""Runs the statements of a batch: variables, control of flow, errors and what they end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import SqlError, Unmodelled
from ..parse import ir_language as ir
from ..parse import syntax
from ..parse.ir import Statement, resolve
from ..parse.parser import parse
from ..query.change import ChangeCompiler
from ..query.fragments import Names
from ..query.select import Compiled
from ..query.values import convert, to_storage
from ..types import SqlType
from ..wire.items import Cols, Done, Flush, Info, Item
from .registry import EXECUTORS

__all__ = ["Batch", "BreakLoop", "ContinueLoop", "ReturnFromBatch"]

_SILENT = (
    ir.Declare,
    ir.DeclareTable,
    ir.AssignVariable,
    ir.If,
    ir.While,
    ir.Block,
    ir.TryCatch,
    ir.Return,
    ir.Break,
    ir.Continue,
)
"""Statements without a DONE of their own."""
_AS_WRITTEN = (*_SILENT, ir.ExecuteProcedure, ir.InsertExecute, ir.ExecuteText, ir.Query)
"""Statements that look up their variables themselves."""
_COUNT_NOTHING = (ir.SetOption, ir.Use, ir.Print, ir.RaiseError, ir.BeginTransaction, ir.Commit)
"""Statements that set @@ROWCOUNT to 0."""
_ENDS_BATCH = {102, 137, 156, 207, 208, 241, 242, 245, 248, 1205, 1087, 2628, 3609, 4104, 8114, 8169}
_ROLLS_BACK = {241, 242, 245, 248, 1205, 8169}


class _EndOfBatch(Exception):
    """An error ended the batch; it was reported already."""


class ReturnFromBatch(Exception):
    """RETURN; args: the value."""


class BreakLoop(Exception):
    """BREAK."""


class ContinueLoop(Exception):
    """CONTINUE."""


class Batch:
    """One scope of variables. `types` and `values` by name in lower case, "@" included; values as SQLite stores them."""

    def __init__(
        self,
        session: Any,
        *,
        types: dict[str, SqlType] | None = None,
        values: dict[str, Any] | None = None,
        depth: int = 0,
    ) -> None:
        self.session = session
        self.instance = session.instance
        self.workspace = session.workspace
        self.types = types or {}
        self.values = values or {}
        self.depth = depth
        self.in_try = False
        self.return_value: int = 0

    # ---- running
    def text(self, text: str) -> Iterator[Item]:
        """A whole batch as it came from the client, or from EXEC. Raises SqlError only inside TRY, or when nothing of
        it ran.
        """
        self.instance.recorded(self.session, text)
        drop = self.instance.faults.before(self.session, text)
        if drop is not None:
            yield from drop
        yield from self.run(parse(text))

    def run(self, statements: Iterable[Statement]) -> Iterator[Item]:
        """Statements to their end; RETURN and errors that end the batch stop it."""
        try:
            yield from self.sequence(statements)
        except (_EndOfBatch, ReturnFromBatch):
            pass

    def sequence(self, statements: Iterable[Statement]) -> Iterator[Item]:
        for statement in statements:
            self.session.check()
            try:
                yield from self._one(statement)
            except SqlError as error:
                error.line = error.line or statement.line
                if self.in_try and not error.fatal:
                    raise
                yield from self.session.failed(error, statement.text, statement.line)
                yield Done()
                if error.fatal:
                    raise
                aborts = (
                    error.number in _ENDS_BATCH
                    or error.batch
                    or isinstance(error, Unmodelled)
                    or self.session.xact_abort
                )
                if aborts:
                    if self.session.transaction_count and (error.number in _ROLLS_BACK or self.session.xact_abort):
                        yield from self.session.end_transaction(commit=False)
                    raise _EndOfBatch from None

    def _one(self, statement: Statement) -> Iterator[Item]:
        executor = EXECUTORS.get(type(statement))
        if executor is None:
            raise Unmodelled(f"{type(statement).__name__}: {statement.text[:200]}")
        self.session.progress.command = statement.text.split(None, 1)[0].upper()[:32] if statement.text else ""
        last: Item | None = None
        plain = statement if isinstance(statement, _AS_WRITTEN) else resolve(statement, self.variable)
        for item in executor(self, plain):
            yield item
            last = item
        if not isinstance(statement, _SILENT):
            self.session.error_number = 0
            if isinstance(statement, _COUNT_NOTHING):
                self.session.row_count = 0
            if not isinstance(last, Done | Flush):
                yield Done()
            if self.session.transaction_count == 0:
                self.workspace.release()

    # ---- variables and expressions
    def variable(self, name: str) -> Any:
        """The value of a variable. Raises 137."""
        if str(name).startswith("@@"):
            return self.evaluate(syntax.GlobalVariable(str(name)[2:].upper()))
        key = str(name).lower()
        if key not in self.types:
            raise SqlError(137, f'Must declare the scalar variable "{name}".', severity=15, state=2)
        return self.values.get(key)

    def declare(self, name: str, kind: SqlType) -> None:
        """Raises 134 when there is one of that name."""
        key = name.lower()
        if key in self.types:
            raise SqlError(
                134,
                f"The variable name '{name}' has already been declared. Variable names must be unique within a "
                "query batch or stored procedure.",
                severity=15,
            )
        self.types[key], self.values[key] = kind, None

    def assign(self, name: str, value: Any, source: SqlType | None = None) -> None:
        """Raises 137 and the errors of conversion."""
        key = name.lower()
        if key not in self.types:
            raise SqlError(137, f'Must declare the scalar variable "{name}".', severity=15)
        self.values[key] = convert(value, self.types[key], source=source, dayfirst=self.session.dayfirst)

    def compiler(self) -> ChangeCompiler:
        compiler = ChangeCompiler(self.workspace, self.types)
        compiler.identity_insert = self.session.identity_insert
        return compiler

    def bound(self, compiler: ChangeCompiler) -> dict[str, Any]:
        """The values of the variables that a compiled statement uses."""
        return {f"v_{name[1:].encode().hex()}": self.values.get(name) for name in compiler.parameters}

    def typed(self, node: syntax.Expression) -> tuple[Any, SqlType | None]:
        """The stored value of an expression, and its type."""
        if isinstance(node, syntax.Literal) and not isinstance(node.value, float):
            compiled = self.compiler().expression(node, Names())
            return to_storage(node.value), compiled.type
        if isinstance(node, syntax.VariableReference):
            return self.variable(node.name), self.types[node.name]
        compiler = self.compiler()
        fragment = compiler.expression(node, Names())
        self.check_rights(compiler)
        return self.workspace.read(f"SELECT {fragment.sql}", self.bound(compiler))[0][0], fragment.type

    def evaluate(self, node: syntax.Expression) -> Any:
        return self.typed(node)[0]

    def truth(self, node: syntax.Expression) -> bool:
        compiler = self.compiler()
        fragment = compiler.expression(node, Names())
        self.check_rights(compiler)
        return bool(
            self.workspace.read(f"SELECT CASE WHEN {fragment.sql} THEN 1 ELSE 0 END", self.bound(compiler))[0][0]
        )

    def check_rights(self, compiler: ChangeCompiler) -> None:
        """Raises 229 when a right to a table is missing, and 824 when a page of one is damaged."""
        everything = self.session.is_sysadmin()
        for relation, right in compiler.uses:
            if not relation.checked or relation.database is None:
                continue
            relation.database.check_pages({f"{relation.schema}.{relation.name}"})
            if everything or self.workspace.access(relation.database).may_on(right, relation.schema, relation.name):
                continue
            raise SqlError(
                229,
                f"The {right} permission was denied on the object '{relation.name}', database "
                f"'{relation.database.name}', schema '{relation.schema}'.",
                severity=14,
                state=5,
            )

    def compile(self, tree: Any) -> tuple[Compiled, dict[str, Any]]:
        """A query, ready to run; rights are checked."""
        compiler = self.compiler()
        compiled = compiler.statement(tree)
        self.check_rights(compiler)
        return compiled, self.bound(compiler)

    # ---- for executors
    def count(self, rows: int) -> Done:
        """DONE with the count of rows, unless SET NOCOUNT ON."""
        self.session.row_count = rows
        return Done(None if self.session.nocount else rows)

    def result(self, columns: list[tuple[str, str]], rows: list[tuple[Any, ...]]) -> Iterator[Item]:
        """A result set of plain Python values."""
        from ..wire.items import Rows

        yield Cols(columns)
        yield Rows(rows)
        yield self.count(len(rows))

    def message(self, text: str, number: int = 0, severity: int = 0) -> Info:
        return Info(number, text, 1, severity)

    def nested(
        self, text: str, *, types: dict[str, SqlType] | None = None, values: dict[str, Any] | None = None
    ) -> Batch:
        """A scope for EXEC ('...') and sp_executesql."""
        if self.depth >= 32:
            raise SqlError(
                217, "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32)."
            )
        inner = Batch(self.session, types=types, values=values, depth=self.depth + 1)
        inner.in_try = self.in_try
        return inner
