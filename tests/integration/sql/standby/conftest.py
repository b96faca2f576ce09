"""A principal on sql-a and its warm standby on sql-b, on a share that both reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ..conftest import SHARE, Server, mark


@dataclass(kw_only=True)
class Pair:
    """Two servers of one database; either may serve."""

    a: Server
    b: Server
    name: str

    @property
    def folder(self) -> str:
        return f"{SHARE}\\standby\\{self.name}\\database"

    @property
    def unsent(self) -> str:
        return f"{SHARE}\\standby\\{self.name}\\unsent"

    @property
    def source(self) -> dict[str, Any]:
        return {"folders": [self.folder], "time_zone": "UTC"}

    def other(self, server: Server) -> Server:
        return self.a if server is self.b else self.b

    def mark(self, number: int, *, on: Server | None = None) -> None:
        mark(on or self.a, self.name, number, "a row")

    def full(self, server: Server) -> None:
        server.run("sql_backup", database=self.name, path=self.folder)

    def log(self, server: Server) -> None:
        server.run("sql_backup", database=self.name, kind="log", path=self.folder)

    def catch_up(self, server: Server, **options: Any) -> dict[str, Any]:
        return server.run(
            "sql_restore", **{"database": self.name, "source": self.source, "recovery": "norecovery", **options}
        )

    def options(self, server: Server, **more: Any) -> dict[str, Any]:
        """Of sql_standby_failover to a server."""
        other = self.other(server)
        return {
            "database": self.name,
            "partner": {"login_host": other.host.address, "certificate_name": other.host.fqdn},
            "source": self.source,
            "tail_path": self.folder,
            "unsent_path": self.unsent,
            **more,
        }

    def fail_over(self, server: Server, *, check: bool = False, **more: Any) -> dict[str, Any]:
        return server.run("sql_standby_failover", check=check, **self.options(server, **more))

    def states(self) -> tuple[str | None, str | None]:
        return self.a.state_of(self.name), self.b.state_of(self.name)


@pytest.fixture
def pair(sql_a, sql_b, database):
    """Row 1 in a full, row 2 in a log that the standby has, row 3 in one that it has not, row 4 in the tail alone."""
    pair = Pair(a=sql_a, b=sql_b, name=database)
    pair.full(sql_a)
    pair.mark(2)
    pair.log(sql_a)
    pair.catch_up(sql_b)
    pair.mark(3)
    pair.log(sql_a)
    pair.mark(4)
    return pair
