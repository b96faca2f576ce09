"""The application and the partners of a mirrored database: whom SqlClient tries, what it remembers, and that the page
is there again.
"""

from __future__ import annotations

import contextlib
import itertools
import logging

import pytds
import pytest
from prs_lab.application.failover import ATTEMPTS, Partner, SqlFailure, open_with_partner
from prs_lab.application.keys import decode_database
from prs_lab.sqlserver.mirroring.machine import settle_all
from prs_lab.sqlserver.wire.items import Error

from .test_application_database import ALIAS, ANSWERS, FOLDER, PASSWORDS, SYSTEM, Pair
from .windows_lab import Runner

DOWN = SqlFailure(53, "not there")
MIRROR = SqlFailure(4060, "a mirror")


class Connection:
    closed = False

    def close(self):
        self.closed = True


class Servers:
    """Answers by name: a failure, or the partner that this server tells of; `asked` in order."""

    def __init__(self, **answers):
        self.answers, self.asked, self.opened = answers, [], []

    def __call__(self, name):
        self.asked.append(name)
        if isinstance(self.answers[name], SqlFailure):
            raise self.answers[name]
        self.opened.append(Connection())
        return self.opened[-1], self.answers[name]

    def open(self, known):
        return open_with_partner(known, server="one", database="PRS", connect=self)


@pytest.mark.parametrize(("known", "answers", "asked", "then"), [
    (Partner(""), {"one": ""}, ["one"], Partner("")),
    # learned without being told
    (Partner(""), {"one": "TWO"}, ["one"], Partner("TWO")),
    # the server's name replaces ours
    (Partner("two"), {"one": "TWO"}, ["one"], Partner("TWO")),
    # no mirror: ours is forgotten
    (Partner("two"), {"one": ""}, ["one"], Partner("")),
    (Partner("two"), {"one": DOWN, "two": "ONE"}, ["one", "two"], Partner("two", leads=True)),
    (Partner("two"), {"one": MIRROR, "two": "ONE"}, ["one", "two"], Partner("two", leads=True)),
    # and is not replaced any more
    (Partner("two", leads=True), {"two": "THREE"}, ["two"], Partner("two", leads=True)),
    (Partner("two", leads=True), {"two": MIRROR, "one": "TWO"}, ["two", "one"], Partner("TWO")),
])  # fmt: skip
def test_who_is_tried_and_what_is_remembered(known, answers, asked, then):
    servers = Servers(**answers)
    assert not servers.open(known).closed
    assert (servers.asked, known) == (asked, then)


def test_both_are_tried_in_turn_until_the_login_time_out():
    servers = Servers(one=DOWN, two=MIRROR)
    with pytest.raises(SqlFailure, match="a mirror"):
        servers.open(Partner("two"))
    assert servers.asked == ["one", "two"] * (ATTEMPTS // 2)


def test_the_attempts_are_what_the_login_time_out_has_room_for():
    """8 % of the time for each server, then 16 %, then 24 %, and a pause after both, which doubles."""
    left, pause, attempts = 15_000, 100, 0
    for number in itertools.count():
        left -= min(left, 1_200 * (number // 2 + 1))
        attempts += 1
        if number % 2:
            if left <= pause:
                break
            left, pause = left - pause, pause * 2
    assert attempts == ATTEMPTS


def test_a_refused_login_ends_the_attempts():
    servers = Servers(one=SqlFailure(18456, "who?"), two="ONE")
    with pytest.raises(SqlFailure, match="who"):
        servers.open(Partner("two"))
    assert servers.asked == ["one"]


def test_a_partner_that_mirrors_nothing_is_an_error():
    servers = Servers(one=DOWN, two="")
    with pytest.raises(SqlFailure, match="two, database PRS is not configured for database mirroring"):
        servers.open(Partner("two"))
    assert servers.opened[0].closed


# ---- over the wire


class Site(Pair):
    """A web server whose database is mirrored from one SQL Server (alias prs-sql) to another (alias prs-sql-2)."""

    def __init__(self, root):
        super().__init__(root)
        first, self.sql = self.sql, Runner(self.network.add("sqlb"))
        self._set_up_sql()
        self.sql, self.other = first, self.sql
        self.web.host.registry.set(ALIAS, "prs-sql-2", f"DBMSSOCN,{self.other.host.fqdn},1433")
        for runner in (self.sql, self.other):
            runner.ok(
                "community.windows.win_firewall_rule",
                name="mirroring",
                direction="in",
                action="allow",
                protocol="tcp",
                localport="5022",
            )

    def run(self, runner, *statements):
        """As sa, on that server."""
        session = runner.host.sql_server.running("MSSQLSERVER").local_session("sa")
        try:
            for statement in statements:
                assert not [item for item in session.execute(statement) if isinstance(item, Error)], statement
        finally:
            session.close()

    def mirror(self):
        pair = (self.sql, self.other)
        for one in pair:
            name = one.host.name
            self.run(
                one, "CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Master-Key-1'", f"CREATE CERTIFICATE {name}_cert "
                                                                                  f"WITH SUBJECT = '{name}'",
                f"BACKUP CERTIFICATE {name}_cert TO FILE = 'C:\\media\\{name}.cer'",
                "CREATE ENDPOINT mirroring STATE = STARTED AS TCP (LISTENER_PORT = 5022) FOR DATABASE_MIRRORING "
                f"(AUTHENTICATION = CERTIFICATE {name}_cert, "
                "ENCRYPTION = REQUIRED ALGORITHM AES, ROLE = ALL)",
            )  # fmt: skip
        for one, other in (pair, pair[::-1]):
            name = other.host.name
            self._copy(f"C:\\media\\{name}.cer", other, one)
            self.run(
                one, f"CREATE LOGIN {name}_login WITH PASSWORD = 'Nobody-knows-1'", f"CREATE USER {name}_user FOR "
                                                                                    f"LOGIN {name}_login",
                f"CREATE CERTIFICATE {name}_cert AUTHORIZATION {name}_user FROM FILE = 'C:\\media\\{name}.cer'",
                f"GRANT CONNECT ON ENDPOINT::mirroring TO {name}_login",
            )  # fmt: skip
        database = "PasswordResetServer"
        self.run(
            self.sql,
            f"ALTER DATABASE {database} SET RECOVERY FULL",
            f"BACKUP DATABASE {database} TO DISK = 'C:\\media\\full.bak'",
        )
        self.mark("first")
        self.run(self.sql, f"BACKUP LOG {database} TO DISK = 'C:\\media\\log.trn'")
        for name in ("full.bak", "log.trn"):
            self._copy(f"C:\\media\\{name}", self.sql, self.other)
        self.run(
            self.other, f"RESTORE DATABASE {database} FROM DISK = 'C:\\media\\full.bak' WITH NORECOVERY",
            f"RESTORE LOG {database} FROM DISK = 'C:\\media\\log.trn' WITH NORECOVERY",
            f"ALTER DATABASE {database} SET PARTNER = 'TCP://{self.sql.host.fqdn}:5022'",
        )  # fmt: skip
        self.run(self.sql, f"ALTER DATABASE {database} SET PARTNER = 'TCP://{self.other.host.fqdn}:5022'")
        settle_all()

    @staticmethod
    def _copy(path, source, target):
        target.host.files(SYSTEM).write(path, source.host.files(SYSTEM).read(path))

    def fail_over(self, runner):
        self.run(runner, "ALTER DATABASE PasswordResetServer SET PARTNER FAILOVER")
        settle_all()

    def recycle(self):
        """A new worker process, which remembers nothing."""
        self.web.host.iis.stop_pool("Prs")
        self.web.host.iis.start_pool("Prs")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    one = Site(tmp_path_factory.mktemp("mirrored"))
    sid = one.sql.host.sql_server.running("MSSQLSERVER").logins.get("prs_app").sid.hex()
    one.run(
        one.other, "DROP LOGIN prs_app", f"CREATE LOGIN prs_app WITH PASSWORD = '{PASSWORDS['prs_app']}', SID = 0x{sid}"
    )
    answers = {**ANSWERS, 2: {**ANSWERS[2], "encrypt": "no", "failover_partner": "prs-sql-2"}}
    assert one.browser.wizard(answers=answers).state == "ready"
    one.mirror()
    yield one
    one.network.close()


def labels(site):
    page = site.browser.page()
    assert page.state == "ready", page.detail
    return [row["label"] for row in page.rows]


def test_the_wizard_keeps_partner_and_initial_catalog(site):
    config = decode_database(site.web.host.files(SYSTEM).read(FOLDER + r"\database.config"))
    assert (config.server, config.database, config.failover_partner) == ("prs-sql", "PasswordResetServer", "prs-sql-2")


def test_the_principal_tells_its_partner_at_login_and_nobody_else_does(site, caplog):
    """By another client: the name of the mirror is on the wire, only for the mirrored database."""
    for database, expected in (("PasswordResetServer", ["got mirroring partner SQLB"]), ("master", [])):
        caplog.clear()
        with (
            caplog.at_level(logging.INFO, logger="pytds"),
            contextlib.closing(pytds.connect(site.sql.host.address, database, "prs_app", PASSWORDS["prs_app"])),
        ):
            assert [text for text in caplog.messages if "mirroring partner" in text] == expected


def test_the_page_follows_there_and_back(site):
    assert labels(site) == ["first"]
    site.fail_over(site.sql)
    site.mark("second")
    assert labels(site) == ["first", "second"]
    site.fail_over(site.other)
    assert labels(site) == ["first", "second"]


def test_a_worker_that_starts_after_the_failover_goes_by_the_connection_string(site):
    site.fail_over(site.sql)
    site.recycle()
    site.sql.ok("win_service", name="MSSQLSERVER", state="stopped")
    try:
        assert labels(site)[0] == "first"
    finally:
        site.sql.ok("win_service", name="MSSQLSERVER", state="started")
        settle_all()
        site.fail_over(site.other)


def test_the_name_that_the_server_tells_replaces_the_one_of_the_connection_string(site):
    """An alias that has led nowhere since does not matter to a worker that was connected before; to a new one it does."""
    site.recycle()
    assert labels(site)[0] == "first"
    site.web.host.registry.set(ALIAS, "prs-sql-2", "DBMSSOCN,nobody,1433")
    site.fail_over(site.sql)
    try:
        assert labels(site)[0] == "first"
        site.recycle()
        assert site.browser.page().meta["prs-sql-error"] == "11001"
    finally:
        site.web.host.registry.set(ALIAS, "prs-sql-2", f"DBMSSOCN,{site.other.host.fqdn},1433")
        site.fail_over(site.other)


def test_nothing_was_asked_that_is_not_modelled(site):
    assert [list(host.record.entries("unmodelled")) for host in site.network.hosts.values()] == [[], [], []]
