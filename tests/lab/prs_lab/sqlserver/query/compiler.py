"""Expressions to SQLite, with their T-SQL types."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import SqlError, Unmodelled
from ..parse import syntax
from ..types import MAX, SqlType, sql_type
from . import dates
from .fragments import Fragment, Names, common_type, literal_type
from .functions import FUNCTIONS, sqlite_name
from .relations import Relation, Resolver
from .values import to_storage

__all__ = ["Compiler"]

_AGGREGATES = {
    "COUNT": "count",
    "COUNT_BIG": "count",
    "SUM": "sum",
    "MIN": "min",
    "MAX": "max",
    "AVG": "avg",
    "STRING_AGG": "group_concat",
}
_WINDOWS = {
    "ROW_NUMBER": "bigint",
    "RANK": "bigint",
    "DENSE_RANK": "bigint",
    "NTILE": "bigint",
    "LAG": "",
    "LEAD": "",
    "FIRST_VALUE": "",
    "LAST_VALUE": "",
}
_OPERATIONS = {"=": "equal to", "<>": "not equal to", "<": "less than", ">": "greater than"}
"""What 468 calls an operator."""

_INT = SqlType("int")


class Compiler:
    """Compiles the expressions of one statement; queries are in `select.QueryCompiler`, which builds on it.

    `parameters`: the variables that were used; SQLite gets them as :v_name. `uses`: (relation, right) for the
    permission check.
    """

    def __init__(self, resolver: Resolver, variables: Mapping[str, SqlType]) -> None:
        self.resolver = resolver
        self.variables = variables
        self.parameters: set[str] = set()
        self.uses: list[tuple[Relation, str]] = []

    # ---- entry
    def expression(self, node: syntax.Expression, names: Names) -> Fragment:
        return _compile(node, self, names)

    def text(self, node: syntax.Expression, names: Names) -> str:
        """The value as text."""
        return self.as_text(self.expression(node, names)).sql

    def as_text(self, fragment: Fragment, *, wide: bool = True) -> Fragment:
        if fragment.type is not None and (fragment.type.is_text or fragment.type.is_binary):
            return fragment
        if fragment.type is None:
            return fragment
        return self.converted(fragment, SqlType("nvarchar" if wide else "varchar", 4000))

    def converted(self, fragment: Fragment, target: SqlType, style: str = "NULL", *, safe: bool = False) -> Fragment:
        source = f"'{fragment.type}'" if fragment.type else "NULL"
        return Fragment(f"tsql_convert({fragment.sql}, '{target}', {style}, {source}, {int(safe)})", target)

    def as_type(self, fragment: Fragment, target: SqlType | None) -> Fragment:
        """An implicit conversion where the types differ in kind."""
        if target is None or fragment.type is None or fragment.type.name == target.name:
            return fragment
        both_text = target.is_text and fragment.type.is_text
        both_numbers = target.is_number and fragment.type.is_number and not target.is_integer
        both_binary = target.is_binary and fragment.type.is_binary
        if both_text or both_numbers or both_binary or "sql_variant" in (target.name, fragment.type.name):
            return fragment
        return self.converted(fragment, target)

    def compare(self, operator: str, left: Fragment, right: Fragment) -> str:
        """A comparison, both sides brought to one type; text without regard to case unless a COLLATE says otherwise.

        Raises SqlError 468 for names of two databases with different collations.
        """
        if left.collation and right.collation and left.collation.lower() != right.collation.lower():
            raise SqlError(
                468,
                f'Cannot resolve the collation conflict between "{right.collation}" and "{left.collation}" in the '
                f"{_OPERATIONS.get(operator, operator)} operation.",
                state=9,
            )
        target = common_type([left.type, right.type])
        left, right = self.as_type(left, target), self.as_type(right, target)
        collate = (
            " COLLATE NOCASE"
            if (target is None or target.is_text) and " COLLATE BINARY" not in left.sql + right.sql
            else ""
        )
        return f"({left.sql} {operator} {right.sql}{collate})"

    def query(self, node: syntax.Query, names: Names) -> tuple[str, list[tuple[str, SqlType | None]]]:
        """(SQL, columns) of a subquery; in QueryCompiler."""
        raise NotImplementedError

    # ---- functions
    def call(self, node: syntax.Call, names: Names) -> Fragment:
        name = node.name.removeprefix("SYS.")
        if name in _AGGREGATES and node.arguments:
            return self._aggregate(name, node, names)
        if name in _WINDOWS and node.window is not None:
            arguments = [self.expression(argument, names) for argument in node.arguments]
            kind = SqlType(_WINDOWS[name]) if _WINDOWS[name] else arguments[0].type
            return Fragment(
                f"{name.lower()}({', '.join(a.sql for a in arguments)}){self._over(node.window, names)}", kind
            )
        if name in _FORMS:
            return _FORMS[name](self, node, names)
        found = FUNCTIONS.get(name)
        if found is None and name.startswith("@@"):
            raise SqlError(137, f'Must declare the scalar variable "{name}".', state=2, severity=15)
        if found is None:
            if "." in name:
                raise SqlError(
                    4121,
                    f'Cannot find either column "{name.split(".")[0].lower()}" or the user-defined function or '
                    f'aggregate "{name.lower()}", '
                    "or the name is ambiguous.",
                )
            raise SqlError(195, f"'{node.name}' is not a recognized built-in function name.", state=10, severity=15)
        if not found.low <= len(node.arguments) <= found.high:
            wanted = str(found.low) if found.low == found.high else f"{found.low} to {found.high}"
            raise SqlError(174, f"The {name.lower()} function requires {wanted} argument(s).", severity=15)
        arguments = [self.expression(argument, names) for argument in node.arguments]
        kinds = [argument.type for argument in arguments]
        if found.texts:
            arguments = [
                self.as_text(a) if found.texts == "all" or not (a.type is None or a.type.is_number) else a
                for a in arguments
            ]
        result = found.result if isinstance(found.result, SqlType) else found.result(kinds)
        return Fragment(f"{sqlite_name(name)}({', '.join(a.sql for a in arguments)})", result)

    def _aggregate(self, name: str, node: syntax.Call, names: Names) -> Fragment:
        over = self._over(node.window, names) if node.window is not None else ""
        if isinstance(node.arguments[0], syntax.Star):
            return Fragment(f"count(*){over}", _INT if name == "COUNT" else SqlType("bigint"))
        value = self.expression(node.arguments[0], names)
        inner = ("DISTINCT " if node.distinct else "") + value.sql
        if name in ("COUNT", "COUNT_BIG"):
            return Fragment(f"count({inner}){over}", _INT if name == "COUNT" else SqlType("bigint"))
        if name == "STRING_AGG":
            separator = self.text(node.arguments[1], names)
            if node.order:
                raise Unmodelled("STRING_AGG ... WITHIN GROUP")
            return Fragment(f"group_concat({self.as_text(value).sql}, {separator}){over}", SqlType("nvarchar", MAX))
        if name == "AVG" and value.type is not None and value.type.is_integer:
            return Fragment(f"CAST(avg({inner}){over} AS INTEGER)", value.type if value.type.name == "bigint" else _INT)
        kind = value.type
        if name in ("SUM", "AVG") and kind is not None:
            kind = (
                _INT
                if kind.is_integer and kind.name != "bigint"
                else SqlType("numeric", precision=38, scale=kind.scale)
                if kind.precision
                else kind
            )
        return Fragment(f"{_AGGREGATES[name]}({inner}){over}", kind)

    def _over(self, window: syntax.Window, names: Names) -> str:
        parts = []
        if window.partition:
            parts.append(
                "PARTITION BY " + ", ".join(self.sortable(self.expression(e, names)) for e in window.partition)
            )
        if window.order:
            parts.append("ORDER BY " + self.orderings(window.order, names))
        return f" OVER ({' '.join([*parts, window.frame])})"

    def sortable(self, fragment: Fragment) -> str:
        return f"{fragment.sql} COLLATE NOCASE" if fragment.type is not None and fragment.type.is_text else fragment.sql

    def orderings(self, order: tuple[syntax.Ordering, ...], names: Names) -> str:
        return ", ".join(
            self.sortable(self.expression(o.expression, names)) + (" DESC" if o.descending else "") for o in order
        )

    def chosen(self, fragments: list[Fragment]) -> tuple[list[str], SqlType | None]:
        """Alternatives of CASE and COALESCE, brought to one type."""
        target = common_type([fragment.type for fragment in fragments])
        return [self.as_type(fragment, target).sql for fragment in fragments], target


# ---- one function per kind of node


@functools.singledispatch
def _compile(node: Any, compiler: Compiler, names: Names) -> Fragment:
    raise Unmodelled(f"an expression of the kind {type(node).__name__}")


@_compile.register
def _(node: syntax.Literal, compiler: Compiler, names: Names) -> Fragment:
    value = to_storage(node.value)
    if value is None:
        return Fragment("NULL", literal=True)
    if isinstance(value, str):
        text = "'" + value.replace("'", "''") + "'"
        if "\0" in value:
            text = "CAST(X'" + value.encode().hex() + "' AS TEXT)"
    elif isinstance(value, bytes):
        text = f"X'{value.hex()}'"
    else:
        text = repr(value)
    return Fragment(text, literal_type(node), literal=True)


@_compile.register
def _(node: syntax.VariableReference, compiler: Compiler, names: Names) -> Fragment:
    if node.name not in compiler.variables:
        raise SqlError(137, f'Must declare the scalar variable "{node.name}".', state=2, severity=15)
    compiler.parameters.add(node.name)
    return Fragment(f":v_{node.name[1:].encode().hex()}", compiler.variables[node.name])


@_compile.register
def _(node: syntax.GlobalVariable, compiler: Compiler, names: Names) -> Fragment:
    return compiler.call(syntax.Call("@@" + node.name), names)


@_compile.register
def _(node: syntax.Call, compiler: Compiler, names: Names) -> Fragment:
    return compiler.call(node, names)


@_compile.register
def _(node: syntax.Column, compiler: Compiler, names: Names) -> Fragment:
    return names.find(node.parts[-2] if len(node.parts) > 1 else "", node.parts[-1])


@_compile.register
def _(node: syntax.Unary, compiler: Compiler, names: Names) -> Fragment:
    operand = compiler.expression(node.operand, names)
    if node.operator == "NOT":
        return Fragment(f"(NOT {operand.sql})", SqlType("bit"))
    return Fragment(f"({node.operator}{operand.sql})", operand.type)


@_compile.register
def _(node: syntax.Binary, compiler: Compiler, names: Names) -> Fragment:
    left, right, sign = compiler.expression(node.left, names), compiler.expression(node.right, names), node.operator
    if sign in ("AND", "OR"):
        return Fragment(f"({left.sql} {sign} {right.sql})", SqlType("bit"))
    if sign in ("=", "<>", "<", ">", "<=", ">="):
        return Fragment(compiler.compare(sign, left, right), SqlType("bit"))
    kinds = [kind for kind in (left.type, right.type) if kind is not None]
    if sign == "+" and kinds and all(kind.is_text for kind in kinds):
        lengths = [kind.length for kind in kinds]
        kind = common_type([left.type, right.type])
        limit = 4000 if kind.is_wide else 8000
        return Fragment(
            f"({left.sql} || {right.sql})",
            SqlType("nvarchar" if kind.is_wide else "varchar", MAX if MAX in lengths else min(sum(lengths), limit)),
        )
    if sign == "+" and kinds and all(kind.is_binary for kind in kinds):
        return Fragment(f"tsql_join({left.sql}, {right.sql})", SqlType("varbinary", 8000))
    times = [kind for kind in kinds if kind.name in ("datetime", "smalldatetime")]
    if times and sign in "+-":
        if len(times) == 2:
            raise Unmodelled("the difference of two datetimes by '-'")
        moment, number = (left, right) if left.type in times else (right, left)
        return Fragment(
            f"tsql_dateadd_('SECOND', {sign if sign == '-' else ''}round(86400 * {number.sql}), {moment.sql})", times[0]
        )
    target = common_type([left.type, right.type])
    left, right = compiler.as_type(left, target), compiler.as_type(right, target)
    if sign == "/":
        return Fragment(
            f"tsql_divide({left.sql}, {right.sql}, {int(target is None or target.is_integer)})", _quotient(target)
        )
    if sign == "%":
        return Fragment(f"tsql_modulo({left.sql}, {right.sql})", target)
    if sign == "*" and target is not None and target.precision:
        scale = sum(kind.scale for kind in kinds)
        return Fragment(f"({left.sql} * {right.sql})", SqlType(target.name, precision=38, scale=min(scale, 18)))
    if sign == "^":
        return Fragment(f"(({left.sql} | {right.sql}) - ({left.sql} & {right.sql}))", target)
    if target is not None and target.is_integer and sign in "+-*":
        return Fragment(f"tsql_integer({left.sql} {sign} {right.sql}, '{target.name}')", target)
    return Fragment(f"({left.sql} {sign} {right.sql})", target)


def _quotient(kind: SqlType | None) -> SqlType | None:
    return SqlType(kind.name, precision=38, scale=max(6, kind.scale)) if kind is not None and kind.precision else kind


@_compile.register
def _(node: syntax.Cast, compiler: Compiler, names: Names) -> Fragment:
    operand = compiler.expression(node.operand, names)
    style = compiler.expression(node.style, names).sql if node.style is not None else "NULL"
    return compiler.converted(operand, sql_type(node.type, 30), style, safe=node.safe)


@_compile.register
def _(node: syntax.Case, compiler: Compiler, names: Names) -> Fragment:
    tests, results = [], []
    operand = compiler.expression(node.operand, names) if node.operand is not None else None
    for test, result in node.branches:
        compiled = compiler.expression(test, names)
        tests.append(compiler.compare("=", operand, compiled) if operand is not None else compiled.sql)
        results.append(compiler.expression(result, names))
    if node.otherwise is not None:
        results.append(compiler.expression(node.otherwise, names))
    texts, target = compiler.chosen(results)
    otherwise = f" ELSE {texts.pop()}" if node.otherwise is not None else ""
    return Fragment(
        "CASE " + " ".join(f"WHEN {t} THEN {r}" for t, r in zip(tests, texts, strict=True)) + otherwise + " END", target
    )


@_compile.register
def _(node: syntax.Subquery, compiler: Compiler, names: Names) -> Fragment:
    sql, columns = compiler.query(node.query, names)
    if len(columns) != 1:
        raise SqlError(
            116,
            "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
        )
    return Fragment(f"({sql})", columns[0][1])


@_compile.register
def _(node: syntax.Exists, compiler: Compiler, names: Names) -> Fragment:
    return Fragment(f"EXISTS ({compiler.query(node.query, names)[0]})", SqlType("bit"))


@_compile.register
def _(node: syntax.In, compiler: Compiler, names: Names) -> Fragment:
    operand, word = compiler.expression(node.operand, names), "NOT IN" if node.negated else "IN"
    if isinstance(node.choices, syntax.Query):
        sql, columns = compiler.query(node.choices, names)
        target = common_type([operand.type, columns[0][1]])
        collate = " COLLATE NOCASE" if target is None or target.is_text else ""
        return Fragment(f"({compiler.as_type(operand, target).sql}{collate} {word} ({sql}))", SqlType("bit"))
    tests = " OR ".join(compiler.compare("=", operand, compiler.expression(choice, names)) for choice in node.choices)
    return Fragment(f"({'NOT ' if node.negated else ''}({tests}))", SqlType("bit"))


@_compile.register
def _(node: syntax.Between, compiler: Compiler, names: Names) -> Fragment:
    operand = compiler.expression(node.operand, names)
    low = compiler.compare(">=", operand, compiler.expression(node.low, names))
    high = compiler.compare("<=", operand, compiler.expression(node.high, names))
    return Fragment(f"({'NOT ' if node.negated else ''}({low} AND {high}))", SqlType("bit"))


@_compile.register
def _(node: syntax.Like, compiler: Compiler, names: Names) -> Fragment:
    escape = compiler.text(node.escape, names) if node.escape is not None else "NULL"
    call = f"tsql_like({compiler.text(node.operand, names)}, {compiler.text(node.pattern, names)}, {escape})"
    return Fragment(f"({'NOT ' if node.negated else ''}{call})", SqlType("bit"))


@_compile.register
def _(node: syntax.IsNull, compiler: Compiler, names: Names) -> Fragment:
    return Fragment(
        f"({compiler.expression(node.operand, names).sql} IS {'NOT ' if node.negated else ''}NULL)", SqlType("bit")
    )


@_compile.register
def _(node: syntax.Collate, compiler: Compiler, names: Names) -> Fragment:
    operand, name = compiler.expression(node.operand, names), node.collation.upper()
    return Fragment(f"{operand.sql} COLLATE {'BINARY' if '_CS' in name or '_BIN' in name else 'NOCASE'}", operand.type)


@_compile.register
def _(node: syntax.AtTimeZone, compiler: Compiler, names: Names) -> Fragment:
    operand = compiler.expression(node.operand, names)
    return Fragment(
        f"tsql_attimezone_({operand.sql}, {compiler.text(node.zone, names)})", SqlType("datetimeoffset", scale=7)
    )


# ---- functions whose arguments are not plain values


def _part_word(node: syntax.Call) -> str:
    first = node.arguments[0] if node.arguments else None
    if not isinstance(first, syntax.Column) or len(first.parts) != 1 or first.parts[0].upper() not in dates.PARTS:
        shown = first.parts[0] if isinstance(first, syntax.Column) else "?"
        raise SqlError(155, f"'{shown}' is not a recognized {node.name.lower()} option.", severity=15)
    return first.parts[0].upper()


def _date_form(result: str) -> Callable[[Compiler, syntax.Call, Names], Fragment]:
    def compile_form(compiler: Compiler, node: syntax.Call, names: Names) -> Fragment:
        word = _part_word(node)
        arguments = [compiler.expression(argument, names) for argument in node.arguments[1:]]
        if len(arguments) != (1 if node.name in ("DATEPART", "DATENAME") else 2):
            raise SqlError(
                174, f"The {node.name.lower()} function requires {3 if result == '' else 2} argument(s).", severity=15
            )
        kind = (
            SqlType(result)
            if result and result != "nvarchar"
            else SqlType("nvarchar", 30)
            if result
            else arguments[-1].type
        )
        if not result and (kind is None or not kind.is_time):
            kind = SqlType("datetime")
        name = "datediff" if node.name.startswith("DATEDIFF") else node.name.lower()
        return Fragment(f"tsql_{name}_('{word}', {', '.join(a.sql for a in arguments)})", kind)

    return compile_form


def _short_date_form(compiler: Compiler, node: syntax.Call, names: Names) -> Fragment:
    return Fragment(f"tsql_datepart_('{node.name}', {compiler.expression(node.arguments[0], names).sql})", _INT)


def _isnull(compiler: Compiler, node: syntax.Call, names: Names) -> Fragment:
    if len(node.arguments) != 2:
        raise SqlError(174, "The isnull function requires 2 argument(s).", severity=15)
    first, second = (compiler.expression(argument, names) for argument in node.arguments)
    return Fragment(f"ifnull({first.sql}, {compiler.as_type(second, first.type).sql})", first.type or second.type)


def _coalesce(compiler: Compiler, node: syntax.Call, names: Names) -> Fragment:
    texts, target = compiler.chosen([compiler.expression(argument, names) for argument in node.arguments])
    return Fragment(f"coalesce({', '.join(texts)})", target)


def _nullif(compiler: Compiler, node: syntax.Call, names: Names) -> Fragment:
    first, second = (compiler.expression(argument, names) for argument in node.arguments)
    return Fragment(f"CASE WHEN {compiler.compare('=', first, second)} THEN NULL ELSE {first.sql} END", first.type)


def _iif(compiler: Compiler, node: syntax.Call, names: Names) -> Fragment:
    test, yes, no = node.arguments
    return compiler.expression(syntax.Case(None, ((test, yes),), no), names)


def _hashbytes(compiler: Compiler, node: syntax.Call, names: Names) -> Fragment:
    """The bytes of varchar and of nvarchar differ, so the value travels as bytes."""
    if len(node.arguments) != 2:
        raise SqlError(174, "The hashbytes function requires 2 argument(s).", severity=15)
    algorithm, value = (compiler.expression(argument, names) for argument in node.arguments)
    return Fragment(
        f"tsql_hashbytes_({algorithm.sql}, {compiler.converted(value, SqlType('varbinary', MAX)).sql})",
        SqlType("varbinary", 8000),
    )


_FORMS: dict[str, Callable[[Compiler, syntax.Call, Names], Fragment]] = {
    "DATEADD": _date_form(""), "DATEDIFF": _date_form("int"), "DATEDIFF_BIG": _date_form("bigint"), "DATEPART": _date_form("int"),
    "DATENAME": _date_form("nvarchar"), "YEAR": _short_date_form, "MONTH": _short_date_form, "DAY": _short_date_form, "ISNULL": _isnull,
    "COALESCE": _coalesce, "NULLIF": _nullif, "IIF": _iif, "HASHBYTES": _hashbytes,
}  # fmt: skip
