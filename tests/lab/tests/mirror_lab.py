"""Three SQL Servers that mirror: a principal, a mirror and a witness over host doubles, with names, and lines that can
be cut.
"""

from __future__ import annotations

import itertools
import pathlib
from typing import Any

from prs_lab.record import Record
from prs_lab.sqlserver.instance import Instance
from prs_lab.sqlserver.mirroring.machine import settle_all
from prs_lab.sqlserver.settings import Settings
from prs_lab.sqlserver.wire.items import Cols, Error, Row, Rows

from .sql_host import PASSWORD, LabHost, free_port

__all__ = ["MirrorLab", "Refusal", "Server"]

_numbers = itertools.count(1)


class Refusal(Exception):
    """The first error of a batch."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(f"{number}: {text}")
        self.number = number


class NetHost(LabHost):
    """A host on a network of its own; `up` says whether it is on, `account` who its service is for others."""

    def __init__(self, lab: MirrorLab, root: pathlib.Path, settings: Settings, name: str) -> None:
        super().__init__(root, settings, name=name, record=lab.record)
        self.lab = lab
        self.account: str | None = None

    def route(self, name: str, port: int) -> str | None:
        found = next(
            (one.host for one in self.lab.servers.values() if name.lower() in (one.host.name.lower(), one.host.fqdn)),
            None,
        )
        if found is None or frozenset((self.name, found.name)) in self.lab.broken or port in self.lab.filtered:
            return None
        return found.address

    def network_name(self, account: str) -> str | None:
        return self.account


class Server:
    """One instance and how a test uses it."""

    def __init__(self, lab: MirrorLab, name: str, root: pathlib.Path, **settings: Any) -> None:
        self.root = root
        self.mirroring_port = free_port()
        self.settings = Settings(**{
            "mixed_mode": True, "sa_password": PASSWORD, "port": free_port(), "data_dir": "D:\\Data", "log_dir": "D:\\Data", "backup_dir": "D:\\Backup",
            **settings,
        })  # fmt: skip
        self.host = NetHost(lab, root / "drives", self.settings, name)
        self.instance: Instance
        self.start()

    @property
    def address(self) -> str:
        return f"TCP://{self.host.fqdn}:{self.mirroring_port}"

    def start(self) -> None:
        self.instance = Instance(self.host, "MSSQLSERVER", self.root / "sql")
        self.instance.start()

    def kill(self) -> None:
        self.instance.stop(crash=True)

    def stop(self) -> None:
        self.instance.stop()

    def run(self, text: str, *, database: str = "master", login: str = "sa") -> list[tuple[Any, ...]]:
        """The rows of the last result set. Raises Refusal."""
        session = self.instance.local_session(login)
        rows: list[tuple[Any, ...]] = []
        try:
            for item in itertools.chain(session.execute(f"USE [{database}]"), session.execute(text)):
                if isinstance(item, Error):
                    raise Refusal(item.number, item.text)
                if isinstance(item, Cols):
                    rows = []
                elif isinstance(item, Row):
                    rows.append(tuple(item.values))
                elif isinstance(item, Rows):
                    rows += [tuple(row) for row in item.rows]
        finally:
            session.close()
        return rows

    def rows(self, database: str) -> list[int]:
        return [number for (number,) in self.run("SELECT n FROM dbo.t ORDER BY n", database=database)]

    def insert(self, database: str, *numbers: int) -> None:
        for number in numbers:
            self.run(f"INSERT INTO dbo.t (n) VALUES ({number})", database=database)

    def state(self, database: str) -> tuple[str | None, str | None, str]:
        """(role, mirroring state, state of the database)."""
        ((role, state, online),) = self.run(
            "SELECT m.mirroring_role_desc, m.mirroring_state_desc, d.state_desc FROM sys.databases d JOIN "
            "sys.database_mirroring m "
            f"ON m.database_id = d.database_id WHERE d.name = '{database}'"
        )
        return role, state, online

    def set(self, database: str, option: str) -> None:
        self.run(f"ALTER DATABASE [{database}] SET {option}")


class MirrorLab:
    """`a` and `b` are partners, `w` is the witness. All trust each other by certificates."""

    def __init__(self, root: pathlib.Path, *, edition: str = "Developer Edition (64-bit)") -> None:
        self.root = root
        self.record = Record()
        self.servers: dict[str, Server] = {}
        self.broken: set[frozenset[str]] = set()
        self.filtered: set[int] = set()
        for name, kind in (("SQLA", edition), ("SQLB", edition), ("SQLW", "Express Edition (64-bit)")):
            self.servers[name] = Server(self, name, root / name, edition=kind)
        self.a, self.b, self.w = self.servers.values()
        for one in self.servers.values():
            self.certify(one)
        for one in self.servers.values():
            for other in self.servers.values():
                if one is not other:
                    self.trust(one, other)

    def certify(self, one: Server) -> None:
        one.run("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Master-Key-1'")
        one.run(f"CREATE CERTIFICATE {one.host.name}_cert WITH SUBJECT = '{one.host.name}'")
        one.run(f"BACKUP CERTIFICATE {one.host.name}_cert TO FILE = 'D:\\Backup\\{one.host.name}.cer'")
        role = "WITNESS" if "Express" in one.settings.edition else "ALL"
        one.run(
            f"CREATE ENDPOINT mirroring STATE = STARTED AS TCP (LISTENER_PORT = {one.mirroring_port}) FOR "
            "DATABASE_MIRRORING "
            f"(AUTHENTICATION = CERTIFICATE {one.host.name}_cert, ENCRYPTION = REQUIRED ALGORITHM AES, ROLE = {role})"
        )

    def trust(self, one: Server, other: Server) -> None:
        """`one` lets `other` in."""
        name = other.host.name
        one.host.view.write(f"D:\\Backup\\{name}.cer", other.host.view.read(f"D:\\Backup\\{name}.cer"))
        one.run(f"CREATE LOGIN {name}_login WITH PASSWORD = 'Nobody-knows-1'")
        one.run(f"CREATE USER {name}_user FOR LOGIN {name}_login")
        one.run(f"CREATE CERTIFICATE {name}_cert AUTHORIZATION {name}_user FROM FILE = 'D:\\Backup\\{name}.cer'")
        one.run(f"GRANT CONNECT ON ENDPOINT::mirroring TO {name}_login")

    # ---- databases

    def create(self) -> str:
        """A database on a with row 1, backed up."""
        name = f"M{next(_numbers)}"
        self.a.run(f"CREATE DATABASE {name}")
        self.a.run(f"ALTER DATABASE {name} SET RECOVERY FULL")
        self.a.run("CREATE TABLE dbo.t (n int PRIMARY KEY, filler varchar(200))", database=name)
        self.a.insert(name, 1)
        self.backup(name, "full")
        return name

    def backup(self, name: str, kind: str, *, server: Server | None = None) -> None:
        what = "DATABASE" if kind == "full" else "LOG"
        (server or self.a).run(f"BACKUP {what} {name} TO DISK = 'D:\\Backup\\{name}-{kind}.bak' WITH INIT")

    def restore(self, name: str, kind: str, *, to: Server | None = None, source: Server | None = None) -> None:
        target, path = to or self.b, f"D:\\Backup\\{name}-{kind}.bak"
        target.host.view.write(path, (source or self.a).host.view.read(path))
        target.run(
            f"RESTORE {'DATABASE' if kind == 'full' else 'LOG'} {name} FROM DISK = '{path}' WITH NORECOVERY, REPLACE"
        )

    def seeded(self) -> str:
        """A database on a with rows 1 and 2, and RESTORING on b, with a log backup restored."""
        name = self.create()
        self.restore(name, "full")
        self.a.insert(name, 2)
        self.backup(name, "log")
        self.restore(name, "log")
        return name

    def mirrored(self, *, witness: bool = False, safety: str = "FULL") -> str:
        name = self.seeded()
        self.b.set(name, f"PARTNER = '{self.a.address}'")
        self.a.set(name, f"PARTNER = '{self.b.address}'")
        if safety == "OFF":
            self.a.set(name, "PARTNER SAFETY OFF")
        if witness:
            self.a.set(name, f"WITNESS = '{self.w.address}'")
        return name

    # ---- the network

    def cut(self, *pairs: tuple[Server, Server]) -> None:
        self.broken |= {frozenset((one.host.name, other.host.name)) for one, other in pairs}
        settle_all()

    def isolate(self, one: Server) -> None:
        """Nobody reaches the server any more, and it nobody."""
        self.cut(*((one, other) for other in self.servers.values() if other is not one))

    def heal(self) -> None:
        self.broken.clear()
        settle_all()

    def close(self) -> None:
        for one in self.servers.values():
            one.instance.stop()
