"""Tables, columns, indexes of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..query.dates import parse_time
from ..storage.database import Database
from ..types import MAX, SqlType, sql_type
from .views import catalog_view

if TYPE_CHECKING:
    from ..query.workspace import Workspace

__all__: list[str] = []

_TYPE_NUMBERS = {
    "varbinary": 165,
    "varchar": 167,
    "binary": 173,
    "char": 175,
    "nvarchar": 231,
    "nchar": 239,
    "tinyint": 48,
    "smallint": 52,
    "int": 56,
    "bigint": 127,
    "bit": 104,
    "decimal": 106,
    "numeric": 108,
    "money": 60,
    "smallmoney": 122,
    "float": 62,
    "real": 59,
    "datetime": 61,
    "smalldatetime": 58,
    "date": 40,
    "time": 41,
    "datetime2": 42,
    "datetimeoffset": 43,
    "uniqueidentifier": 36,
    "xml": 241,
    "sql_variant": 98,
    "timestamp": 189,
}
_SIZES = {
    "tinyint": 1,
    "smallint": 2,
    "int": 4,
    "bigint": 8,
    "bit": 1,
    "decimal": 9,
    "numeric": 9,
    "money": 8,
    "smallmoney": 4,
    "float": 8,
    "real": 4,
    "datetime": 8,
    "smalldatetime": 4,
    "date": 3,
    "time": 5,
    "datetime2": 8,
    "datetimeoffset": 10,
    "uniqueidentifier": 16,
    "xml": -1,
    "sql_variant": 8016,
}
_OBJECT = """name sysname, object_id int, principal_id int, schema_id int, parent_object_id int, type char(2), type_desc nvarchar(60),
    create_date datetime, modify_date datetime, is_ms_shipped bit, is_published bit, is_schema_published bit"""


def _tables(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    """The tables that the session may see at least something of."""
    access = workspace.access(database)
    return [
        table
        for table in workspace.metadata(database).all("table")
        if access.may_on("SELECT", table["schema"], table["name"])
    ]


def _schema_numbers(workspace: Workspace, database: Database) -> dict[str, int]:
    return {schema["name"]: schema["schema_id"] for schema in workspace.metadata(database).all("schema")}


@catalog_view("sys.objects", _OBJECT)
def _objects(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    numbers = _schema_numbers(workspace, database)
    return [
        {"name": table["name"], "object_id": table["object_id"], "schema_id": numbers.get(table["schema"], 1), "parent_object_id": 0, "type": "U ",
         "type_desc": "USER_TABLE", "create_date": parse_time(table["created"]), "modify_date": parse_time(table["created"]), "is_ms_shipped": 0,
         "is_published": 0, "is_schema_published": 0}
        for table in _tables(workspace, database)
    ]  # fmt: skip


catalog_view("sys.tables", _OBJECT)(_objects)
catalog_view("sys.all_objects", _OBJECT)(_objects)


@catalog_view("sys.views", _OBJECT)
def _views(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    return []  # CREATE VIEW is not modelled


catalog_view("sys.procedures", _OBJECT)(_views)
catalog_view("sys.triggers", _OBJECT)(_views)


def _length(kind: SqlType) -> int:
    if kind.length == MAX:
        return -1
    return kind.length * (2 if kind.is_wide else 1) if kind.length else _SIZES.get(kind.name, 0)


@catalog_view(
    "sys.columns",
    """object_id int, name sysname, column_id int, system_type_id tinyint, user_type_id int, max_length smallint, precision tinyint, scale tinyint,
    collation_name sysname, is_nullable bit, is_identity bit, is_computed bit, default_object_id int""",
)
def _columns(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    rows = []
    for table in _tables(workspace, database):
        for place, column in enumerate(table["columns"], 1):
            kind = sql_type(column["type"])
            number = _TYPE_NUMBERS[kind.name]
            rows.append({
                "object_id": table["object_id"], "name": column["name"], "column_id": place, "system_type_id": number, "user_type_id": number,
                "max_length": _length(kind), "precision": kind.precision, "scale": kind.scale,
                "collation_name": database.options.get("collation") if kind.is_text and kind.name != "xml" else None, "is_nullable": int(column["nullable"]),
                "is_identity": int(bool(column.get("identity"))), "is_computed": 0, "default_object_id": 0,
            })  # fmt: skip
    return rows


@catalog_view(
    "sys.types",
    "name sysname, system_type_id tinyint, user_type_id int, schema_id int, max_length smallint, is_user_defined bit",
)
def _types(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "system_type_id": number,
            "user_type_id": number,
            "schema_id": 4,
            "max_length": _SIZES.get(name, 8000),
            "is_user_defined": 0,
        }
        for name, number in _TYPE_NUMBERS.items()
    ]


@catalog_view(
    "sys.indexes",
    "object_id int, name sysname, index_id int, type tinyint, type_desc nvarchar(60), is_unique bit, is_primary_key "
    "bit",
)
def _indexes(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    numbers = {
        f"{table['schema']}.{table['name']}".lower(): table["object_id"] for table in _tables(workspace, database)
    }
    return [
        {"object_id": numbers[index["table"].lower()], "name": index["name"], "index_id": place, "type": 2, "type_desc": "NONCLUSTERED",
         "is_unique": int(index["unique"]), "is_primary_key": 0}
        for place, index in enumerate(workspace.metadata(database).all("index"), 2) if index["table"].lower() in numbers
    ]  # fmt: skip


@catalog_view(
    "sys.partitions",
    "partition_id bigint, object_id int, index_id int, partition_number int, hobt_id bigint, rows bigint",
)
def _partitions(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    rows = []
    for table in _tables(workspace, database):
        relation = workspace.table(database, table)
        count = workspace.read(f"SELECT count(*) FROM {relation.sql}")[0][0]
        number = table["object_id"]
        rows.append(
            {
                "partition_id": number,
                "object_id": number,
                "index_id": 1,
                "partition_number": 1,
                "hobt_id": number,
                "rows": count,
            }
        )
    return rows


@catalog_view(
    "information_schema.tables",
    "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname, TABLE_TYPE varchar(10)",
)
def _information_tables(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    return [
        {
            "TABLE_CATALOG": database.name,
            "TABLE_SCHEMA": table["schema"],
            "TABLE_NAME": table["name"],
            "TABLE_TYPE": "BASE TABLE",
        }
        for table in _tables(workspace, database)
    ]


@catalog_view(
    "information_schema.columns",
    """TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname, COLUMN_NAME sysname, ORDINAL_POSITION int,
    COLUMN_DEFAULT nvarchar(4000), IS_NULLABLE varchar(3), DATA_TYPE nvarchar(128), CHARACTER_MAXIMUM_LENGTH int, NUMERIC_PRECISION tinyint,
    NUMERIC_SCALE int, DATETIME_PRECISION smallint, COLLATION_NAME sysname""",
)
def _information_columns(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    rows = []
    for table in _tables(workspace, database):
        for place, column in enumerate(table["columns"], 1):
            kind = sql_type(column["type"])
            rows.append({
                "TABLE_CATALOG": database.name, "TABLE_SCHEMA": table["schema"], "TABLE_NAME": table["name"], "COLUMN_NAME": column["name"],
                "ORDINAL_POSITION": place, "IS_NULLABLE": "YES" if column["nullable"] else "NO", "DATA_TYPE": kind.name,
                "CHARACTER_MAXIMUM_LENGTH": kind.length or None, "NUMERIC_PRECISION": kind.precision or None, "NUMERIC_SCALE": kind.scale or None,
                "COLLATION_NAME": database.options.get("collation") if kind.is_text else None,
            })  # fmt: skip
    return rows
