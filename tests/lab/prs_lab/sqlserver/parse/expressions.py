"""Reads expressions and conditions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NoReturn

from ..errors import SyntaxFault
from . import syntax
from .stream import STARTERS, TokenStream

__all__ = ["condition", "expression", "expressions", "orderings", "type_name"]

_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!<": ">=", "!>": "<="}
_CALLABLE = frozenset(("COALESCE", "NULLIF", "LEFT", "RIGHT", "IDENTITY"))
"""Reserved words that are functions."""
_WITHOUT_LENGTH = frozenset(
    ("bigint", "bit", "date", "datetime", "image", "int", "integer", "money", "ntext", "real", "rowversion", "smalldatetime", "smallint", "smallmoney",
     "sql_variant", "sysname", "text", "timestamp", "tinyint", "uniqueidentifier")
)  # fmt: skip
_NILADIC = frozenset(("CURRENT_TIMESTAMP", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "USER"))


def condition(stream: TokenStream) -> syntax.Expression:
    """A condition: comparisons, predicates, NOT, AND, OR."""
    left = _conjunction(stream)
    while stream.accept("OR"):
        left = syntax.Binary("OR", left, _conjunction(stream))
    return left


def _conjunction(stream: TokenStream) -> syntax.Expression:
    left = _negation(stream)
    while stream.accept("AND"):
        left = syntax.Binary("AND", left, _negation(stream))
    return left


def _negation(stream: TokenStream) -> syntax.Expression:
    if stream.accept("NOT"):
        return syntax.Unary("NOT", _negation(stream))
    return _predicate(stream)


def _predicate(stream: TokenStream) -> syntax.Expression:
    if stream.accept("EXISTS"):
        stream.expect("(")
        inner = _query(stream)
        stream.expect(")")
        return syntax.Exists(inner)
    if stream.peek() == "(":
        start = stream.place
        try:
            stream.expect("(")
            inner_condition = condition(stream)
            stream.expect(")")
            if not _continues(stream):
                return inner_condition
        except SyntaxFault:
            pass
        stream.place = start  # the bracket belonged to an expression
    left = expression(stream)
    if sign := stream.accept(*_COMPARISONS):
        if stream.peek() in ("ALL", "ANY", "SOME"):
            stream.fail()
        return syntax.Binary(_COMPARISONS[sign], left, expression(stream))
    if stream.accept("IS"):
        negated = bool(stream.accept("NOT"))
        stream.expect("NULL")
        return syntax.IsNull(left, negated)
    negated = bool(stream.accept("NOT"))
    if stream.accept("IN"):
        return _in(stream, left, negated)
    if stream.accept("BETWEEN"):
        low = expression(stream)
        stream.expect("AND")
        return syntax.Between(left, low, expression(stream), negated)
    if stream.accept("LIKE"):
        pattern = expression(stream)
        escape = expression(stream) if stream.accept("ESCAPE") else None
        return syntax.Like(left, pattern, escape, negated)
    _no_condition(stream)


def _no_condition(stream: TokenStream) -> NoReturn:
    """A value stands where a condition must."""
    if stream.at_end or stream.peek() in (")", ";", *STARTERS):
        token = stream.tokens[min(stream.place, len(stream.tokens) - 1)]
        raise SyntaxFault(
            4145,
            "An expression of non-boolean type specified in a context where a condition is expected, near "
            f"'{token.text}'.",
            line=token.line,
        )
    stream.fail()


def _continues(stream: TokenStream) -> bool:
    """Whether a closed bracket goes on as an expression."""
    return stream.peek() in {
        "+",
        "-",
        "*",
        "/",
        "%",
        "&",
        "|",
        "^",
        "IS",
        "IN",
        "LIKE",
        "BETWEEN",
        "COLLATE",
        *_COMPARISONS,
    } or (stream.peek() == "NOT" and stream.peek(1) in ("IN", "LIKE", "BETWEEN"))


def _in(stream: TokenStream, left: syntax.Expression, negated: bool) -> syntax.Expression:
    stream.expect("(")
    choices: tuple[syntax.Expression, ...] | syntax.Query
    choices = _query(stream) if stream.peek() in ("SELECT", "WITH") else expressions(stream)
    stream.expect(")")
    return syntax.In(left, choices, negated)


def expressions(stream: TokenStream) -> tuple[syntax.Expression, ...]:
    """One or more expressions between commas."""
    found = [expression(stream)]
    while stream.accept(","):
        found.append(expression(stream))
    return tuple(found)


def expression(stream: TokenStream) -> syntax.Expression:
    """A value: + - & | ^ bind weakest."""
    left = _product(stream)
    while sign := stream.accept("+", "-", "&", "|", "^"):
        left = syntax.Binary(sign, left, _product(stream))
    return left


def _product(stream: TokenStream) -> syntax.Expression:
    left = _unary(stream)
    while sign := stream.accept("*", "/", "%"):
        left = syntax.Binary(sign, left, _unary(stream))
    return left


def _unary(stream: TokenStream) -> syntax.Expression:
    if sign := stream.accept("-", "+", "~"):
        operand = _unary(stream)
        if sign == "-" and isinstance(operand, syntax.Literal) and isinstance(operand.value, int | float | Decimal):
            return syntax.Literal(-operand.value)
        return syntax.Unary(sign, operand)
    return _suffixed(stream)


def _suffixed(stream: TokenStream) -> syntax.Expression:
    operand = _primary(stream)
    while True:
        if stream.accept("COLLATE"):
            operand = syntax.Collate(operand, stream.name())
        elif stream.accept_all("AT", "TIME", "ZONE"):
            operand = syntax.AtTimeZone(operand, _primary(stream))
        else:
            return operand


def _primary(stream: TokenStream) -> syntax.Expression:
    token = stream.current()
    if token.kind in ("string", "number", "binary"):
        stream.place += 1
        return syntax.Literal(token.value, national=token.kind == "string" and token.text[0] in "nN")
    if token.kind == "variable":
        stream.place += 1
        return (
            syntax.GlobalVariable(token.text[2:].upper())
            if token.text.startswith("@@")
            else syntax.VariableReference(token.text.lower())
        )
    if stream.accept("NULL"):
        return syntax.Literal(None)
    if stream.accept("$"):
        number = stream.take()
        if number.kind != "number":
            stream.place -= 1
            stream.fail()
        return syntax.Cast(syntax.Literal(number.value), "money")
    if stream.accept("("):
        if stream.peek() in ("SELECT", "WITH"):
            inner: syntax.Expression = syntax.Subquery(_query(stream))
        else:
            inner = expression(stream)
        stream.expect(")")
        return inner
    if token.upper in _SPECIAL and stream.peek(1) in _SPECIAL[token.upper][0]:
        stream.place += 1
        return _SPECIAL[token.upper][1](stream)
    if token.upper in _NILADIC:
        stream.place += 1
        return syntax.Call(token.upper)
    if token.upper in _CALLABLE and stream.peek(1) == "(":
        stream.place += 1
        return _call(stream, token.upper)
    return _name(stream)


def _name(stream: TokenStream) -> syntax.Expression:
    quoted = stream.current().kind == "name"
    parts = [stream.name()]
    while stream.accept("."):
        if stream.accept("*"):
            return syntax.Star(tuple(parts))
        parts.append("" if stream.peek() == "." else stream.name())
    if stream.peek() == "(" and not (quoted and len(parts) == 1):
        return _call(stream, ".".join(parts).upper())
    return syntax.Column(tuple(parts))


def _call(stream: TokenStream, name: str) -> syntax.Expression:
    stream.expect("(")
    distinct = bool(stream.accept("DISTINCT"))
    arguments: tuple[syntax.Expression, ...] = ()
    if stream.peek() == "*" and stream.peek(1) == ")":
        stream.place += 1
        arguments = (syntax.Star(),)
    elif name == "IIF":
        test = condition(stream)
        stream.expect(",")
        arguments = (test, *expressions(stream))
    elif stream.peek() != ")":
        arguments = expressions(stream)
    stream.expect(")")
    order: tuple[syntax.Ordering, ...] = ()
    if stream.accept_all("WITHIN", "GROUP"):
        stream.expect("(")
        stream.expect_all("ORDER", "BY")
        order = orderings(stream)
        stream.expect(")")
    return syntax.Call(name, arguments, distinct, _window(stream) if stream.accept("OVER") else None, order)


def _window(stream: TokenStream) -> syntax.Window:
    stream.expect("(")
    partition: tuple[syntax.Expression, ...] = ()
    order: tuple[syntax.Ordering, ...] = ()
    if stream.accept_all("PARTITION", "BY"):
        partition = expressions(stream)
    if stream.accept_all("ORDER", "BY"):
        order = orderings(stream)
    first = stream.place
    if stream.peek() in ("ROWS", "RANGE"):
        while stream.peek() != ")":
            token = stream.take()
            if token.kind not in ("word", "number"):
                stream.place -= 1
                stream.fail()
    frame = stream.source(first)
    stream.expect(")")
    return syntax.Window(partition, order, frame)


def orderings(stream: TokenStream) -> tuple[syntax.Ordering, ...]:
    """a, b DESC, ..."""
    found = []
    while True:
        value = expression(stream)
        found.append(syntax.Ordering(value, stream.accept("ASC", "DESC") == "DESC"))
        if not stream.accept(","):
            return tuple(found)


def _case(stream: TokenStream) -> syntax.Expression:
    operand = None if stream.peek() == "WHEN" else expression(stream)
    branches = []
    while stream.accept("WHEN"):
        test = condition(stream) if operand is None else expression(stream)
        stream.expect("THEN")
        branches.append((test, expression(stream)))
    if not branches:
        stream.fail()
    otherwise = expression(stream) if stream.accept("ELSE") else None
    stream.expect("END")
    return syntax.Case(operand, tuple(branches), otherwise)


def _cast(stream: TokenStream, *, safe: bool) -> syntax.Expression:
    stream.expect("(")
    operand = expression(stream)
    stream.expect("AS")
    written = type_name(stream)
    stream.expect(")")
    return syntax.Cast(operand, written, safe=safe)


def _convert(stream: TokenStream, *, safe: bool) -> syntax.Expression:
    stream.expect("(")
    written = type_name(stream)
    stream.expect(",")
    operand = expression(stream)
    style = expression(stream) if stream.accept(",") else None
    stream.expect(")")
    return syntax.Cast(operand, written, style, safe)


def type_name(stream: TokenStream) -> str:
    """A type as it is written, brackets and length included."""
    written = ".".join(stream.dotted_name()) if stream.peek() != "DOUBLE" else stream.take().text
    if written.upper() == "DOUBLE":
        stream.expect("PRECISION")
        return "float"
    takes_length = written.lower().removeprefix("sys.") not in _WITHOUT_LENGTH
    return written + (_length(stream) if stream.peek() == "(" and takes_length else "")


def _length(stream: TokenStream) -> str:
    """(max), (n) or (n, n)."""
    stream.expect("(")
    if stream.accept("MAX"):
        text = "max"
    else:
        numbers = [stream.take()]
        if stream.accept(","):
            numbers.append(stream.take())
        if any(token.kind != "number" or not isinstance(token.value, int) for token in numbers):
            stream.place -= 1
            stream.fail()
        text = ",".join(token.text for token in numbers)
    stream.expect(")")
    return f"({text})"


def _query(stream: TokenStream) -> syntax.Query:
    from .queries import query_expression

    return query_expression(stream)


_ANYTHING = type("Anything", (), {"__contains__": lambda self, word: True})()
_SPECIAL: dict[str, tuple[object, Callable[[TokenStream], syntax.Expression]]] = {
    "CASE": (_ANYTHING, _case),
    "CAST": (("(",), lambda stream: _cast(stream, safe=False)),
    "TRY_CAST": (("(",), lambda stream: _cast(stream, safe=True)),
    "CONVERT": (("(",), lambda stream: _convert(stream, safe=False)),
    "TRY_CONVERT": (("(",), lambda stream: _convert(stream, safe=True)),
}
