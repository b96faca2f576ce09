"""What mirroring does to rows: commits that wait, log that is late, servers that die in either order, lines that are
cut and healed.
"""

from __future__ import annotations

import contextlib
import threading

import pyodbc
import pytest
from prs_lab.sqlserver.mirroring.machine import settle_all, stop_together

from .mirror_lab import MirrorLab, Refusal
from .sql_clients import CLIENTS, connect, microsoft, rows


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    made = MirrorLab(tmp_path_factory.mktemp("mirrors"))
    yield made
    made.close()


@pytest.fixture
def new(lab):
    """Makes mirrored databases; afterwards everything runs, is connected and not mirrored any more."""
    names = []

    def make(**how):
        names.append(lab.mirrored(**how))
        return names[-1]

    yield make
    lab.heal()
    for server in (lab.a, lab.b, lab.w):
        if server.instance.started is None:
            server.start()
        server.instance.mirroring.hold_sending = server.instance.mirroring.hold_redo = False
    for name in names:
        for server in (lab.a, lab.b):
            with contextlib.suppress(Refusal):
                server.set(name, "PARTNER OFF")


def refused(server, name, option, number):
    with pytest.raises(Refusal) as refusal:
        server.set(name, option)
    assert refusal.value.number == number


def late(server, name):
    """(unsent, unrestored) in KB, and the whole row by name."""
    (row,) = server.run(f"EXEC sp_dbmmonitorresults '{name}', 0, 1", database="msdb")
    return row[5], row[7]


class Writer(threading.Thread):
    """A client that inserts one row after the other and remembers which ones the server said were committed."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.connection = microsoft(server.instance)
        self.connection.execute(f"USE [{name}]")
        self.acknowledged = [1, 2]
        self.some = threading.Event()

    def run(self):
        with contextlib.suppress(pyodbc.Error):
            for number in range(1000, 100000):
                self.connection.execute("INSERT INTO dbo.t (n) VALUES (?)", number)
                self.acknowledged.append(number)
                if len(self.acknowledged) > 30:
                    self.some.set()


# ---- commits


def test_what_a_client_was_told_is_on_the_mirror_when_the_principal_dies(lab, new):
    name = new(witness=True)
    writer = Writer(lab.a, name)
    writer.start()
    assert writer.some.wait(60)
    lab.a.kill()
    writer.join(60)
    assert lab.b.state(name) == ("PRINCIPAL", "DISCONNECTED", "ONLINE")
    found = lab.b.rows(name)
    assert found[: len(writer.acknowledged)] == writer.acknowledged
    assert len(found) - len(writer.acknowledged) <= 1  # the one that was on its way
    lab.a.start()
    assert lab.a.state(name) == ("MIRROR", "SYNCHRONIZED", "RESTORING")
    lab.b.insert(name, 500)
    lab.b.set(name, "PARTNER FAILOVER")
    assert lab.a.rows(name) == sorted([*found, 500])


def test_a_commit_waits_for_the_mirror(lab, new):
    name = new()
    lab.a.instance.mirroring.hold_sending = True
    done = threading.Event()
    client = threading.Thread(target=lambda: (lab.a.insert(name, 3), done.set()), daemon=True)
    client.start()
    while lab.a.rows(name) != [1, 2, 3]:
        done.wait(0.02)
    assert not done.wait(0.3) and late(lab.a, name)[0] > 0
    lab.a.instance.mirroring.hold_sending = False
    assert done.wait(60)
    client.join(60)
    assert late(lab.a, name) == (0, 0)


def test_an_asynchronous_commit_does_not_wait_and_its_lag_is_measured(lab, new):
    name = new(safety="OFF")
    lab.a.instance.mirroring.hold_sending = True
    lab.a.insert(name, *range(3, 8))
    assert lab.a.state(name)[1] == lab.b.state(name)[1] == "SYNCHRONIZING"
    first = late(lab.a, name)[0]
    lab.a.insert(name, *range(8, 13))
    assert 0 < first < late(lab.a, name)[0]
    lab.a.instance.mirroring.hold_sending = False
    settle_all()
    assert late(lab.a, name) == (0, 0) and lab.a.state(name)[1] == "SYNCHRONIZED"


@pytest.mark.parametrize("restarted", [True, False])
def test_log_that_the_mirror_has_written_and_not_redone_is_not_lost(lab, new, restarted):
    name = new()
    lab.b.instance.mirroring.hold_redo = True
    lab.a.insert(name, 3, 4)
    assert late(lab.b, name)[1] > 0 and late(lab.a, name) == (0, late(lab.b, name)[1])
    if restarted:
        lab.b.kill()
        lab.b.start()  # with its redo queue on disk
    lab.a.set(name, "PARTNER FAILOVER")
    assert lab.b.rows(name) == [1, 2, 3, 4]


# ---- forced service


def test_forced_service_loses_what_was_not_sent_and_nothing_else(lab, new):
    name = new(safety="OFF")
    lab.a.insert(name, 3)
    settle_all()
    lab.a.instance.mirroring.hold_sending = True
    lab.a.insert(name, 4, 5)
    lab.a.kill()
    lab.b.set(name, "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS")
    assert lab.b.rows(name) == [1, 2, 3]
    lab.b.insert(name, 100)
    lab.a.start()
    assert (lab.a.state(name), lab.b.state(name)) == (
        ("MIRROR", "SUSPENDED", "RESTORING"),
        ("PRINCIPAL", "SUSPENDED", "ONLINE"),
    )
    refused(lab.b, name, "PARTNER FAILOVER", 1477)
    lab.b.set(name, "PARTNER RESUME")
    lab.b.set(name, "PARTNER SAFETY FULL")
    lab.b.set(name, "PARTNER FAILOVER")
    assert lab.a.rows(name) == [1, 2, 3, 100]


def test_what_was_not_sent_can_be_saved_by_removing_mirroring(lab, new):
    name = new(safety="OFF")
    lab.a.instance.mirroring.hold_sending = True
    lab.a.insert(name, 3, 4)
    lab.cut((lab.a, lab.b))
    lab.b.set(name, "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS")
    lab.heal()
    assert lab.a.state(name) == ("MIRROR", "SUSPENDED", "RESTORING")
    lab.a.set(name, "PARTNER OFF")
    lab.a.run(f"RESTORE DATABASE {name} WITH RECOVERY")
    assert (lab.a.rows(name), lab.b.rows(name)) == ([1, 2, 3, 4], [1, 2])


def test_two_principals_after_a_cut_and_the_forced_one_is_right(lab, new):
    name = new()
    client = microsoft(lab.a.instance)
    client.execute(f"USE {name}")
    lab.cut((lab.a, lab.b))
    lab.b.set(name, "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS")
    client.execute("INSERT INTO t (n) VALUES (3)")  # some clients still go to the old one
    lab.b.insert(name, 4)
    assert (lab.a.rows(name), lab.b.rows(name)) == ([1, 2, 3], [1, 2, 4])
    lab.heal()
    with pytest.raises(pyodbc.Error):
        client.execute("INSERT INTO t (n) VALUES (5)")
    lab.b.set(name, "PARTNER RESUME")
    lab.b.set(name, "PARTNER FAILOVER")
    assert lab.a.rows(name) == [1, 2, 4]


def test_taking_back_changes_of_every_kind(lab, new):
    """Rows changed, deleted and added, tables made and dropped, the file grown and shrunk: all undone by pages of the
    new principal.
    """
    name = new(safety="OFF")
    for first in range(10, 400, 10):  # pages that the new principal does not touch
        lab.a.run(
            "INSERT INTO t VALUES " + ", ".join(f"({n}, '{'x' * 180}')" for n in range(first, first + 10)),
            database=name,
        )
    settle_all()
    kept = lab.a.rows(name)
    lab.a.instance.mirroring.hold_sending = True
    lab.a.run(
        "DELETE FROM t WHERE n < 20; UPDATE t SET n = n + 1000; CREATE TABLE more (n int, filler varchar(8000));",
        database=name,
    )
    for number in range(40):
        lab.a.run(f"INSERT INTO more VALUES ({number}, REPLICATE('y', 8000))", database=name)
    lab.cut((lab.a, lab.b))
    lab.b.set(name, "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS")
    lab.b.run("CREATE TABLE other (n int); INSERT INTO other VALUES (7); DELETE FROM t WHERE n = 39", database=name)
    lab.a.kill()
    lab.a.start()
    lab.a.instance.mirroring.hold_sending = False
    lab.heal()
    lab.b.set(name, "PARTNER RESUME")
    lab.b.set(name, "PARTNER SAFETY FULL")
    lab.b.set(name, "PARTNER FAILOVER")
    assert lab.a.rows(name) == [number for number in kept if number != 39]
    assert lab.a.run("SELECT n FROM other", database=name) == [(7,)]
    assert lab.a.run("SELECT name FROM sys.tables ORDER BY name", database=name) == [("other",), ("t",)]
    lab.a.run(f"DBCC CHECKDB ({name}) WITH NO_INFOMSGS")


# ---- death and cuts


@pytest.mark.parametrize("first", ["principal", "mirror"])
def test_both_die_without_a_witness(lab, new, first):
    name = new()
    lab.a.insert(name, 3)
    order = [lab.a, lab.b] if first == "principal" else [lab.b, lab.a]
    order[0].kill()
    if first == "mirror":
        lab.a.insert(name, 4)  # the principal runs exposed
    order[1].kill()
    for server in order:
        server.start()
    assert (lab.a.state(name)[:2], lab.b.state(name)[:2]) == (("PRINCIPAL", "SYNCHRONIZED"), ("MIRROR", "SYNCHRONIZED"))
    lab.a.set(name, "PARTNER FAILOVER")
    assert lab.b.rows(name) == ([1, 2, 3] if first == "principal" else [1, 2, 3, 4])


def test_the_one_that_took_over_dies_too_and_the_old_principal_does_not_serve(lab, new):
    name = new(witness=True)
    lab.a.kill()
    lab.b.insert(name, 3)
    lab.b.kill()
    lab.a.start()  # the witness knows that b is the principal
    assert lab.a.state(name) == ("PRINCIPAL", "DISCONNECTED", "RECOVERING")
    with pytest.raises(Refusal, match="955"):
        lab.a.rows(name)
    lab.b.start()
    assert (lab.a.state(name)[0], lab.b.state(name)) == ("MIRROR", ("PRINCIPAL", "SYNCHRONIZED", "ONLINE"))
    assert lab.b.rows(name) == [1, 2, 3]


@pytest.mark.parametrize("order", ["abw", "bwa", "wba"])
def test_all_are_stopped_and_started_with_the_same_roles(lab, new, order):
    """As the lab is: one after the other, in its file's order, without anybody taking over from anybody."""
    name = new(witness=True)
    lab.a.insert(name, 3)
    servers = [{"a": lab.a, "b": lab.b, "w": lab.w}[letter] for letter in order]
    stop_together([server.instance for server in servers])
    for server in servers:
        server.stop()
    for server in servers:
        server.start()
    settle_all()
    assert (lab.a.state(name), lab.b.state(name)) == (
        ("PRINCIPAL", "SYNCHRONIZED", "ONLINE"),
        ("MIRROR", "SYNCHRONIZED", "RESTORING"),
    )
    assert lab.a.rows(name) == [1, 2, 3]


def test_a_mirror_that_missed_something_never_takes_over_by_itself(lab, new):
    name = new(witness=True)
    lab.b.kill()
    lab.a.insert(name, 3)  # exposed
    lab.a.kill()
    lab.b.start()
    assert lab.b.state(name) == ("MIRROR", "DISCONNECTED", "RESTORING")
    lab.a.start()
    assert lab.a.rows(name) == [1, 2, 3] and lab.a.state(name)[1] == "SYNCHRONIZED"


def test_neither_does_one_that_is_still_catching_up(lab, new):
    name = new(witness=True)
    lab.isolate(lab.b)
    lab.a.insert(name, 3)
    lab.a.instance.mirroring.hold_sending = True
    lab.heal()
    assert (lab.a.state(name)[1], lab.b.state(name)[1]) == ("SYNCHRONIZING", "SYNCHRONIZING")
    lab.a.kill()
    assert lab.b.state(name) == ("MIRROR", "DISCONNECTED", "RESTORING")


def test_neither_does_one_that_lost_its_principal_while_the_witness_still_saw_it(lab, new):
    name = new(witness=True)
    lab.cut((lab.a, lab.b))
    lab.a.insert(name, 3)
    lab.a.kill()
    assert lab.b.state(name) == ("MIRROR", "DISCONNECTED", "RESTORING")


def test_the_witness_goes_then_the_partners_part(lab, new):
    name = new(witness=True)
    lab.isolate(lab.w)
    assert lab.a.state(name) == ("PRINCIPAL", "SYNCHRONIZED", "ONLINE")
    lab.cut((lab.a, lab.b))
    assert (lab.a.state(name)[2], lab.b.state(name)[2]) == ("RECOVERING", "RESTORING")
    lab.broken.discard(frozenset((lab.a.host.name, lab.w.host.name)))
    settle_all()
    assert lab.a.state(name) == ("PRINCIPAL", "DISCONNECTED", "ONLINE")
    lab.heal()
    assert lab.b.state(name)[1] == "SYNCHRONIZED" and lab.a.rows(name) == [1, 2]


def test_a_principal_that_is_cut_off_serves_nobody_while_the_other_one_does(lab, new):
    name = new(witness=True)
    client = microsoft(lab.a.instance)
    client.execute(f"USE {name}")
    lab.isolate(lab.a)
    with pytest.raises(pyodbc.Error):
        client.execute("INSERT INTO t (n) VALUES (3)")
    lab.b.insert(name, 4)
    lab.heal()
    assert (lab.a.state(name)[0], lab.b.state(name)[1]) == ("MIRROR", "SYNCHRONIZED")
    lab.b.set(name, "PARTNER FAILOVER")
    assert lab.a.rows(name) == [1, 2, 4]


def test_a_damaged_principal_is_a_lost_one(lab, new):
    name = new(witness=True)
    lab.a.host.view.remove(f"D:\\Data\\{name}.mdf")
    with pytest.raises(Refusal):
        lab.a.rows(name)
    settle_all()
    assert lab.b.state(name)[0] == "PRINCIPAL" and lab.b.rows(name) == [1, 2]


def test_a_session_that_was_ended_alone_ends_on_both_once_they_meet(lab, new):
    name = new()
    lab.cut((lab.a, lab.b))
    lab.a.set(name, "PARTNER OFF")
    assert lab.b.state(name)[0] == "MIRROR"
    lab.heal()
    assert lab.b.state(name) == (None, None, "RESTORING")


def test_a_full_drive_on_the_mirror_suspends(lab, new):
    name = new()
    lab.b.host.view.free = 0
    try:
        lab.a.insert(name, 3)
    finally:
        lab.b.host.view.free = 1 << 40
    assert lab.a.state(name) == ("PRINCIPAL", "SUSPENDED", "ONLINE")
    lab.a.set(name, "PARTNER RESUME")
    lab.a.set(name, "PARTNER FAILOVER")
    assert lab.b.rows(name) == [1, 2, 3]


# ---- beside


def test_the_log_is_kept_until_the_mirror_has_it(lab, new):
    name = new()
    lab.a.set(name, "PARTNER SUSPEND")
    lab.a.insert(name, *range(3, 20))
    lab.backup(name, "log")
    assert lab.a.run(f"SELECT log_reuse_wait_desc FROM sys.databases WHERE name = '{name}'") == [
        ("DATABASE_MIRRORING",)
    ]
    lab.a.set(name, "PARTNER RESUME")
    lab.backup(name, "log")
    assert lab.a.run(f"SELECT log_reuse_wait_desc FROM sys.databases WHERE name = '{name}'") == [("NOTHING",)]


def test_the_chain_of_log_backups_goes_on_at_the_other_partner(lab, new):
    name = new()
    lab.backup(name, "full")
    lab.a.insert(name, 3)
    lab.backup(name, "log")
    lab.a.set(name, "PARTNER FAILOVER")
    lab.b.insert(name, 4)
    lab.b.run(f"BACKUP LOG {name} TO DISK = 'D:\\Backup\\{name}-b.trn'")
    lab.b.host.view.write("D:\\Backup\\chain.bak", lab.a.host.view.read(f"D:\\Backup\\{name}-full.bak"))
    lab.b.host.view.write("D:\\Backup\\chain.trn", lab.a.host.view.read(f"D:\\Backup\\{name}-log.bak"))
    lab.b.run(
        f"RESTORE DATABASE Copy FROM DISK = 'D:\\Backup\\chain.bak' WITH NORECOVERY, MOVE '{name}' TO "
        "'D:\\Data\\Copy.mdf', "
        f"MOVE '{name}_log' TO 'D:\\Data\\Copy.ldf'; RESTORE LOG Copy FROM DISK = 'D:\\Backup\\chain.trn' WITH "
        "NORECOVERY; "
        f"RESTORE LOG Copy FROM DISK = 'D:\\Backup\\{name}-b.trn'"
    )
    assert lab.b.rows("Copy") == [1, 2, 3, 4]
    lab.b.run("DROP DATABASE Copy")


@pytest.mark.parametrize(("statement", "on_a", "on_b"), [
    ("DROP DATABASE {0}", 3743, 3743), ("ALTER DATABASE {0} SET RECOVERY SIMPLE", 1468, 1468), ("ALTER DATABASE {0} SET OFFLINE", 1468, 1468),
    ("ALTER DATABASE {0} SET READ_ONLY", 1468, 1468), ("ALTER DATABASE {0} MODIFY NAME = other", 1468, 1468),
    ("RESTORE DATABASE {0} FROM DISK = 'D:\\Backup\\{0}-full.bak' WITH REPLACE", 3104, 3104), ("RESTORE DATABASE {0} WITH RECOVERY", 3104, 3104),
    ("BACKUP DATABASE {0} TO DISK = 'D:\\Backup\\x.bak'", None, 3059), ("USE {0}", None, 954),
])  # fmt: skip
def test_what_a_mirrored_database_refuses(lab, new, statement, on_a, on_b):
    name = new()
    for server, number in ((lab.a, on_a), (lab.b, on_b)):
        if number is None:
            server.run(statement.format(name))
        else:
            with pytest.raises(Refusal) as refusal:
                server.run(statement.format(name))
            assert refusal.value.number == number
    assert lab.a.state(name)[1] == "SYNCHRONIZED"


def test_a_mirror_is_shown_to_sysadmins_only(lab, new):
    name = new()
    lab.b.run("CREATE LOGIN curious WITH PASSWORD = 'Nosy-passw0rd'")
    query = f"SELECT mirroring_role_desc FROM sys.database_mirroring WHERE database_id = DB_ID('{name}')"
    assert (lab.b.run(query), lab.b.run(query, login="curious")) == ([("MIRROR",)], [(None,)])
    lab.b.run("DROP LOGIN curious")


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_are_told_who_the_partner_is_and_go_on(lab, new, client):
    name = new()
    assert lab.a.instance.mirroring.partner_of(name) == "SQLB" and lab.b.instance.mirroring.partner_of(name) == ""
    connection = connect(client, lab.a.instance, database=name)
    assert rows(connection, "SELECT DB_NAME()") == [(name,)]
    connection.close()
