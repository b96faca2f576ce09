"""INSERT, UPDATE and DELETE to SQLite: values are brought to the types of their columns."""

from __future__ import annotations

from ..errors import SqlError, Unmodelled
from ..parse import syntax
from .fragments import Fragment, Names
from .relations import Relation, quoted
from .select import Columns, Compiled, QueryCompiler

__all__ = ["ChangeCompiler"]


class ChangeCompiler(QueryCompiler):
    """`identity_insert`: the table for which SET IDENTITY_INSERT is ON, in lower case."""

    identity_insert: str = ""

    def statement(self, node: syntax.Query | syntax.Insert | syntax.Update | syntax.Delete | syntax.Merge) -> Compiled:
        """Any query."""
        if isinstance(node, syntax.Query):
            return self.select(node)
        if isinstance(node, syntax.Insert):
            return self._insert(node)
        if isinstance(node, syntax.Update):
            return self._update(node)
        if isinstance(node, syntax.Delete):
            return self._delete(node)
        raise Unmodelled("MERGE")

    def stored(self, value: Fragment, target: Relation, column: str) -> str:
        """A value as the column will keep it: tsql_store converts, and refuses what is too long (2628) or NULL (515)."""
        kind = target.columns[column]
        source = f"'{value.type}'" if value.type else "NULL"
        nullable = int(column not in target.not_null)
        name = target.full_name.replace("'", "''")
        return (
            f"tsql_store({value.sql}, '{kind}', {source}, {nullable}, '{name}', "
            f"'{column.replace(chr(39), chr(39) * 2)}')"
        )

    def columns_of(self, target: Relation, names: tuple[str, ...]) -> list[str]:
        """The real names of columns, in the order asked for. Raises 207, 264."""
        found = []
        for name in names:
            real = next((column for column in target.columns if column.lower() == name.lower()), None)
            if real is None:
                raise SqlError(207, f"Invalid column name '{name}'.")
            if real in found:
                raise SqlError(
                    264,
                    f"The column name '{name}' is specified more than once in the SET clause or column list of an "
                    "INSERT.",
                )
            found.append(real)
        return found

    def insert_columns(self, target: Relation, names: tuple[str, ...]) -> list[str]:
        """Which columns an INSERT fills. Raises 544 for an identity column without IDENTITY_INSERT."""
        explicit = bool(target.identity) and self.identity_insert == target.full_name.lower()
        if not names:
            return [column for column in target.columns if column != target.identity]
        found = self.columns_of(target, names)
        if target.identity in found and not explicit:
            raise SqlError(
                544,
                f"Cannot insert explicit value for identity column in table '{target.name}' when IDENTITY_INSERT is "
                "set to OFF.",
            )
        return found

    def _insert(self, node: syntax.Insert) -> Compiled:
        target = self._target(node.table, "INSERT")
        names = Names()
        prefix = self.common_tables(node.common, names)
        output, shown = self._output(node.output, target, "INSERT")
        if node.source is None:
            return Compiled("insert", f"{prefix}INSERT INTO {target.sql} DEFAULT VALUES{output}", shown, target=target)
        columns = self.insert_columns(target, node.columns)
        sql, found = self._query(node.source, Names(outer=names), top_level=True)
        if len(found) != len(columns):
            if not node.columns:
                raise SqlError(213, "Column name or number of supplied values does not match table definition.")
            fewer = len(found) < len(columns)
            number = (110 if fewer else 109) if isinstance(node.source.body, syntax.Values) else (120 if fewer else 121)
            raise SqlError(
                number,
                f"There are {'more' if fewer else 'fewer'} columns in the INSERT statement than values specified in "
                "the VALUES clause. The "
                "number of values in the VALUES clause must match the number of columns specified in the INSERT "
                "statement.",
                severity=15,
            )
        places = [f"c{place}" for place in range(1, len(found) + 1)]
        values = ", ".join(
            self.stored(Fragment(f'"new rows".{quoted(place)}', kind), target, column)
            for place, (_, kind), column in zip(places, found, columns, strict=True)
        )
        rows = f'"new rows"({", ".join(map(quoted, places))}) AS ({sql})'
        prefix = f"{prefix.rstrip()}, {rows} " if prefix else f"WITH {rows} "
        listed = ", ".join(map(quoted, columns))
        return Compiled(
            "insert",
            f'{prefix}INSERT INTO {target.sql} ({listed}) SELECT {values} FROM "new rows" WHERE true{output}',
            shown,
            target=target,
        )

    def _update(self, node: syntax.Update) -> Compiled:
        if any(assignment.column[0].startswith("@") for assignment in node.assignments):
            raise Unmodelled("UPDATE ... SET @variable =")
        names = Names()
        prefix = self.common_tables(node.common, names)
        target, restriction = self._chosen_rows(node.table, node.source, node.where, node.top, names, "UPDATE")
        output, shown = self._output(node.output, target, "UPDATE")
        columns = self.columns_of(target, tuple(assignment.column[-1] for assignment in node.assignments))
        parts = []
        for assignment, column in zip(node.assignments, columns, strict=True):
            if column == target.identity:
                raise SqlError(8102, f"Cannot update identity column '{column}'.")
            scope = Names(outer=names.outer, sources=list(names.sources), common=names.common)
            if node.source is None:
                value = self.expression(assignment.value, scope)
            else:
                # a joined UPDATE: the value of the first matching row, looked up by the row's number
                inner = Names(common=names.common)
                source = self.source(node.source, inner)
                alias = self._alias_of(node.table, inner)
                compiled = self.expression(assignment.value, inner)
                where = f" AND {self.expression(node.where, inner).sql}" if node.where is not None else ""
                value = Fragment(
                    f'(SELECT {compiled.sql} FROM {source} WHERE {quoted(alias)}.rowid = "changed".rowid{where} '
                    "LIMIT 1)",
                    compiled.type,
                )
            parts.append(f"{quoted(column)} = {self.stored(value, target, column)}")
        return Compiled(
            "update",
            f'{prefix}UPDATE {target.sql} AS "changed" SET {", ".join(parts)}{restriction}{output}',
            shown,
            target=target,
        )

    def _delete(self, node: syntax.Delete) -> Compiled:
        names = Names()
        prefix = self.common_tables(node.common, names)
        target, restriction = self._chosen_rows(node.table, node.source, node.where, node.top, names, "DELETE")
        output, shown = self._output(node.output, target, "DELETE")
        return Compiled(
            "delete", f'{prefix}DELETE FROM {target.sql} AS "changed"{restriction}{output}', shown, target=target
        )

    def _chosen_rows(
        self,
        table: tuple[str, ...],
        source: syntax.Source | None,
        where: syntax.Expression | None,
        top: syntax.Expression | None,
        names: Names,
        right: str,
    ) -> tuple[Relation, str]:
        """The target, and which of its rows: by a condition on it alone, or by the numbers of the rows that a FROM
        finds.
        """
        if source is None:
            target = self._target(table, right)
            names.sources.append((table[-1], "changed", target.columns))
            condition = self.expression(where, names).sql if where is not None else ""
            if condition:
                self.uses.append((target, "SELECT"))
            if top is None:
                return target, f" WHERE {condition}" if condition else ""
            inner = (
                f" WHERE {condition.replace(chr(34) + 'changed' + chr(34), chr(34) + 'some' + chr(34))}"
                if condition
                else ""
            )
            limit = self.expression(top, Names()).sql
            return target, f' WHERE rowid IN (SELECT rowid FROM {target.sql} AS "some"{inner} LIMIT {limit})'
        text = self.source(source, names)
        alias = self._alias_of(table, names)
        target = self._target(self._table_of(alias, source), right)
        condition = f" WHERE {self.expression(where, names).sql}" if where is not None else ""
        limit = f" LIMIT {self.expression(top, Names()).sql}" if top is not None else ""
        return target, f" WHERE rowid IN (SELECT {quoted(alias)}.rowid FROM {text}{condition}{limit})"

    def _alias_of(self, table: tuple[str, ...], names: Names) -> str:
        for alias, _, _ in names.sources:
            if alias.lower() == table[-1].lower():
                return alias
        raise SqlError(208, f"Invalid object name '{'.'.join(table)}'.")

    def _table_of(self, alias: str, source: syntax.Source) -> tuple[str, ...]:
        if isinstance(source, syntax.Join):
            try:
                return self._table_of(alias, source.left)
            except KeyError:
                return self._table_of(alias, source.right)
        if isinstance(source, syntax.TableSource) and (source.alias or source.name[-1]).lower() == alias.lower():
            return source.name
        raise KeyError(alias)

    def _target(self, table: tuple[str, ...], right: str) -> Relation:
        target = self.resolver.resolve(table)
        if target.kind == "view":
            raise SqlError(259, "Ad hoc updates to system catalogs are not allowed.")
        self.uses.append((target, right))
        return target

    def _output(self, items: tuple[syntax.Item, ...], target: Relation, verb: str) -> tuple[str, Columns]:
        """OUTPUT as RETURNING: inserted.x after INSERT and UPDATE, deleted.x after DELETE."""
        if not items:
            return "", []
        known = "deleted" if verb == "DELETE" else "inserted"
        scope = Names(sources=[(known, "output", target.columns)])
        texts, columns = self.items(items, scope)
        if verb == "UPDATE" and any("deleted" in str(item).lower() for item in items):
            raise Unmodelled("OUTPUT deleted.* of an UPDATE")
        return " RETURNING " + ", ".join(text.replace('"output".', "") for text in texts), columns
