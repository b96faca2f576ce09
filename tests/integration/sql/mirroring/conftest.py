"""Two database servers and a witness that trust each other, and databases that one mirrors to the other."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import Any

import pymssql
import pytest
from prs_lab.estate.authority import Authority
from prs_lab.sqlserver.mirroring.machine import settle_all
from prs_lab.windows.firewall import TCP, Rule

from ..conftest import SHARE, Server, install, mark

PORT = 5022
SEED = f"{SHARE}\\seed"
MASTER_KEY = "Master-Key-Passw0rd"
RULE = "SQL Server mirroring"
ENOUGH = 25
"""Rows before something happens, and after it."""


@pytest.fixture(scope="module")
def three(lab, sql_a, sql_b):
    """Both servers and a witness, whose ports are open, as Developer and Express Edition."""
    made, ca_file = lab
    host = made.host("witness")
    if host.sql_server.find("MSSQLSERVER") is None:
        folders = {"SQLUSERDBDIR": '"C:\\Data"', "SQLUSERDBLOGDIR": '"C:\\Log"', "SQLBACKUPDIR": '"C:\\Backup"'}
        install(host, Authority(folder=made.state_dir / "authority"), **folders)
    servers = sql_a, sql_b, Server(host=host, ca_file=ca_file)
    for server, edition in zip(servers, ("Developer Edition", "Developer Edition", "Express Edition"), strict=True):
        open_port(server)
        set_edition(server, edition)
    yield servers
    for server in servers[:2]:
        server.run("sql_endpoint", state="absent")
        assert not server.run("sql_endpoint", state="absent")["changed"]
        set_edition(server, "Standard Edition")


def set_edition(server: Server, edition: str) -> None:
    installed = server.host.sql_server.find("MSSQLSERVER")
    server.host.registry.set(f"{installed.key}\\Setup", "Edition", edition, "string")
    server.host.services.restart("MSSQLSERVER")


def open_port(server: Server) -> None:
    server.host.firewall.add(Rule(Name=RULE, Protocol=TCP, LocalPorts=str(PORT), Enabled=True))


@contextlib.contextmanager
def closed_port(*servers: Server):
    """Their endpoints cannot be reached meanwhile, while SQL Server answers its clients."""
    for server in servers:
        server.host.firewall.rules = [rule for rule in server.host.firewall.rules if rule.Name != RULE]
    settle_all()
    try:
        yield
    finally:
        for server in servers:
            open_port(server)
        settle_all()


@contextlib.contextmanager
def killed(*servers: Server):
    """Their SQL Servers die, and are started again afterwards."""
    for server in servers:
        server.host.services.stop("MSSQLSERVER", force=True, crash=True)
    try:
        yield
    finally:
        for server in servers:
            server.host.services.start("MSSQLSERVER")
        settle_all()


@pytest.fixture(scope="module")
def trusted(three):
    """All three have certificates and endpoints, and know each other: made by the modules alone."""
    made = [
        server.run("sql_certificate", name=own(server), master_key_password=MASTER_KEY)["certificate"]
        for server in three
    ]
    for server, certificate in zip(three, made, strict=True):
        others = [(own(other), theirs) for other, theirs in zip(three, made, strict=True) if other is not server]
        for name, theirs in others:
            server.run("sql_certificate", name=name, public=theirs["public"], identity=name)
        server.run("sql_endpoint", certificate=certificate["name"], connect=[name for name, _theirs in others])
    return three


def own(server: Server) -> str:
    """The name of its certificate, of the others' copies of that, and of its login with them."""
    return f"{server.host.name}_mirroring"


def address(server: Server) -> str:
    return f"TCP://{server.host.fqdn}:{PORT}"


@dataclass(kw_only=True)
class Pair:
    """A database on `a`, which is to be mirrored to `b`."""

    a: Server
    b: Server
    witness: Server
    name: str
    wait: int = 60

    def other(self, server: Server) -> Server:
        return self.b if server is self.a else self.a

    def partner(self, server: Server) -> dict[str, Any]:
        """The option `partner` of a task for that server."""
        other = self.other(server)
        return {"login_host": other.host.address, "certificate_name": other.host.fqdn, "address": address(other)}

    def mirror(self, server: Server | None = None, **more: Any) -> dict[str, Any]:
        """sql_mirror, on a if nothing else is said."""
        here = server or self.a
        asked = {"address": address(here), "partner": self.partner(here), "seed_path": SEED, "wait": self.wait, **more}
        return here.run("sql_mirror", database=self.name, **asked)

    def fail_over(self, to: Server, **more: Any) -> dict[str, Any]:
        return to.run("sql_mirror_failover", database=self.name, partner=self.partner(to), wait=self.wait, **more)

    def mark(self, number: int, server: Server | None = None) -> None:
        mark(server or self.a, self.name, number, "a row")

    def state(self, server: Server) -> tuple[str | None, str | None, str | None]:
        """Role, state and safety of the session."""
        return server.ask(
            "SELECT m.mirroring_role_desc, m.mirroring_state_desc, m.mirroring_safety_level_desc FROM sys.databases "
            "d JOIN sys.database_mirroring m "
            "ON m.database_id = d.database_id WHERE d.name = %s", self.name,
        )[0]  # fmt: skip


class Writer(threading.Thread):
    """Writes numbered rows to whichever server takes them, as a client with a failover partner does, and keeps count of
    what was acknowledged.
    """

    def __init__(self, pair):
        super().__init__(daemon=True)
        self.servers, self.name_of_database = [pair.a, pair.b], pair.name
        self.acknowledged, self.refused = [], []
        self._told = threading.Condition()
        self._over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_problem):
        self._over.set()
        self.join()

    def run(self):
        number = 100
        while not self._over.is_set():
            try:
                with (
                    contextlib.closing(self.servers[0].client(self.name_of_database)) as connection,
                    connection.cursor() as cursor,
                ):
                    while not self._over.is_set():
                        number += 1
                        self.refused.append(number)  # until it is known better
                        cursor.execute("INSERT INTO dbo.marker (id, said) VALUES (%s, %s)", (number, "counted"))
                        self.refused.remove(number)
                        with self._told:
                            self.acknowledged.append(number)
                            self._told.notify()
            except pymssql.Error:
                self.servers.reverse()

    def wait_for(self, more):
        """Until that many further rows were acknowledged."""
        with self._told:
            wanted = len(self.acknowledged) + more
            assert self._told.wait_for(lambda: len(self.acknowledged) >= wanted, timeout=120)


@contextlib.contextmanager
def cut_off(pair: Pair, site: str):
    """That site reaches nobody, and nobody reaches it."""
    estate = pair.a.host.estate
    estate.cut(site)
    settle_all()
    try:
        yield
    finally:
        estate.heal()
        settle_all()


@pytest.fixture
def pair(trusted, database):
    made = Pair(a=trusted[0], b=trusted[1], witness=trusted[2], name=database)
    yield made
    done_with(made)


def done_with(pair: Pair) -> None:
    """Everything is sent again, and the database is no longer mirrored."""
    for server in (pair.a, pair.b):
        server.instance.mirroring.hold_sending = False
        if server.ask(
            "SELECT 1 FROM sys.database_mirroring WHERE database_id = DB_ID(%s) AND mirroring_guid IS NOT NULL",
            pair.name,
        ):
            server.do(f"ALTER DATABASE [{pair.name}] SET PARTNER OFF")
