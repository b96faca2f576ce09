"""SELECT to SQLite: sources, names, columns with their types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import SqlError, Unmodelled
from ..parse import syntax
from ..types import SqlType
from .compiler import Compiler
from .fragments import Fragment, Names, common_type
from .relations import Relation, quoted

__all__ = ["Columns", "Compiled", "QueryCompiler"]

Columns = list[tuple[str, SqlType | None]]


@dataclass(slots=True)
class Compiled:
    """A statement for SQLite.

    kind: select, insert, update, delete. columns: of the result set ([]: none). assigned: variables of a SELECT that
    assigns. into: the table that SELECT INTO makes. target: the relation that is written.
    """

    kind: str
    sql: str
    columns: Columns = field(default_factory=list)
    assigned: list[str] = field(default_factory=list)
    into: tuple[str, ...] = ()
    target: Relation | None = None


class QueryCompiler(Compiler):
    """Compiles whole queries. Names that the user sees are kept in `columns`; inside SQLite unnamed columns are c1, c2
    ...
    """

    def select(self, node: syntax.Query) -> Compiled:
        """A SELECT statement."""
        names = Names()
        body = node.body
        if isinstance(body, syntax.Select) and any(item.variable for item in body.items):
            if not all(item.variable for item in body.items):
                raise SqlError(
                    141,
                    "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval "
                    "operations.",
                    severity=15,
                )
            for item in body.items:
                if item.variable not in self.variables:
                    raise SqlError(137, f'Must declare the scalar variable "{item.variable}".', severity=15)
            sql, columns = self._query(node, names, top_level=True)
            return Compiled("select", sql, [], [item.variable for item in body.items])
        sql, columns = self._query(node, names, top_level=True)
        into = body.into if isinstance(body, syntax.Select) else ()
        if into and any(not name for name, _ in columns):
            number = next(place for place, (name, _) in enumerate(columns, 1) if not name)
            raise SqlError(
                1038, f"An object or column name is missing or empty (column {number} of SELECT INTO).", severity=15
            )
        return Compiled("select", sql, columns, into=into)

    def query(self, node: syntax.Query, names: Names) -> tuple[str, Columns]:
        return self._query(node, Names(outer=names), top_level=False)

    def _query(self, node: syntax.Query, names: Names, *, top_level: bool) -> tuple[str, Columns]:
        if node.output:
            raise Unmodelled(f"SELECT ... {node.output}")
        prefix = self.common_tables(node.common, names)
        body = node.body
        if isinstance(body, syntax.Select):
            sql, columns = self._select(body, names, node.order)
            limit = self._limit(body.top, node, names)
        else:
            sql, columns = self._operand(body, names)
            order = self._positions(node.order, columns, names)
            sql += f" ORDER BY {order}" if order else ""
            limit = self._limit(None, node, names)
        if node.order and not (top_level or limit):
            raise SqlError(
                1033,
                "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common "
                "table expressions, unless "
                "TOP, OFFSET or FOR XML is also specified.",
                severity=15,
            )
        return prefix + sql + limit, columns

    def common_tables(self, tables: tuple[syntax.CommonTable, ...], names: Names) -> str:
        """WITH ...; makes their names known."""
        parts = []
        for table in tables:
            names.common[table.name.lower()] = []  # a recursive one is not modelled: its own name has no columns
            sql, columns = self._query(table.query, Names(outer=names), top_level=False)
            columns = _renamed(columns, table.columns, table.name)
            names.common[table.name.lower()] = columns
            parts.append(
                f"{quoted('cte ' + table.name.lower())}({', '.join(quoted(n) for n, _ in columns)}) AS ({sql})"
            )
        return f"WITH {', '.join(parts)} " if parts else ""

    def _limit(self, top: syntax.Expression | None, node: syntax.Query, names: Names) -> str:
        if top is not None:
            return f" LIMIT {self.expression(top, Names()).sql}"
        if node.offset is None:
            return ""
        count = self.expression(node.fetch, Names()).sql if node.fetch is not None else "-1"
        return f" LIMIT {count} OFFSET {self.expression(node.offset, Names()).sql}"

    def _operand(
        self, body: syntax.Select | syntax.SetOperation | syntax.Values | syntax.Query, names: Names
    ) -> tuple[str, Columns]:
        if isinstance(body, syntax.Query):
            sql, columns = self._query(body, Names(outer=names), top_level=False)
            return f"SELECT * FROM ({sql})", columns
        if isinstance(body, syntax.Values):
            return self.values(body, names)
        if isinstance(body, syntax.Select):
            if body.top is not None:
                sql, columns = self._query(syntax.Query(body), Names(outer=names), top_level=False)
                return f"SELECT * FROM ({sql})", columns
            return self._select(body, Names(outer=names), ())
        left_sql, left = self._operand(body.left, names)
        right_sql, right = self._operand(body.right, names)
        if len(left) != len(right):
            raise SqlError(
                205,
                "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of "
                "expressions in their target lists.",
            )
        columns = [(name, common_type([kind, other])) for (name, kind), (_, other) in zip(left, right, strict=True)]
        return f"{left_sql} {body.operator} {right_sql}", columns

    def values(self, body: syntax.Values, names: Names) -> tuple[str, Columns]:
        """VALUES as a query; every column brought to one type."""
        rows = [
            [self.expression(value, names) if value is not None else _default() for value in row] for row in body.rows
        ]
        kinds = [common_type([row[place].type for row in rows]) for place in range(len(rows[0]))]
        texts = [
            ", ".join(self.as_type(value, kind).sql for value, kind in zip(row, kinds, strict=True)) for row in rows
        ]
        return "VALUES " + ", ".join(f"({text})" for text in texts), [
            (f"c{place}", kind) for place, kind in enumerate(kinds, 1)
        ]

    def _positions(self, order: tuple[syntax.Ordering, ...], columns: Columns, names: Names) -> str:
        """ORDER BY of a UNION: by the names or the numbers of its columns."""
        parts = []
        for one in order:
            if isinstance(one.expression, syntax.Literal) and isinstance(one.expression.value, int):
                place = one.expression.value
            elif isinstance(one.expression, syntax.Column):
                wanted = one.expression.parts[-1].lower()
                place = next((number for number, (name, _) in enumerate(columns, 1) if name.lower() == wanted), 0)
            else:
                place = 0
            if not 1 <= place <= len(columns):
                raise SqlError(
                    104,
                    "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or "
                    "EXCEPT operator.",
                    severity=15,
                )
            parts.append(f"{place}{' DESC' if one.descending else ''}")
        return ", ".join(parts)

    # ---- one SELECT
    def _select(self, node: syntax.Select, names: Names, order: tuple[syntax.Ordering, ...]) -> tuple[str, Columns]:
        source = f" FROM {self.source(node.source, names)}" if node.source is not None else ""
        texts, columns = self.items(node.items, names)
        sql = f"SELECT {'DISTINCT ' if node.distinct else ''}{', '.join(texts)}{source}"
        if node.where is not None:
            sql += f" WHERE {self.expression(node.where, names).sql}"
        if node.group:
            sql += " GROUP BY " + ", ".join(self.sortable(self.expression(e, names)) for e in node.group)
        if node.having is not None:
            sql += f" HAVING {self.expression(node.having, names).sql}"
        if order:
            sql += f" ORDER BY {self._order(order, node.items, columns, names)}"
        return sql, columns

    def items(self, items: tuple[syntax.Item, ...], names: Names) -> tuple[list[str], Columns]:
        """The select list: SQLite texts with aliases c1, c2 ..., and what the user sees."""
        texts: list[str] = []
        columns: Columns = []
        for item in items:
            if isinstance(item.expression, syntax.Star):
                found = self._star(item.expression, names)
            else:
                fragment = self._item(item, names)
                found = [
                    (
                        fragment,
                        item.alias or (item.expression.parts[-1] if isinstance(item.expression, syntax.Column) else ""),
                    )
                ]
            for fragment, name in found:
                columns.append((name, fragment.type))
                texts.append(f"{fragment.sql} AS {quoted(f'c{len(columns)}')}")
        return texts, columns

    def _item(self, item: syntax.Item, names: Names) -> Fragment:
        value = item.expression
        if item.variable and item.operator != "=":
            value = syntax.Binary(item.operator[0], syntax.VariableReference(item.variable), value)
        fragment = self.expression(value, names)
        return self.converted(fragment, self.variables[item.variable]) if item.variable else fragment

    def _star(self, star: syntax.Star, names: Names) -> list[tuple[Fragment, str]]:
        wanted = star.qualifier[-1].lower() if star.qualifier else None
        found = [
            (Fragment(f"{quoted(shown)}.{quoted(column)}", kind), column)
            for alias, shown, columns in names.sources
            if wanted in (None, alias.lower())
            for column, kind in columns.items()
        ]
        if not found:
            if wanted:
                raise SqlError(
                    107,
                    f"The column prefix '{star.qualifier[-1]}' does not match with a table name or alias name used "
                    "in the query.",
                    severity=15,
                )
            raise SqlError(263, "Must specify table to select from.")
        return found

    def _order(
        self, order: tuple[syntax.Ordering, ...], items: tuple[syntax.Item, ...], columns: Columns, names: Names
    ) -> str:
        """ORDER BY: numbers and aliases of the select list first, then columns of the sources."""
        parts = []
        aliases = {item.alias.lower() for item in items if item.alias}
        for one in order:
            text, node = "", one.expression
            if isinstance(node, syntax.Literal) and isinstance(node.value, int):
                if not 1 <= node.value <= len(columns):
                    raise SqlError(
                        108,
                        f"The ORDER BY position number {node.value} is out of range of the number of items in the "
                        "select list.",
                        severity=15,
                    )
                text = str(node.value)
            elif isinstance(node, syntax.Column) and len(node.parts) == 1 and node.parts[0].lower() in aliases:
                place = next(
                    number for number, (name, _) in enumerate(columns, 1) if name.lower() == node.parts[0].lower()
                )
                text = self.sortable(Fragment(f'"c{place}"', columns[place - 1][1]))
            if not text:
                text = self.sortable(self.expression(node, names))
            parts.append(text + (" DESC" if one.descending else ""))
        return ", ".join(parts)

    # ---- FROM
    def source(self, node: syntax.Source, names: Names) -> str:
        """FROM without the word; adds what it finds to `names`."""
        if isinstance(node, syntax.TableSource):
            return self._table(node, names)
        if isinstance(node, syntax.Derived):
            sql, columns = self.query(node.query, Names(outer=names.outer, common=names.common))
            return self._named(
                f"({sql})", _renamed(columns, node.columns, node.alias), node.alias, names, positional=True
            )
        if isinstance(node, syntax.FunctionSource):
            scope = Names()
            relation = self.resolver.table_function(
                node.name, lambda: tuple(self.expression(argument, scope) for argument in node.arguments)
            )
            return self._add(relation, node.alias or node.name[-1], names)
        if isinstance(node, syntax.Join):
            if node.kind.endswith("APPLY"):
                raise Unmodelled(f"{node.kind} in a FROM")
            left, right = self.source(node.left, names), self.source(node.right, names)
            if node.kind == "CROSS":
                return f"{left} CROSS JOIN {right}"
            right = f"({right})" if isinstance(node.right, syntax.Join) else right
            return f"{left} {node.kind} JOIN {right} ON {self.expression(node.on, names).sql}"
        raise Unmodelled(f"a source of the kind {type(node).__name__}")

    def _table(self, node: syntax.TableSource, names: Names) -> str:
        if len(node.name) == 1 and (columns := names.common_table(node.name[0])) is not None:
            alias = node.alias or node.name[0]
            _refuse_twice(alias, names)
            names.sources.append((alias, alias, dict(columns)))
            return f"{quoted('cte ' + node.name[0].lower())} AS {quoted(alias)}"
        relation = self.resolver.resolve(node.name)
        self.uses.append((relation, "SELECT"))
        return self._add(relation, node.alias or node.name[-1], names)

    def _add(self, relation: Relation, alias: str, names: Names) -> str:
        _refuse_twice(alias, names)
        names.sources.append((alias, alias, relation.columns))
        names.collations[alias.lower()] = relation.collation
        return f"{relation.sql} AS {quoted(alias)}"

    def _named(self, sql: str, columns: Columns, alias: str, names: Names, *, positional: bool) -> str:
        """A derived table: inside, its columns are c1, c2 ... (VALUES: column1 ...); outside, they have their names."""
        _refuse_twice(alias, names)
        mapping: Mapping[str, SqlType | None] = dict(columns)
        names.sources.append((alias, alias, mapping))
        table = quoted("with columns")
        inner = f"WITH {table}({', '.join(quoted(name) for name, _ in columns)}) AS {sql} SELECT * FROM {table}"
        return f"({inner}) AS {quoted(alias)}"


def _refuse_twice(alias: str, names: Names) -> None:
    if any(known.lower() == alias.lower() for known, _, _ in names.sources):
        raise SqlError(
            1011, f"The correlation name '{alias}' is specified multiple times in a FROM clause.", severity=15
        )


def _renamed(columns: Columns, wanted: tuple[str, ...], table: str) -> Columns:
    if wanted and len(wanted) != len(columns):
        number = 8158 if len(wanted) < len(columns) else 8159
        raise SqlError(
            number,
            f"'{table}' has {'more' if number == 8158 else 'fewer'} columns than were specified in the column list.",
        )
    named = [(name, kind) for name, (_, kind) in zip(wanted, columns, strict=True)] if wanted else columns
    for place, (name, _) in enumerate(named, 1):
        if not name:
            raise SqlError(8155, f"No column name was specified for column {place} of '{table}'.")
    lowered = [name.lower() for name, _ in named]
    for name, _ in named:
        if lowered.count(name.lower()) > 1:
            raise SqlError(8156, f"The column '{name}' was specified multiple times for '{table}'.")
    return named


def _default() -> Fragment:
    raise Unmodelled("DEFAULT inside VALUES")
