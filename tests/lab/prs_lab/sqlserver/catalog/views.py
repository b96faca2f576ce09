"""Catalog and dynamic management views: found by name, filled for each statement that names them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import SqlError, Unmodelled
from ..query.relations import Relation
from ..query.values import to_storage
from ..types import SqlType, sql_type
from .columns import split_columns

if TYPE_CHECKING:
    from ..query.fragments import Fragment
    from ..query.workspace import Workspace
    from ..storage.database import Database

__all__ = ["View", "catalog_function", "catalog_view", "table_function", "view"]

Rows = Iterable[dict[str, Any]]
Fill = Callable[["Workspace", "Database"], Rows]
FillFrom = Callable[..., Rows]


@dataclass(frozen=True, slots=True)
class View:
    """`permission`: a server permission without which nothing is shown (300). since: columns that came later, with the
    major version that brought them.
    """

    name: str
    columns: dict[str, SqlType]
    fill: Fill
    permission: str = ""
    since: Mapping[str, int] = field(default_factory=dict)

    def columns_of(self, major: int) -> dict[str, SqlType]:
        """Those that a server of this major version has."""
        return {name: kind for name, kind in self.columns.items() if self.since.get(name, 0) <= major}


_VIEWS: dict[str, View] = {}
_FUNCTIONS: dict[str, tuple[dict[str, SqlType], FillFrom, str, int]] = {}
_MODULES = (
    "database_views",
    "file_views",
    "security_views",
    "session_views",
    "server_views",
    "object_views",
    "mirroring_views",
)


def catalog_view(
    name: str, columns: str, *, permission: str = "", since: Mapping[str, int] | None = None
) -> Callable[[Fill], Fill]:
    """Registers a view: columns as `name type, ...`; the function gives a dict per row, what it leaves out is NULL."""

    def register(fill: Fill) -> Fill:
        kinds = {column: sql_type(kind) for column, kind in split_columns(columns)}
        _VIEWS[name.lower()] = View(name, kinds, fill, permission, since or {})
        return fill

    return register


def view(workspace: Workspace, database: Database, schema: str, name: str, *, explicit: bool) -> Relation | None:
    """The relation of a view in a database, filled now; None when the name cannot be one. Raises 208, 300, Unmodelled."""
    _load()
    system = schema.lower() in ("sys", "information_schema")
    short = name.lower()
    if (
        not system
        and f"sys.{short}" in _VIEWS
        and short in ("sysdatabases", "sysprocesses", "syslogins", "sysaltfiles")
    ):
        schema, system = "sys", True
    if not system:
        return None
    found = _VIEWS.get(f"{schema.lower()}.{short}")
    if found is None:
        raise Unmodelled(f"view {schema}.{name}")
    _check_permission(workspace, found.permission)
    columns = found.columns_of(workspace.instance.version[0])
    rows = [tuple(to_storage(row.get(column)) for column in columns) for row in found.fill(workspace, database)]
    table = workspace.view(f"{database.database_id} {found.name}", columns, rows)
    collation = database.options.get("collation") or workspace.instance.settings.collation
    return Relation(kind="view", sql=table, schema=schema, name=name, columns=columns, collation=collation)


def _load() -> None:
    for module in _MODULES:
        importlib.import_module(f".{module}", __package__)


def _check_permission(workspace: Workspace, permission: str) -> None:
    if permission and not workspace.session.login.may(permission):
        raise SqlError(
            300,
            f"{permission} permission was denied on object 'server', database 'master'.",
            severity=14,
            follow=(SqlError(297, "The user does not have permission to perform this action."),),
        )


def catalog_function(
    name: str, columns: str, *, permission: str = "", since: int = 0
) -> Callable[[FillFrom], FillFrom]:
    """Registers a function for FROM, as `catalog_view` does a view. since: major version of the server that has it."""

    def register(fill: FillFrom) -> FillFrom:
        kinds = {column: sql_type(kind) for column, kind in split_columns(columns)}
        _FUNCTIONS[name.lower()] = (kinds, fill, permission, since)
        return fill

    return register


def table_function(workspace: Workspace, name: tuple[str, ...], arguments: tuple[Fragment, ...]) -> Relation:
    """A function in FROM. Raises 208, 300, Unmodelled."""
    _load()
    full = ".".join(name)
    if full.lower() not in _FUNCTIONS:
        raise Unmodelled(f"table-valued function {full}")
    columns, fill, permission, since = _FUNCTIONS[full.lower()]
    if workspace.instance.version[0] < since:
        raise SqlError(208, f"Invalid object name '{full}'.")
    _check_permission(workspace, permission)
    values = tuple(workspace.connection.execute(f"SELECT {argument.sql}").fetchone()[0] for argument in arguments)
    rows = [tuple(to_storage(row.get(column)) for column in columns) for row in fill(workspace, *values)]
    table = workspace.view(f"{full} {values!r}", columns, rows)
    return Relation(kind="view", sql=table, schema=name[0], name=name[-1], columns=columns)
