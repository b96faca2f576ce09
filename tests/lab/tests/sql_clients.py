"""Real TDS clients for the SQL Server twin's tests."""

from __future__ import annotations

import pathlib
from typing import Any

import mssql_python_odbc
import pymssql
import pyodbc
import pytds
from prs_lab.sqlserver.instance import Instance

from .sql_host import PASSWORD

__all__ = ["CLIENTS", "FREETDS", "MICROSOFT", "connect", "create_database", "drain", "microsoft", "rows"]

pyodbc.pooling = False
MICROSOFT = str(
    next(pathlib.Path(mssql_python_odbc.__file__).parent.glob("libs/linux/debian_ubuntu/*/lib/libmsodbcsql-18*.so*"))
)
FREETDS = next(
    (name for name in pyodbc.drivers() if "freetds" in name.lower()), "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so"
)
CLIENTS = ("microsoft", "freetds", "pymssql", "pytds")


def microsoft(
    instance: Instance,
    *,
    encryption: str = "TrustServerCertificate=yes;",
    server: str = "127.0.0.1",
    user: str = "sa",
    password: str = PASSWORD,
    **options: Any,
) -> pyodbc.Connection:
    """Microsoft's ODBC driver 18."""
    options.setdefault("autocommit", True)
    text = f"DRIVER={{{MICROSOFT}}};SERVER={server},{instance.port};{encryption}UID={user};PWD={{{password}}};"
    return pyodbc.connect(text, timeout=60, **options)


def connect(
    client: str,
    instance: Instance,
    *,
    user: str = "sa",
    password: str = PASSWORD,
    database: str = "master",
    autocommit: bool = True,
) -> Any:
    """A connection by one of CLIENTS."""
    if client == "microsoft":
        return microsoft(
            instance,
            user=user,
            password=password,
            encryption=f"TrustServerCertificate=yes;DATABASE={database};",
            autocommit=autocommit,
        )
    if client == "freetds":
        text = f"DRIVER={{{FREETDS}}};SERVER=127.0.0.1;PORT={instance.port};TDS_Version=7.4;UID={user};PWD={password};DATABASE={database};"
        return pyodbc.connect(text, timeout=60, autocommit=autocommit)
    if client == "pymssql":
        return pymssql.connect(
            server="127.0.0.1",
            port=str(instance.port),
            user=user,
            password=password,
            database=database,
            autocommit=autocommit,
            login_timeout=60,
            tds_version="7.4",
        )
    return pytds.connect(
        dsn="127.0.0.1",
        port=instance.port,
        user=user,
        password=password,
        database=database,
        autocommit=autocommit,
        login_timeout=60,
    )


def drain(cursor: Any) -> tuple[list[list[tuple[Any, ...]]], list[str]]:
    """(rows of every result set, texts of all messages) of a pyodbc cursor, read to the very end."""
    results, messages = [], []
    while True:
        messages += [text.rpartition("]")[2] for _, text in cursor.messages or ()]
        if cursor.description:
            results.append([tuple(row) for row in cursor.fetchall()])
        if not cursor.nextset():
            return results, messages


def create_database(connection: Any, name: str, data: str, log: str) -> None:
    """Of one data file `a` and one log `b`, by their paths."""
    files = f"ON (NAME = a, FILENAME = '{data}') LOG ON (NAME = b, FILENAME = '{log}')"
    drain(connection.execute(f"CREATE DATABASE {name} {files}"))


def rows(connection: Any, text: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of the first result set."""
    cursor = connection.cursor()
    cursor.execute(text, *([parameters] if parameters else []))
    return [tuple(row) for row in cursor.fetchall()]
