"""Recognisers of variables, control of flow, transactions, procedures and sessions."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import SyntaxFault
from . import ir_language as ir
from . import syntax
from .expressions import condition, expression, expressions, type_name
from .ir import Statement, Value, Variable
from .stream import RESERVED, STARTERS, TokenStream
from .tables import table_definition

__all__ = ["argument_list", "execute", "recognisers"]

Inner = Callable[[TokenStream], Statement]


def recognisers(inner: Inner) -> dict[str, Callable[[TokenStream], Statement]]:
    """First word -> recogniser; `inner` recognises a whole statement (bodies of IF, WHILE, blocks)."""
    return {
        "DECLARE": _declare,
        "SET": _set,
        "IF": lambda stream: _if(stream, inner),
        "WHILE": lambda stream: ir.While(condition=condition(stream), body=inner(stream)),
        "BEGIN": lambda stream: _begin(stream, inner),
        "BREAK": lambda stream: ir.Break(),
        "CONTINUE": lambda stream: ir.Continue(),
        "RETURN": _return,
        "PRINT": lambda stream: ir.Print(expression=expression(stream)),
        "RAISERROR": _raiserror,
        "THROW": _throw,
        "WAITFOR": _waitfor,
        "COMMIT": _commit,
        "ROLLBACK": _rollback,
        "SAVE": _save,
        "EXEC": execute,
        "EXECUTE": execute,
        "USE": lambda stream: ir.Use(database=stream.name()),
        "KILL": _kill,
        "CHECKPOINT": lambda stream: ir.Checkpoint(),
        "RECONFIGURE": _reconfigure,
        "SHUTDOWN": _shutdown,
        "TRUNCATE": _truncate,
        "DBCC": _dbcc,
    }


def _declare(stream: TokenStream) -> Statement:
    found = []
    while True:
        name = stream.variable()
        stream.accept("AS")
        if stream.accept("TABLE"):
            return ir.DeclareTable(name=str(name), definition=table_definition(stream))
        if stream.peek() == "CURSOR":
            stream.fail()
        written = type_name(stream)
        value = expression(stream) if stream.accept("=") else None
        found.append(ir.Declared(str(name), written, value))
        if not stream.accept(","):
            stream.expect_end()
            return ir.Declare(variables=tuple(found))


def _set(stream: TokenStream) -> Statement:
    if stream.current().kind == "variable":
        name = stream.variable()
        sign = stream.expect("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=")
        value = expression(stream)
        stream.expect_end()
        return ir.AssignVariable(
            name=str(name),
            expression=value
            if sign == "="
            else syntax.Binary(sign[0], syntax.VariableReference(str(name).lower()), value),
        )
    if stream.accept_all("TRANSACTION", "ISOLATION", "LEVEL"):
        level = [stream.take().upper]
        if stream.peek() in ("COMMITTED", "UNCOMMITTED", "READ"):
            level.append(stream.take().upper)
        value = " ".join(level)
        if value not in ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SNAPSHOT", "SERIALIZABLE"):
            stream.place -= 1
            stream.fail()
        return ir.SetOption(options=("TRANSACTION ISOLATION LEVEL",), value=value)
    options = [_option_word(stream)]
    if options == ["STATISTICS"]:
        options = [f"STATISTICS {stream.expect('IO', 'TIME', 'XML', 'PROFILE')}"]
    elif options == ["IDENTITY_INSERT"]:
        options = ["IDENTITY_INSERT " + ".".join(stream.dotted_name())]
    while stream.accept(","):
        options.append(_option_word(stream))
    value: Value | None = stream.accept("ON", "OFF")
    if not value:
        value = stream.name() if stream.current().kind == "word" else stream.literal_or_variable()
    stream.expect_end()
    return ir.SetOption(options=tuple(options), value=value)


def _option_word(stream: TokenStream) -> str:
    token = stream.take()
    if token.kind != "word":
        stream.place -= 1
        stream.fail()
    return token.upper


def _if(stream: TokenStream, inner: Inner) -> Statement:
    test = condition(stream)
    then = inner(stream)
    return ir.If(condition=test, then=then, otherwise=inner(stream) if stream.accept("ELSE") else None)


def _body(stream: TokenStream, inner: Inner, *end: str) -> tuple[Statement, ...]:
    found: list[Statement] = []
    while not stream.accept_all(*end):
        if not stream.accept(";"):
            found.append(inner(stream))
    if not found:
        stream.place -= 1
        stream.fail()
    return tuple(found)


def _begin(stream: TokenStream, inner: Inner) -> Statement:
    if stream.accept("TRY"):
        body = _body(stream, inner, "END", "TRY")
        stream.accept(";")
        stream.expect_all("BEGIN", "CATCH")
        handler: list[Statement] = []
        while not stream.accept_all("END", "CATCH"):
            if not stream.accept(";"):
                handler.append(inner(stream))
        return ir.TryCatch(body=body, handler=tuple(handler))
    if stream.peek() in ("TRAN", "TRANSACTION"):
        stream.place += 1
        name = _transaction_name(stream)
        mark: Value | None = None
        if name is not None and stream.accept_all("WITH", "MARK"):
            mark = "" if stream.at_statement_end() else stream.string_or_variable()
        stream.expect_end()
        return ir.BeginTransaction(name=name, mark=mark)
    return ir.Block(body=_body(stream, inner, "END"))


def _transaction_name(stream: TokenStream) -> Value | None:
    return None if stream.at_statement_end() else stream.name_or_variable()


def _commit(stream: TokenStream) -> Statement:
    if stream.accept("WORK") or not stream.accept("TRAN", "TRANSACTION"):
        stream.expect_end()
        return ir.Commit()
    return ir.Commit(name=_transaction_name(stream))


def _rollback(stream: TokenStream) -> Statement:
    if stream.accept("WORK") or not stream.accept("TRAN", "TRANSACTION"):
        stream.expect_end()
        return ir.Rollback()
    return ir.Rollback(name=_transaction_name(stream))


def _save(stream: TokenStream) -> Statement:
    stream.expect("TRAN", "TRANSACTION")
    return ir.Save(name=stream.name_or_variable())


def _return(stream: TokenStream) -> Statement:
    return ir.Return(expression=None if stream.at_statement_end() else expression(stream))


def _raiserror(stream: TokenStream) -> Statement:
    stream.expect("(")
    arguments = expressions(stream)
    stream.expect(")")
    options = set()
    if stream.accept("WITH"):
        options.add(stream.expect("LOG", "NOWAIT", "SETERROR"))
        while stream.accept(","):
            options.add(stream.expect("LOG", "NOWAIT", "SETERROR"))
    if len(arguments) < 3:
        stream.fail()
    return ir.RaiseError(arguments=arguments, options=frozenset(options))


def _throw(stream: TokenStream) -> Statement:
    if stream.unterminated == stream.place - 1:
        stream.place -= 1
        stream.fail()
    if stream.at_statement_end():
        return ir.Throw()
    arguments = expressions(stream)
    if len(arguments) != 3:
        stream.fail()
    return ir.Throw(arguments=arguments)


def _waitfor(stream: TokenStream) -> Statement:
    kind = stream.expect("DELAY", "TIME").lower()
    return ir.WaitFor(kind=kind, value=stream.string_or_variable())


def _kill(stream: TokenStream) -> Statement:
    session = stream.integer_or_variable() if stream.current().kind != "string" else stream.string()
    status_only = bool(stream.accept_all("WITH", "STATUSONLY"))
    stream.expect_end()
    return ir.Kill(session=session, status_only=status_only)


def _reconfigure(stream: TokenStream) -> Statement:
    if stream.accept("WITH"):
        stream.expect("OVERRIDE")
    return ir.Reconfigure()


def _shutdown(stream: TokenStream) -> Statement:
    if stream.accept("WITH"):
        stream.expect("NOWAIT")
    return ir.Shutdown()


def _truncate(stream: TokenStream) -> Statement:
    stream.expect("TABLE")
    return ir.Truncate(table=stream.dotted_name())


def execute(stream: TokenStream) -> Statement:
    """EXEC; the word itself is taken already (or left out, for the first statement of a batch)."""
    if stream.accept("("):
        text = expression(stream)
        stream.expect(")")
        stream.expect_end()
        return ir.ExecuteText(expression=text)
    status = None
    if stream.current().kind == "variable" and stream.peek(1) == "=":
        status = stream.variable()
        stream.expect("=")
    procedure: tuple[Value, ...] = (stream.variable(),) if stream.current().kind == "variable" else stream.dotted_name()
    arguments = argument_list(stream)
    if stream.accept("WITH"):
        stream.expect("RECOMPILE")
    stream.expect_end()
    return ir.ExecuteProcedure(procedure=procedure, arguments=arguments, status=status)


def argument_list(stream: TokenStream) -> tuple[ir.Argument, ...]:
    """@name = value OUTPUT, ...: literals, variables, bare words (strings) and DEFAULT."""
    found: list[ir.Argument] = []
    if stream.at_end or stream.peek() in (";", *STARTERS):
        return ()
    while True:
        name = ""
        if stream.current().kind == "variable" and stream.peek(1) == "=":
            name = str(stream.variable())
            stream.expect("=")
        elif found and found[-1].name:
            stream.fail()
        token = stream.current()
        if token.kind == "name" or (token.kind == "word" and token.upper not in RESERVED) or token.upper == "DEFAULT":
            value = stream.take().value  # a bare word is a string
        else:
            value = stream.literal_or_variable()
        output = bool(stream.accept("OUTPUT", "OUT"))
        if output and not isinstance(value, Variable):
            raise SyntaxFault(
                179,
                "Cannot use the OUTPUT option when passing a constant to a stored procedure.",
                line=stream.tokens[stream.place - 1].line,
            )
        found.append(ir.Argument(name, value, output))
        if not stream.accept(","):
            return tuple(found)


def _dbcc(stream: TokenStream) -> Statement:
    command = _option_word(stream)
    arguments = []
    if stream.accept("(") and not stream.accept(")"):
        while True:
            token = stream.current()
            arguments.append(stream.take().value if token.kind in ("word", "name") else stream.literal_or_variable())
            if not stream.accept(","):
                break
        stream.expect(")")
    options = set()
    if stream.accept("WITH"):
        while True:
            options.add(_option_word(stream))
            if stream.accept("="):
                stream.integer_or_variable()
            if not stream.accept(","):
                break
    stream.expect_end()
    return ir.Dbcc(command=command, arguments=tuple(arguments), options=frozenset(options))
