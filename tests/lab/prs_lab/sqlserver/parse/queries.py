"""Reads SELECT, INSERT, UPDATE and DELETE; of MERGE only where it ends."""

from __future__ import annotations

from ..errors import SyntaxFault
from . import ir_language as ir
from . import syntax
from .expressions import condition, expression, expressions, orderings
from .ir import Statement
from .stream import RESERVED, TokenStream

__all__ = ["query", "query_expression"]

_HINTS = frozenset(
    (
        "NOLOCK",
        "READUNCOMMITTED",
        "READPAST",
        "HOLDLOCK",
        "UPDLOCK",
        "TABLOCK",
        "TABLOCKX",
        "ROWLOCK",
        "XLOCK",
        "SERIALIZABLE",
        "NOWAIT",
    )
)


def query(stream: TokenStream, verb: str) -> Statement:
    """A statement whose first word or bracket is `verb`, already taken."""
    common: tuple[syntax.CommonTable, ...] = ()
    if verb == "WITH":
        common = _common_tables(stream)
        verb = stream.peek()
        if verb in ("INSERT", "UPDATE", "DELETE", "MERGE"):
            stream.place += 1
    if verb == "INSERT":
        found = _insert(stream, common)
        if isinstance(found, Statement):
            return found
    elif verb == "UPDATE":
        found = _update(stream, common)
    elif verb == "DELETE":
        found = _delete(stream, common)
    elif verb == "MERGE":
        return _merge(stream)
    else:
        if not common:
            stream.place -= 1
        found = query_expression(stream, common)
        verb = "SELECT"
    _query_hints(stream)
    stream.expect_end()
    return ir.Query(verb=verb, tree=found)


def query_expression(stream: TokenStream, common: tuple[syntax.CommonTable, ...] = ()) -> syntax.Query:
    """[WITH ...] SELECT ... [UNION ...] [ORDER BY ...] [OFFSET ... FETCH ...] [FOR XML | JSON ...]"""
    if not common and stream.accept("WITH"):
        common = _common_tables(stream)
    body = _term(stream)
    while operator := stream.accept("UNION", "EXCEPT"):
        if operator == "UNION" and stream.accept("ALL"):
            operator = "UNION ALL"
        body = syntax.SetOperation(operator, body, _term(stream))
    order: tuple[syntax.Ordering, ...] = ()
    offset = fetch = None
    if stream.accept("ORDER"):
        stream.expect("BY")
        order = orderings(stream)
        if stream.accept("OFFSET"):
            offset = expression(stream)
            stream.expect("ROW", "ROWS")
            if stream.accept("FETCH"):
                stream.expect("FIRST", "NEXT")
                fetch = expression(stream)
                stream.expect("ROW", "ROWS")
                stream.expect("ONLY")
    output = ""
    if stream.peek() == "FOR" and stream.peek(1) in ("XML", "JSON"):
        first = stream.place
        while not (stream.at_end or stream.peek() in (";", ")", "OPTION")):
            stream.parenthesised() if stream.peek() == "(" else stream.take()
        output = stream.source(first)
    return syntax.Query(body, common, order, offset, fetch, output)


def _term(stream: TokenStream) -> syntax.Select | syntax.SetOperation | syntax.Query:
    left = _operand(stream)
    while stream.accept("INTERSECT"):
        left = syntax.SetOperation("INTERSECT", left, _operand(stream))
    return left


def _operand(stream: TokenStream) -> syntax.Select | syntax.Query:
    if stream.accept("("):
        inner = query_expression(stream)
        stream.expect(")")
        return inner
    stream.expect("SELECT")
    return _select(stream)


def _common_tables(stream: TokenStream) -> tuple[syntax.CommonTable, ...]:
    found = []
    while True:
        name = stream.name()
        columns = _names(stream) if stream.peek() == "(" else ()
        stream.expect("AS")
        stream.expect("(")
        found.append(syntax.CommonTable(name, columns, query_expression(stream)))
        stream.expect(")")
        if not stream.accept(","):
            return tuple(found)


def _names(stream: TokenStream) -> tuple[str, ...]:
    stream.expect("(")
    found = [stream.name()]
    while stream.accept(","):
        found.append(stream.name())
    stream.expect(")")
    return tuple(found)


def _top(stream: TokenStream) -> syntax.Expression | None:
    if not stream.accept("TOP"):
        return None
    if stream.accept("("):
        value = expression(stream)
        stream.expect(")")
    elif stream.current().kind == "number":
        value = syntax.Literal(stream.take().value)
    else:
        stream.fail()
    if stream.peek() in ("PERCENT", "WITH"):
        stream.fail()
    return value


def _select(stream: TokenStream) -> syntax.Select:
    distinct = bool(stream.accept("DISTINCT"))
    stream.accept("ALL")
    top = _top(stream)
    items = [_item(stream)]
    while stream.accept(","):
        items.append(_item(stream))
    into = _table_name(stream) if stream.accept("INTO") else ()
    source = _sources(stream) if stream.accept("FROM") else None
    where = condition(stream) if stream.accept("WHERE") else None
    group: tuple[syntax.Expression, ...] = ()
    if stream.accept("GROUP"):
        stream.expect("BY")
        group = expressions(stream)
    having = condition(stream) if stream.accept("HAVING") else None
    return syntax.Select(tuple(items), distinct, top, into, source, where, group, having)


def _item(stream: TokenStream) -> syntax.Item:
    if stream.accept("*"):
        return syntax.Item(syntax.Star())
    token = stream.current()
    if (
        token.kind == "variable"
        and not token.text.startswith("@@")
        and stream.peek(1) in ("=", "+=", "-=", "*=", "/=", "%=")
    ):
        name = str(stream.variable()).lower()
        operator = stream.take().upper
        return syntax.Item(expression(stream), variable=name, operator=operator)
    if stream.peek(1) == "=" and (
        token.kind in ("name", "string") or (token.kind == "word" and token.upper not in RESERVED)
    ):
        alias = stream.take().value
        stream.expect("=")
        return syntax.Item(expression(stream), alias)
    value = expression(stream)
    return syntax.Item(value, _alias(stream, strings=True))


def _alias(stream: TokenStream, *, strings: bool = False) -> str:
    if stream.accept("AS"):
        return stream.string() if strings and stream.current().kind == "string" else stream.name()
    if stream.at_end:
        return ""
    token = stream.current()
    if token.kind == "name" or (
        token.kind == "word"
        and token.upper not in RESERVED
        and token.upper not in ("OUTPUT", "OFFSET", "OVER", "THROW")
    ):
        return stream.name()
    return stream.string() if strings and token.kind == "string" else ""


def _table_name(stream: TokenStream) -> tuple[str, ...]:
    if stream.current().kind == "variable":
        return (str(stream.variable()).lower(),)
    return stream.dotted_name()


def _sources(stream: TokenStream) -> syntax.Source:
    left = _joined(stream)
    while stream.accept(","):
        left = syntax.Join("CROSS", left, _joined(stream))
    return left


def _joined(stream: TokenStream) -> syntax.Source:
    left = _source(stream)
    while True:
        if stream.accept_all("CROSS", "JOIN"):
            left = syntax.Join("CROSS", left, _source(stream))
        elif stream.accept_all("CROSS", "APPLY"):
            left = syntax.Join("CROSS APPLY", left, _source(stream))
        elif stream.accept_all("OUTER", "APPLY"):
            left = syntax.Join("OUTER APPLY", left, _source(stream))
        elif kind := stream.accept("JOIN", "INNER", "LEFT", "RIGHT", "FULL"):
            if kind in ("LEFT", "RIGHT", "FULL"):
                stream.accept("OUTER")
            if kind != "JOIN":
                stream.expect("JOIN")
            right = _source(stream)
            # a nested join closes its own ON first: a JOIN b JOIN c ON ... ON ...
            while stream.peek() in ("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"):
                right = _nested(stream, right)
            stream.expect("ON")
            left = syntax.Join("INNER" if kind == "JOIN" else kind, left, right, condition(stream))
        else:
            return left


def _nested(stream: TokenStream, left: syntax.Source) -> syntax.Source:
    kind = stream.expect("JOIN", "INNER", "LEFT", "RIGHT", "FULL")
    if kind in ("LEFT", "RIGHT", "FULL"):
        stream.accept("OUTER")
    if kind != "JOIN":
        stream.expect("JOIN")
    right = _source(stream)
    stream.expect("ON")
    return syntax.Join("INNER" if kind == "JOIN" else kind, left, right, condition(stream))


def _source(stream: TokenStream) -> syntax.Source:
    if stream.accept("("):
        if stream.peek() in ("SELECT", "WITH"):
            inner: syntax.Query = query_expression(stream)
        elif stream.accept("VALUES"):
            inner = syntax.Query(_values(stream))
        else:
            source = _sources(stream)
            stream.expect(")")
            return source
        stream.expect(")")
        alias = _alias(stream)
        if not alias:
            stream.fail()
        return syntax.Derived(inner, alias, _names(stream) if stream.peek() == "(" else ())
    if stream.accept("OPENROWSET"):
        return _bulk(stream)
    name = _table_name(stream)
    if stream.peek() == "(" and not name[0].startswith("@") and stream.peek(1) not in _HINTS:
        stream.expect("(")
        arguments = () if stream.peek() == ")" else expressions(stream)
        stream.expect(")")
        alias = _alias(stream)
        return syntax.FunctionSource(name, arguments, alias, _names(stream) if alias and stream.peek() == "(" else ())
    alias = _alias(stream)
    if stream.accept("WITH") or (stream.peek() == "(" and stream.peek(1) in _HINTS):
        _hints(stream)
    return syntax.TableSource(name, alias)


def _bulk(stream: TokenStream) -> syntax.FunctionSource:
    """OPENROWSET(BULK 'file', SINGLE_BLOB) AS name; none of its other forms."""
    stream.expect("(")
    stream.expect("BULK")
    file = syntax.Literal(stream.string())
    stream.expect(",")
    stream.expect("SINGLE_BLOB")
    stream.expect(")")
    alias = _alias(stream)
    if not alias:
        raise SyntaxFault(491, "A correlation name must be specified for the bulk rowset in the from clause.")
    return syntax.FunctionSource(("OPENROWSET",), (file,), alias)


def _hints(stream: TokenStream) -> None:
    stream.expect("(")
    stream.expect(*_HINTS)
    while stream.accept(","):
        stream.expect(*_HINTS)
    stream.expect(")")


def _query_hints(stream: TokenStream) -> None:
    if not stream.accept("OPTION"):
        return
    stream.expect("(")
    while True:
        word = stream.expect(
            "RECOMPILE", "MAXDOP", "FORCE", "LOOP", "HASH", "MERGE", "FAST", "MAXRECURSION", "OPTIMIZE"
        )
        if word in ("MAXDOP", "FAST", "MAXRECURSION"):
            stream.integer_or_variable()
        elif word == "FORCE":
            stream.expect("ORDER")
        elif word == "OPTIMIZE":
            stream.expect_all("FOR", "UNKNOWN")
        elif word != "RECOMPILE":
            stream.expect("JOIN")
        if not stream.accept(","):
            break
    stream.expect(")")


def _values(stream: TokenStream) -> syntax.Values:
    rows = []
    while True:
        stream.expect("(")
        row = [_value(stream)]
        while stream.accept(","):
            row.append(_value(stream))
        stream.expect(")")
        if rows and len(row) != len(rows[0]):
            raise SyntaxFault(
                10709, "The number of columns for each row in a table value constructor must be the same."
            )
        rows.append(tuple(row))
        if not stream.accept(","):
            return syntax.Values(tuple(rows))


def _value(stream: TokenStream) -> syntax.Expression | None:
    return None if stream.accept("DEFAULT") else expression(stream)


def _output(stream: TokenStream) -> tuple[syntax.Item, ...]:
    if not stream.accept("OUTPUT"):
        return ()
    items = [_item(stream)]
    while stream.accept(","):
        items.append(_item(stream))
    if stream.peek() == "INTO":
        stream.fail()
    return tuple(items)


def _insert(stream: TokenStream, common: tuple[syntax.CommonTable, ...]) -> syntax.Insert | Statement:
    from .language import execute

    stream.accept("INTO")
    table = _table_name(stream)
    if stream.accept("WITH"):
        _hints(stream)
    columns = _names(stream) if stream.peek() == "(" and stream.peek(1) not in ("SELECT", "WITH", "(") else ()
    if stream.accept("EXEC", "EXECUTE"):
        return ir.InsertExecute(target=table, columns=columns, execute=execute(stream))
    output = _output(stream)
    if stream.accept_all("DEFAULT", "VALUES"):
        return syntax.Insert(table, columns, None, common, output)
    source = syntax.Query(_values(stream)) if stream.accept("VALUES") else query_expression(stream)
    return syntax.Insert(table, columns, source, common, output)


def _update(stream: TokenStream, common: tuple[syntax.CommonTable, ...]) -> syntax.Update:
    top = _top(stream)
    table = _table_name(stream)
    if stream.accept("WITH"):
        _hints(stream)
    stream.expect("SET")
    assignments = [_assignment(stream)]
    while stream.accept(","):
        assignments.append(_assignment(stream))
    output = _output(stream)
    source = _sources(stream) if stream.accept("FROM") else None
    where = condition(stream) if stream.accept("WHERE") else None
    return syntax.Update(table, tuple(assignments), source, where, top, common, output)


def _assignment(stream: TokenStream) -> syntax.Assignment:
    column = _table_name(stream)
    sign = stream.expect("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=")
    if stream.accept("DEFAULT"):
        stream.place -= 1
        stream.fail()
    value = expression(stream)
    return syntax.Assignment(column, value if sign == "=" else syntax.Binary(sign[0], syntax.Column(column), value))


def _delete(stream: TokenStream, common: tuple[syntax.CommonTable, ...]) -> syntax.Delete:
    top = _top(stream)
    stream.accept("FROM")
    table = _table_name(stream)
    if stream.accept("WITH"):
        _hints(stream)
    output = _output(stream)
    source = _sources(stream) if stream.accept("FROM") else None
    where = condition(stream) if stream.accept("WHERE") else None
    return syntax.Delete(table, source, where, top, common, output)


def _merge(stream: TokenStream) -> Statement:
    """A MERGE must end with a semicolon; what is in it is not read."""
    line = stream.current().line
    while not stream.at_end and stream.peek() != ";":
        stream.parenthesised() if stream.peek() == "(" else stream.take()
    if stream.at_end:
        raise SyntaxFault(10713, "A MERGE statement must be terminated by a semi-colon (;).", line=line)
    return ir.Query(verb="MERGE", tree=syntax.Merge())
