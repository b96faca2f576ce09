"""CREATE, ALTER and DROP: which recogniser for which kind of thing; tables, indexes and modules themselves."""

from __future__ import annotations

from . import ir_objects as ir
from .certificates import create_certificate, create_master_key, endpoint
from .databases import alter_database, create_database, drop_database
from .ir import Statement
from .principals import (
    alter_authorization,
    alter_login,
    alter_role,
    alter_user,
    create_login,
    create_role,
    create_schema,
    create_user,
    permission,
)
from .stream import TokenStream
from .tables import (
    ColumnDefinition,
    TableConstraint,
    column_definition,
    key_columns,
    table_constraint,
    table_definition,
)

__all__ = ["alter", "create", "drop", "permission"]

_MODULES = ("VIEW", "PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "SYNONYM", "SEQUENCE", "TYPE")
_CREATE = {
    "DATABASE": create_database,
    "LOGIN": create_login,
    "USER": create_user,
    "ROLE": lambda stream: create_role(stream, server=False),
    "SCHEMA": create_schema,
    "CERTIFICATE": create_certificate,
    "ENDPOINT": lambda stream: endpoint(stream, create=True),
    "TABLE": lambda stream: _create_table(stream),
}
_ALTER = {
    "DATABASE": alter_database,
    "LOGIN": alter_login,
    "USER": alter_user,
    "ROLE": lambda stream: alter_role(stream, server=False),
    "AUTHORIZATION": alter_authorization,
    "ENDPOINT": lambda stream: endpoint(stream, create=False),
    "TABLE": lambda stream: _alter_table(stream),
}
_DROP = ("TABLE", "LOGIN", "USER", "ROLE", "SCHEMA", "CERTIFICATE", "ENDPOINT", *_MODULES)


def create(stream: TokenStream) -> Statement:
    """After CREATE."""
    if stream.accept_all("MASTER", "KEY"):
        return create_master_key(stream)
    if stream.accept_all("SERVER", "ROLE"):
        return create_role(stream, server=True)
    if stream.peek() in ("UNIQUE", "CLUSTERED", "NONCLUSTERED", "INDEX"):
        return _create_index(stream)
    stream.accept_all("OR", "ALTER")
    if stream.peek() in _MODULES:
        return _module(stream)
    return _CREATE[stream.expect(*_CREATE)](stream)


def alter(stream: TokenStream) -> Statement:
    """After ALTER."""
    if stream.accept_all("SERVER", "ROLE"):
        return alter_role(stream, server=True)
    if stream.peek() in _MODULES:
        return _module(stream)
    return _ALTER[stream.expect(*_ALTER)](stream)


def drop(stream: TokenStream) -> Statement:
    """After DROP."""
    if stream.accept("DATABASE"):
        return drop_database(stream)
    if stream.accept_all("MASTER", "KEY"):
        stream.expect_end()
        return ir.DropObject(kind="master key")
    if stream.accept_all("SERVER", "ROLE"):
        kind = "server role"
    elif stream.accept("INDEX"):
        return _drop_index(stream)
    else:
        kind = stream.expect(*_DROP).lower()
    if_exists = bool(stream.accept_all("IF", "EXISTS"))
    names = [stream.dotted_name()]
    while kind in ("table", "view", "procedure", "proc", "function") and stream.accept(","):
        names.append(stream.dotted_name())
    stream.expect_end()
    return ir.DropObject(kind=kind, names=tuple(names), if_exists=if_exists)


def _create_table(stream: TokenStream) -> Statement:
    table = stream.dotted_name()
    definition = table_definition(stream)
    if stream.accept("ON"):
        stream.take() if stream.peek() == "PRIMARY" else stream.name()
    stream.expect_end()
    return ir.CreateTable(table=table, definition=definition)


def _alter_table(stream: TokenStream) -> Statement:
    table = stream.dotted_name()
    if stream.accept("WITH"):
        stream.expect("CHECK", "NOCHECK")
        action = stream.expect("ADD")
    else:
        action = stream.expect("ADD", "DROP", "ALTER")
    columns: list[ColumnDefinition] = []
    constraints: list[TableConstraint] = []
    dropped: list[tuple[str, str]] = []
    altered = None
    if action == "ALTER":
        stream.expect("COLUMN")
        altered = column_definition(stream)
    else:
        while True:
            if action == "DROP":
                kind = stream.accept("COLUMN", "CONSTRAINT").lower() or (dropped[-1][0] if dropped else "constraint")
                stream.accept_all("IF", "EXISTS")
                dropped.append((kind, stream.name()))
            elif stream.peek() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "DEFAULT"):
                constraints.append(table_constraint(stream))
            else:
                columns.append(column_definition(stream))
            if not stream.accept(","):
                break
    stream.expect_end()
    return ir.AlterTable(
        table=table, columns=tuple(columns), constraints=tuple(constraints), altered=altered, dropped=tuple(dropped)
    )


def _create_index(stream: TokenStream) -> Statement:
    unique = bool(stream.accept("UNIQUE"))
    stream.accept("CLUSTERED", "NONCLUSTERED")
    stream.expect("INDEX")
    name = stream.name()
    stream.expect("ON")
    table = stream.dotted_name()
    columns = key_columns(stream)
    if stream.accept("INCLUDE"):
        key_columns(stream)
    stream.expect_end()
    return ir.CreateIndex(name=name, table=table, columns=columns, unique=unique)


def _drop_index(stream: TokenStream) -> Statement:
    if_exists = bool(stream.accept_all("IF", "EXISTS"))
    name = stream.name()
    stream.expect("ON")
    table = stream.dotted_name()
    stream.expect_end()
    return ir.DropObject(kind="index", names=((*table, name),), if_exists=if_exists)


def _module(stream: TokenStream) -> Statement:
    """A module takes the rest of its batch."""
    kind = stream.expect(*_MODULES).lower()
    name = stream.dotted_name()
    stream.place = len(stream.tokens)
    return ir.CreateModule(kind=kind, name=name)
