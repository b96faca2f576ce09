"""Variables, control of flow, messages, transactions."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from ..errors import SqlError, Unmodelled
from ..parse import ir_language as ir
from ..query.values import convert
from ..types import SqlType, sql_type
from ..wire.items import Done, Flush, Info, Item
from .batch import Batch, BreakLoop, ContinueLoop, ReturnFromBatch
from .registry import executes
from .tables import table_columns

__all__: list[str] = []


@executes(ir.Declare)
def _declare(batch: Batch, statement: ir.Declare) -> Iterator[Item]:
    for declared in statement.variables:
        batch.declare(declared.name, sql_type(declared.type))
        if declared.value is not None:
            batch.assign(declared.name, *batch.typed(declared.value))
    yield from ()


@executes(ir.DeclareTable)
def _declare_table(batch: Batch, statement: ir.DeclareTable) -> Iterator[Item]:
    made = table_columns(batch, statement.definition)
    batch.workspace.temporary(statement.name, made.types, made.sql, identity=made.identity, not_null=made.not_null)
    yield from ()


@executes(ir.AssignVariable)
def _assign(batch: Batch, statement: ir.AssignVariable) -> Iterator[Item]:
    batch.assign(statement.name, *batch.typed(statement.expression))
    yield from ()


@executes(ir.If)
def _if(batch: Batch, statement: ir.If) -> Iterator[Item]:
    if batch.truth(statement.condition):
        yield from batch.sequence([statement.then])
    elif statement.otherwise is not None:
        yield from batch.sequence([statement.otherwise])


@executes(ir.While)
def _while(batch: Batch, statement: ir.While) -> Iterator[Item]:
    while batch.truth(statement.condition):
        batch.session.check()
        try:
            yield from batch.sequence([statement.body])
        except BreakLoop:
            break
        except ContinueLoop:
            continue


@executes(ir.Block)
def _block(batch: Batch, statement: ir.Block) -> Iterator[Item]:
    yield from batch.sequence(statement.body)


@executes(ir.Break)
def _break(batch: Batch, statement: ir.Break) -> Iterator[Item]:
    raise BreakLoop
    yield


@executes(ir.Continue)
def _continue(batch: Batch, statement: ir.Continue) -> Iterator[Item]:
    raise ContinueLoop
    yield


@executes(ir.Return)
def _return(batch: Batch, statement: ir.Return) -> Iterator[Item]:
    if statement.expression is not None:
        batch.return_value = int(batch.evaluate(statement.expression) or 0)
    raise ReturnFromBatch
    yield


@executes(ir.TryCatch)
def _try(batch: Batch, statement: ir.TryCatch) -> Iterator[Item]:
    session, outside = batch.session, batch.in_try
    batch.in_try = True
    try:
        yield from batch.sequence(statement.body)
        return
    except SqlError as error:
        if error.fatal or isinstance(error, Unmodelled):
            raise
        caught = error.follow[-1] if error.follow else error  # CATCH sees the last of 3201 and 3013
        caught.line = caught.line or error.line
        if session.xact_abort and session.transaction_count:
            session.doomed = True
    finally:
        batch.in_try = outside
    before, session.caught = session.caught, caught
    session.error_number = caught.number
    try:
        yield from batch.sequence(statement.handler)
    finally:
        session.caught = before


@executes(ir.Print)
def _print(batch: Batch, statement: ir.Print) -> Iterator[Item]:
    value, kind = batch.typed(statement.expression)
    if kind is not None and value is not None and not kind.is_text:
        value = convert(value, SqlType("nvarchar", 4000), source=kind)
    yield Info(0, " " if value is None else str(value)[:4000], 1, 0, statement.line)
    yield Done(None, 0xF7)


@executes(ir.RaiseError)
def _raiserror(batch: Batch, statement: ir.RaiseError) -> Iterator[Item]:
    message, severity, state, *rest = (batch.evaluate(argument) for argument in statement.arguments)
    severity, state = int(severity), max(0, min(int(state), 255))
    number = 50000
    if isinstance(message, int):
        raise SqlError(
            18054,
            f"Error {message}, severity {severity}, state {state} was raised, but no message with that error number "
            "was found in "
            "sys.messages.",
        )
    text = _formatted(str(message or ""), rest)
    if severity > 18 and not batch.session.is_sysadmin():
        raise SqlError(
            2754,
            "Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the "
            "WITH LOG option.",
        )
    if severity > 10:
        raise SqlError(number, text, state=state, severity=severity, line=statement.line)
    yield Info(number if severity else 50000, text, state, severity, statement.line)
    yield Done(None, 0xF6)
    if "NOWAIT" in statement.options:
        yield Flush()


def _formatted(text: str, values: list[object]) -> str:
    left = list(values)

    def one(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if not left:
            return "(null)"
        value = left.pop(0)
        flags = match[1]
        if value is None:
            return "(null)"
        try:
            letter = "d" if match[2] in "diu" else match[2]
            return f"%{flags}{letter}" % (int(value) if letter in "doxX" else str(value))
        except (TypeError, ValueError):
            raise SqlError(
                2786,
                "The data type of substitution parameter does not match the expected type of the format specification.",
            ) from None

    return re.sub(r"%%|%([-+0 #]*\d*(?:\.\d+)?)(?:I64|h|l)?([diuoxXs])", one, text)[:2047]


@executes(ir.Throw)
def _throw(batch: Batch, statement: ir.Throw) -> Iterator[Item]:
    if not statement.arguments:
        caught = batch.session.caught
        if caught is None:
            raise SqlError(
                10704,
                "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW "
                "statement inside a CATCH block, or "
                "add error parameters to the THROW statement.",
                severity=15,
            )
        raise SqlError(
            caught.number, caught.text, state=caught.state, severity=caught.severity, line=caught.line, batch=True
        )
    number, text, state = (batch.evaluate(argument) for argument in statement.arguments)
    if int(number) < 50000:
        raise SqlError(
            35100,
            f"Error number {number} in the THROW statement is outside the valid range. Specify an error number in "
            "the valid range of 50000 to "
            "2147483647.",
        )
    raise SqlError(int(number), str(text), state=int(state), line=statement.line, batch=True)
    yield


@executes(ir.WaitFor)
def _waitfor(batch: Batch, statement: ir.WaitFor) -> Iterator[Item]:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?", str(statement.value).strip())
    if match is None or int(match[1]) > 23:
        raise SqlError(148, f"Incorrect time syntax in time string '{statement.value}' used with WAITFOR.", severity=15)
    asked = dt.timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=float(f"{match[3] or 0}.{match[4] or 0}"))
    if statement.kind == "time":
        now = batch.instance.now()
        asked = (now.replace(hour=0, minute=0, second=0, microsecond=0) + asked - now) % dt.timedelta(days=1)
    batch.session.pause(asked.total_seconds())
    yield Done()


# ---- transactions


@executes(ir.BeginTransaction)
def _begin(batch: Batch, statement: ir.BeginTransaction) -> Iterator[Item]:
    mark = (str(statement.name or ""), str(statement.mark)) if statement.mark is not None else None
    yield from batch.session.begin_transaction(mark=mark)
    yield Done(None, 0xD4)


@executes(ir.Commit)
def _commit(batch: Batch, statement: ir.Commit) -> Iterator[Item]:
    session = batch.session
    if not session.transaction_count:
        raise SqlError(3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    if session.doomed:
        raise SqlError(
            3930,
            "The current transaction cannot be committed and cannot support operations that write to the log file. "
            "Roll back the transaction.",
        )
    yield from session.end_transaction(commit=True)
    yield Done(None, 0xD5)


@executes(ir.Rollback)
def _rollback(batch: Batch, statement: ir.Rollback) -> Iterator[Item]:
    session = batch.session
    if not session.transaction_count:
        raise SqlError(3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    name = str(statement.name or "")
    if name and name in session.options.get("savepoints", ()):
        batch.workspace.rollback_to(name)
    else:
        session.options.pop("savepoints", None)
        yield from session.end_transaction(commit=False)
    yield Done(None, 0xD2)


@executes(ir.Save)
def _save(batch: Batch, statement: ir.Save) -> Iterator[Item]:
    if not batch.session.transaction_count:
        raise SqlError(628, "Cannot issue SAVE TRANSACTION when there is no active transaction.")
    batch.workspace.save(str(statement.name))
    batch.session.options.setdefault("savepoints", set()).add(str(statement.name))
    yield Done()


# ---- SET


@executes(ir.SetOption)
def _set(batch: Batch, statement: ir.SetOption) -> Iterator[Item]:
    session = batch.session
    for option in statement.options:
        value = statement.value
        if option == "NOCOUNT":
            session.nocount = value == "ON"
        elif option == "XACT_ABORT":
            session.xact_abort = value == "ON"
        elif option == "IMPLICIT_TRANSACTIONS":
            session.implicit = value == "ON"
        elif option == "LOCK_TIMEOUT":
            session.lock_timeout = int(value)
        elif option == "LANGUAGE":
            session.language = str(value)
        elif option == "DATEFORMAT":
            session.options[option] = str(value).lower()
        elif option.startswith("IDENTITY_INSERT "):
            relation = batch.workspace.resolve(tuple(option.split(" ", 1)[1].split(".")))
            session.identity_insert = relation.full_name.lower() if value == "ON" else ""
        elif option in ("FMTONLY", "ROWCOUNT") and str(value) in ("OFF", "0"):
            session.options.pop(option, None)
        elif option in _HARMLESS:
            session.options[option] = value
        else:
            raise Unmodelled(f"SET {option} {value}")
    yield Done(None, 0xF9)


_HARMLESS = frozenset(
    """ANSI_NULLS ANSI_PADDING ANSI_WARNINGS ANSI_DEFAULTS ANSI_NULL_DFLT_ON ANSI_NULL_DFLT_OFF ARITHABORT ARITHIGNORE CONCAT_NULL_YIELDS_NULL
    CURSOR_CLOSE_ON_COMMIT DATEFIRST DEADLOCK_PRIORITY NO_BROWSETABLE NUMERIC_ROUNDABORT QUOTED_IDENTIFIER TEXTSIZE STATISTICS
    FORCEPLAN CONTEXT_INFO""".split()  # noqa: SIM905
) | {"TRANSACTION ISOLATION LEVEL", "STATISTICS IO", "STATISTICS TIME"}


@executes(ir.ExecuteText)
def _execute_text(batch: Batch, statement: ir.ExecuteText) -> Iterator[Item]:
    text = batch.evaluate(statement.expression)
    if text:
        yield from batch.nested(text).text(str(text))


@executes(ir.ExecuteProcedure)
def _execute_procedure(batch: Batch, statement: ir.ExecuteProcedure) -> Iterator[Item]:
    from .procedures import execute_procedure

    yield from execute_procedure(batch, statement)
