"""The application's way to its database: over the SQL alias of its host, over the real wire, with a real client, to the
principal of a mirror.

The alias is read from the registry view of the pool's bitness, as SqlClient does; the name is resolved by the estate,
the sites' connection and both firewalls are asked, and then Microsoft's ODBC driver (FreeTDS where it is missing) opens
a real connection.
"""

from __future__ import annotations

import itertools
import re
import socket
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from .failover import Partner, SqlFailure, open_with_partner
from .keys import DatabaseConfig

__all__ = ["COLLATION", "Database", "Partners", "SqlFailure", "Target", "resolve"]

COLLATION = "SQL_Latin1_General_CP1_CI_AS"
CONNECT_TIMEOUT = 5
ALIAS_KEYS = {
    False: "HKLM:\\SOFTWARE\\Microsoft\\MSSQLServer\\Client\\ConnectTo",
    True: "HKLM:\\SOFTWARE\\Wow6432Node\\Microsoft\\MSSQLServer\\Client\\ConnectTo",
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a connection goes: the address on the wire, and the name that the certificate must bear."""

    address: str
    port: int
    name: str


def resolve(*, host: Any, data_source: str, wow64: bool = False) -> Target:
    """From what was typed in the wizard to an address; raises SqlFailure with the provider's own error numbers (26, 53,
    11001).
    """
    typed = re.sub(r"^(tcp|np|lpc):", "", data_source.strip(), flags=re.IGNORECASE)
    alias = host.registry.get(ALIAS_KEYS[wow64], typed)
    text = typed
    if alias is not None:
        protocol, _, rest = str(alias).partition(",")
        if protocol.upper() != "DBMSSOCN":
            raise SqlFailure(53, f"The alias {typed} uses {protocol}, which is no TCP/IP connection")
        text = rest
    server, _, port = text.partition(",")
    server, _, instance = server.strip().partition("\\")
    if server.lower() in (".", "(local)", "localhost"):
        server = host.name
    target = host.estate.resolve(server)
    if target is None:
        raise SqlFailure(
            11001,
            f"A network-related error occurred while establishing a connection to SQL Server {typed}: no such host "
            f"is known ({server})",
        )
    if not host.estate.reachable(host, target):
        raise SqlFailure(
            53,
            f"A network-related error occurred while establishing a connection to SQL Server {typed}: the network "
            "path was not found",
        )
    number = int(port) if port.strip().isdigit() else _instance_port(target.address, instance) if instance else 1433
    if target is not host and not target.firewall.accepts(protocol="tcp", port=number, remote=host.address):
        raise SqlFailure(
            10060,
            f"A network-related error occurred while establishing a connection to SQL Server {typed}: the "
            "connection attempt timed out",
        )
    return Target(address=target.address, port=number, name=re.split(r"[,\\]", typed)[0])


def _instance_port(address: str, instance: str) -> int:
    """Asks the SQL Server Browser (UDP 1434) for the port of a named instance."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
        query.settimeout(1)
        try:
            query.sendto(b"\x04" + instance.encode("ascii", "replace") + b"\0", (address, 1434))
            answer = query.recv(4096)
        except OSError as error:
            raise SqlFailure(26, f"Error Locating Server/Instance Specified: {instance}") from error
    found = re.search(rb"tcp;(\d+)", answer)
    if not found:
        raise SqlFailure(26, f"Error Locating Server/Instance Specified: {instance}")
    return int(found[1])


@cache
def _driver() -> str:
    """The driver for a connection string; raises RuntimeError with what to install."""
    import pyodbc

    pyodbc.pooling = False
    try:
        import mssql_python_odbc
    except ImportError:
        wheel = []
    else:
        libraries = Path(mssql_python_odbc.__file__).parent / "libs" / "linux" / "debian_ubuntu"
        wheel = sorted(libraries.glob(f"{_machine()}/lib/libmsodbcsql-*"))
    if wheel:
        return str(wheel[-1])
    for name in sorted(pyodbc.drivers(), reverse=True):
        if "ODBC Driver" in name and "SQL Server" in name:
            return name
    if "FreeTDS" in pyodbc.drivers():
        return "FreeTDS"
    raise RuntimeError(
        "the lab's application needs an ODBC driver for SQL Server: pip install mssql-python-odbc, or apt install "
        "tdsodbc"
    )


def _machine() -> str:
    import platform

    return {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


_PARTNER = "SELECT mirroring_partner_instance FROM sys.database_mirroring WHERE database_id = DB_ID()"
# SqlClient is told it at login (ENVCHANGE 13), and so is every client of the lab; the driver that stands in for
# SqlClient keeps it to itself.

Partners = dict[DatabaseConfig, Partner]
"""What a worker process remembers, by connection string."""


class Database:
    """An open connection; use it in a ``with`` block. Every failure is a SqlFailure."""

    def __init__(
        self,
        *,
        host: Any,
        config: DatabaseConfig,
        wow64: bool,
        timeout: int,
        partners: Partners,
        database: str | None = None,
    ):
        self._host = host
        self._config = config
        self._wow64 = wow64
        self._timeout = timeout
        self._database = config.database if database is None else database
        self._partner = partners.setdefault(replace(config, database=self._database), Partner(config.failover_partner))
        self._connection: Any = None

    def __enter__(self) -> Database:
        self._connection = open_with_partner(
            self._partner, server=self._config.server, database=self._database, connect=self._connect
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Runs one statement and returns its rows, none for a statement without result."""
        return _rows(self._connection, statement, *values)

    def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        rows = self.rows(statement, *values)
        return rows[0][0] if rows else None

    def _connect(self, source: str) -> tuple[Any, str]:
        """A connection, and the name of the failover partner as its server tells it."""
        import pyodbc

        target = resolve(host=self._host, data_source=source, wow64=self._wow64)
        _check_listens(target, source)
        driver = _driver()
        parts = {"DRIVER": driver, "UID": self._config.login, "PWD": self._config.password, "DATABASE": self._database}
        if driver == "FreeTDS":
            parts |= {
                "SERVER": target.address,
                "PORT": str(target.port),
                "TDS_Version": "7.4",
                "Encryption": "require" if self._config.encrypt else "off",
            }
        else:
            parts |= {
                "SERVER": _never_written_so(target),
                "Encrypt": "yes" if self._config.encrypt else "optional",
                "ConnectRetryCount": "0",
                "APP": "Password Reset Server",
            }
            if self._config.encrypt:
                parts["HostNameInCertificate"] = target.name
        text = ";".join(f"{key}={_quote(value)}" for key, value in parts.items())
        try:
            connection = pyodbc.connect(text, autocommit=True, timeout=CONNECT_TIMEOUT)
            connection.timeout = self._timeout
        except pyodbc.Error as error:
            raise _failure(error) from error
        try:
            partner = next(iter(_rows(connection, _PARTNER)), (None,))[0]
        except SqlFailure:
            connection.close()
            raise
        return connection, partner or ""


def _check_listens(target: Target, source: str) -> None:
    """Microsoft's driver would try until its time-out; SqlClient's own number comes at once."""
    try:
        socket.create_connection((target.address, target.port), CONNECT_TIMEOUT).close()
    except ConnectionRefusedError as error:
        raise SqlFailure(
            10061,
            f"A network-related error occurred while establishing a connection to SQL Server {source}: the target "
            "machine actively refused it",
        ) from error
    except OSError as error:
        raise SqlFailure(
            10060, f"A network-related error occurred while establishing a connection to SQL Server {source}: {error}"
        ) from error


_connections = itertools.count()


def _never_written_so(target: Target) -> str:
    """Address and port, each time with other blanks and zeros.

    Microsoft's driver remembers for each way of writing a server which partner it was told, and when that server is a
    mirror by now it waits for the partner's name, which only the estate knows, until its time-out. Who is tried next is
    for ``failover`` to say.
    """
    zeros, blanks = divmod(next(_connections) % 1600, 40)
    return f"{target.address},{' ' * blanks}{'0' * zeros}{target.port}"


def _rows(connection: Any, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    import pyodbc

    try:
        cursor = connection.cursor()
        cursor.execute(statement, *values)
        result = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        while cursor.nextset():
            pass
        cursor.close()
        return result
    except pyodbc.Error as error:
        raise _failure(error) from error


def _quote(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


def _failure(error: Any) -> SqlFailure:
    """SQL Server's number out of the driver's text: ``[42000] [Microsoft]...[SQL Server]Login failed ... (18456)
    (SQLDriverConnect)``.
    """
    text = str(error.args[1] if len(error.args) > 1 else error)
    numbers = [int(found) for found in re.findall(r"\((-?\d+)\)", text)]
    message = re.sub(r"(\[[^\]]*\]\s*)+", "", text, count=1)
    return SqlFailure(numbers[0] if numbers else 0, message)
