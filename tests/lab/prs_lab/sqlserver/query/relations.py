"""What a query can name: tables, views, temporary tables, each with its columns and where SQLite has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..types import SqlType

if TYPE_CHECKING:
    from ..storage.database import Database

__all__ = ["Relation", "Resolver", "quoted"]


def quoted(name: str) -> str:
    """A name for SQLite."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, kw_only=True)
class Relation:
    """kind: table, view (of the catalog), temporary, variable. `sql`: how SQLite calls it. `database`: None for what
    belongs to the session.

    `collation`: of the names in a catalog view, which is that of its database; empty: not modelled.

    `checked`: whether rights to its rows are asked for (catalog views are open to everyone, and show what one may see).
    """

    kind: str
    sql: str
    schema: str
    name: str
    columns: Mapping[str, SqlType]
    database: Database | None = None
    identity: str = ""
    not_null: frozenset[str] = field(default=frozenset())
    collation: str = ""

    @property
    def checked(self) -> bool:
        return self.kind == "table"

    @property
    def full_name(self) -> str:
        return f"{self.database.name}.{self.schema}.{self.name}" if self.database else self.name


class Resolver(Protocol):
    """Where a compiler asks for relations."""

    database_name: str

    def resolve(self, name: tuple[str, ...]) -> Relation:
        """Raises SqlError 208, 916, 927 ..."""

    def table_function(self, name: tuple[str, ...], arguments: Callable[[], tuple[object, ...]]) -> Relation:
        """Raises SqlError 208 or Unmodelled."""
