"""Mirroring set up, kept and removed by the modules, between two servers and a witness; what is there is read by
another client.
"""

from __future__ import annotations

import re

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import mirroring_session
from prs_lab.sqlserver.faults import Fault

from ..conftest import Failed, no_share_rights
from .conftest import ENOUGH, MASTER_KEY, PORT, SEED, Writer, address, own


def test_trust_is_made_once(trusted):
    """What the fixture made is what was asked for, and is found again."""
    for server, role in zip(trusted, ("ALL", "ALL", "WITNESS"), strict=True):
        others = [own(other) for other in trusted if other is not server]
        ours = server.run("sql_certificate", name=own(server), master_key_password=MASTER_KEY)
        assert not ours["changed"] and MASTER_KEY not in str(ours) and 3600 < ours["certificate"]["days_left"] < 3700
        wanted = {"certificate": ours["certificate"]["name"], "connect": others}
        found = server.run("sql_endpoint", **wanted)
        told = {key: found["endpoint"][key] for key in ("state", "port", "encryption", "role")}
        assert not found["changed"] and told == {"state": "STARTED", "port": PORT, "encryption": "AES", "role": role}
        owner = next(other for other in trusted if own(other) == others[-1])
        public = owner.run("sql_certificate", name=others[-1], master_key_password=MASTER_KEY)["certificate"]["public"]
        known = server.run("sql_certificate", name=others[-1], public=public, identity=others[-1])
        assert not known["changed"] and known["certificate"]["login"] == others[-1]


ALTERED = [
    # what somebody altered, what is asked for, what alone is set right
    ("AS TCP (LISTENER_PORT = 5099)", {"port": PORT}, f"AS TCP (LISTENER_PORT = {PORT})"),
    ("STATE = STOPPED", {}, "STATE = STARTED"),
    ("FOR DATABASE_MIRRORING (ROLE = PARTNER)", {"role": "ALL"}, "FOR DATABASE_MIRRORING (ROLE = ALL)"),
    ("FOR DATABASE_MIRRORING (ENCRYPTION = SUPPORTED ALGORITHM AES, ROLE = ALL)", {},
     "FOR DATABASE_MIRRORING (ENCRYPTION = REQUIRED ALGORITHM AES, ROLE = ALL)"),
    ("FOR DATABASE_MIRRORING (AUTHENTICATION = WINDOWS NEGOTIATE, ROLE = ALL)", {"authentication": "certificate", "certificate": "OWN"},
     "FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE [OWN], ROLE = ALL)"),
]  # fmt: skip


@pytest.mark.parametrize(("altered", "asked", "statement"), ALTERED)
def test_what_was_altered_of_an_endpoint_is_set_right_and_nothing_else(trusted, altered, asked, statement):
    a = trusted[0]
    asked = {key: own(a) if value == "OWN" else value for key, value in asked.items()}
    before = a.run("sql_endpoint")["endpoint"]
    a.do(f"ALTER ENDPOINT [Mirroring] {altered}")
    planned, done = (a.run("sql_endpoint", check=check, diff=True, **asked) for check in (True, False))
    assert (
        planned["statements"]
        == done["statements"]
        == [f"ALTER ENDPOINT [Mirroring] {statement.replace('OWN', own(a))}"]
    )
    assert planned["diff"] == done["diff"] and done["endpoint"] == before
    assert not a.run("sql_endpoint", **asked)["changed"]


def test_an_endpoint_of_another_name_is_reused(trusted):
    a = trusted[0]
    before = a.run("sql_endpoint")["endpoint"]
    a.run("sql_endpoint", state="absent")
    a.do(
        f"CREATE ENDPOINT [Hadr_endpoint] STATE = STARTED AS TCP (LISTENER_PORT = {PORT}) FOR DATABASE_MIRRORING "
        f"(AUTHENTICATION = CERTIFICATE [{own(a)}], ENCRYPTION = REQUIRED ALGORITHM AES, ROLE = ALL)"
    )
    reused = a.run("sql_endpoint", connect=before["connect"])
    assert reused["endpoint"] == {**before, "name": "Hadr_endpoint"}
    assert reused["statements"] == [
        f"GRANT CONNECT ON ENDPOINT::[Hadr_endpoint] TO [{login}]" for login in before["connect"]
    ]
    a.run("sql_endpoint", state="absent")
    assert a.run("sql_endpoint", certificate=own(a), connect=before["connect"])["endpoint"] == before


def test_servers_of_one_domain_know_each_other_by_their_accounts(pair):
    """Services under virtual accounts are their computers for each other."""
    a, b, name = pair.a, pair.b, pair.name
    pairs = [(a, f"PRSLAB\\{b.host.name}$"), (b, f"PRSLAB\\{a.host.name}$")]
    certificates = [server.run("sql_endpoint")["endpoint"]["certificate"] for server in (a, b)]
    try:
        for server, account in pairs:
            wanted = {"authentication": "windows", "connect": [account]}
            altered = server.run("sql_endpoint", **wanted)
            assert altered["statements"] == [
                "ALTER ENDPOINT [Mirroring] FOR DATABASE_MIRRORING (AUTHENTICATION = WINDOWS NEGOTIATE, ROLE = ALL)",
                f"CREATE LOGIN [{account}] FROM WINDOWS", f"GRANT CONNECT ON ENDPOINT::[Mirroring] TO [{account}]",
            ]  # fmt: skip
            assert not server.run("sql_endpoint", **wanted)["changed"]
        pair.mirror()
        assert a.ask("SELECT principal_name FROM sys.dm_db_mirroring_connections") == [(pairs[0][1],)]
        pair.fail_over(b)
        assert b.marks(name) == [1] and pair.state(a)[:2] == ("MIRROR", "SYNCHRONIZED")
        pair.mirror(state="absent")
    finally:
        for (server, account), certificate in zip(pairs, certificates, strict=True):
            server.run("sql_endpoint", authentication="certificate", certificate=certificate)
            server.do(f"DROP LOGIN [{account}]")


def test_check_mode_plans_certificate_and_endpoint(trusted, only_queries):
    server = trusted[0]
    with only_queries:
        assert server.run("sql_certificate", check=True, name="not yet", master_key_password=MASTER_KEY)["changed"]
        planned = server.run("sql_endpoint", check=True, diff=True, port=5099)
        assert planned["changed"] and planned["statements"] == [
            "ALTER ENDPOINT [Mirroring] AS TCP (LISTENER_PORT = 5099)"
        ]
        early = server.run("sql_endpoint", check=True, connect=["not yet"])  # sql_certificate would have made it
        assert "no login not yet on" in str(early["warnings"])
    assert not server.run("sql_certificate", check=True, name="not yet", state="absent")["changed"]


def test_nothing_is_made_for_a_login_that_is_not_there(trusted):
    a = trusted[0]
    before = a.run("sql_endpoint")["endpoint"]
    a.run("sql_endpoint", state="absent")
    try:
        with pytest.raises(Failed, match="There is no login nobody"):
            a.run("sql_endpoint", certificate=own(a), connect=["nobody"])
        assert a.run("sql_endpoint", check=True, certificate=own(a))["changed"]
    finally:
        a.run("sql_endpoint", certificate=own(a), connect=before["connect"])


def test_from_nothing_to_a_mirror_with_witness_and_back(pair, only_queries):
    a, b, witness, name = pair.a, pair.b, pair.witness, pair.name
    wanted = {"witness": address(witness), "timeout": 20}
    with only_queries:
        planned = pair.mirror(check=True, diff=True, **wanted)
    assert planned["changed"] and planned["mirroring"] == {} and planned["diff"]["after"]["state"] == "SYNCHRONIZED"
    result = pair.mirror(**wanted)
    assert result["mirroring"] == {
        "principal": a.host.address, "mirror": address(b), "state": "SYNCHRONIZED", "safety": "FULL", "witness": address(witness), "witness_state": "CONNECTED",
        "timeout": 20,
    }  # fmt: skip
    assert [one for one in planned["statements"] if " SET " in one] == [
        one for one in result["statements"] if " SET " in one
    ]
    pair.mark(2)
    with only_queries:
        again = pair.mirror(diff=True, **wanted)
        other_way_round = pair.mirror(b, **wanted)
    assert not again["changed"] and not other_way_round["changed"] and again["diff"]["before"] == again["diff"]["after"]
    told = a.run("sql_info", gather_subset=["mirroring"])["mirroring"]
    assert [(one["database"], one["healthy"], one["lag"]["unsent_kb"]) for one in told] == [(name, True, 0)]
    assert pair.fail_over(b)["way"] == "manual"
    assert (pair.state(a)[0], b.marks(name)) == ("MIRROR", [1, 2])
    assert pair.mirror(state="absent")["changed"]
    assert not pair.mirror(state="absent")["changed"]
    assert (a.state_of(name), b.state_of(name)) == ("RESTORING", "ONLINE")


def test_what_differs_is_set_and_nothing_else(pair):
    a, b, witness = pair.a, pair.b, pair.witness
    pair.mirror()
    for change, statement in (
        ({"timeout": 30}, "SET PARTNER TIMEOUT 30"), ({"safety": "OFF"}, "SET PARTNER SAFETY OFF"), ({"state": "suspended"}, "SET PARTNER SUSPEND"),
        ({"state": "running"}, "SET PARTNER RESUME"), ({"safety": "FULL", "witness": address(witness)}, "SET PARTNER SAFETY FULL"),
        ({"witness": ""}, "SET WITNESS OFF"),
    ):  # fmt: skip
        result = pair.mirror(b, **change)  # whichever of the two is asked
        assert result["statements"][0].endswith(statement)
        wanted = {"state": "running", **change} if change.get("state") != "suspended" else change
        assert not pair.mirror(**wanted)["changed"]
    assert pair.state(a) == ("PRINCIPAL", "SYNCHRONIZED", "FULL")


@pytest.mark.parametrize("number", [None, 1408, 1409, 1411])
def test_log_backups_that_come_in_between_are_restored(pair, monkeypatch, number):
    """A log job that is not ours runs while the mirror is made; our own backups wait for each other. number: an error
    that the twin never says.
    """
    from ansible_collections.prs.recovery.plugins.module_utils._sql.mirroring import run as mirrors

    a, b, name = pair.a, pair.b, pair.name
    a.run("sql_backup", database=name, path=SEED)
    introduce = mirrors.set_partner
    taken = []

    def late(session, database, action, value=""):
        if action == "partner" and value == address(b) and not taken:
            pair.mark(2)
            taken.append(f"{SEED}\\{name}-job.trn")
            a.do(f"BACKUP LOG [{name}] TO DISK = N'{taken[0]}'")
            if number:
                raise SqlError("", text="The remote copy is not recovered far enough", number=number, sqlstate="42000")
        introduce(session, database, action, value)

    monkeypatch.setattr(mirrors, "set_partner", late)
    result = pair.mirror()
    assert taken and any(taken[0] in statement and "RESTORE LOG" in statement for statement in result["statements"])
    assert pair.state(a)[1] == "SYNCHRONIZED"
    pair.fail_over(b)
    assert b.marks(name) == [1, 2]


def test_the_chain_of_log_backups_is_not_disturbed(pair):
    a, name = pair.a, pair.name
    a.run("sql_backup", database=name, path=f"{SEED}\\chain-{name}")
    pair.mark(2)
    a.run("sql_backup", database=name, kind="log", path=f"{SEED}\\chain-{name}")
    pair.mark(3)
    pair.mirror()
    pair.mark(4)
    a.run("sql_backup", database=name, kind="log", path=f"{SEED}\\chain-{name}")
    a.run("sql_restore", database=f"{name}_copy", source={"folders": [f"{SEED}\\chain-{name}"], "database": name})
    assert a.marks(f"{name}_copy") == [1, 2, 3, 4]


def test_asynchronous_failover_there_and_back(pair):
    a, b, name = pair.a, pair.b, pair.name
    pair.mirror(safety="OFF")
    result = pair.fail_over(b)
    assert (result["way"], result["changed"]) == ("through_safety", True)
    assert pair.state(b)[0::2] == ("PRINCIPAL", "OFF") and 0 <= result["interrupted_seconds"] < 60
    assert pair.fail_over(b)["way"] == "stays"
    assert pair.fail_over(a)["way"] == "through_safety"
    assert a.marks(name) == [1]


def test_a_mirror_that_was_lost_is_made_anew(pair):
    b, name = pair.b, pair.name
    pair.mirror()
    b.do(f"ALTER DATABASE [{name}] SET PARTNER OFF; DROP DATABASE [{name}]")
    pair.mark(2)
    assert pair.mirror()["seeded"]
    pair.fail_over(b)
    assert b.marks(name) == [1, 2]


def test_the_certificate_is_replaced_while_mirroring_runs(pair):
    a, b, witness = pair.a, pair.b, pair.witness
    pair.mirror(witness=address(witness))
    old = own(a)
    renewed = a.run("sql_certificate", name=old, expires="2041-05-06", renew_before=36500)
    assert renewed["certificate"]["name"] == f"{old}_20410506" and renewed["superseded"] == [old]
    for other in (b, witness):
        other.run("sql_certificate", name=old, public=renewed["certificate"]["public"], identity=old)
    with Writer(pair) as writer:
        writer.wait_for(ENOUGH)
        altered = a.run("sql_endpoint", certificate=renewed["certificate"]["name"])
        writer.wait_for(ENOUGH)
    assert set(a.marks(pair.name)) == {1, *writer.acknowledged} and not writer.refused  # not even one was asked twice
    assert altered["statements"] == [
        f"ALTER ENDPOINT [Mirroring] FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE [{old}_20410506], ROLE = ALL)"
    ]
    assert pair.state(b)[:2] == ("MIRROR", "SYNCHRONIZED") and not pair.mirror()["changed"]
    a.run("sql_certificate", name=old, state="absent")
    assert not a.run("sql_certificate", name=old, renew_before=30)["changed"]


def test_private_keys_are_backed_up_once(three):
    a = three[0]
    asked = {"name": "PRS keys", "master_key_password": MASTER_KEY, "key_backup": {
        "certificate_file": "D:\\Backup\\prs-keys.cer", "key_file": "D:\\Backup\\prs-keys.pvk", "password": "Key-Passw0rd",
    }}  # fmt: skip
    first = a.run("sql_certificate", **asked)
    assert first["certificate"]["key_backed_up_at"] and "Key-Passw0rd" not in str(first)
    assert not a.run("sql_certificate", **asked)["changed"]
    successor = a.run("sql_certificate", **asked, renew_before=36500, expires="2041-05-06")
    assert successor["certificate"]["name"] == "PRS keys_20410506" and successor["certificate"]["key_backed_up_at"]
    assert any(r"D:\Backup\prs-keys_20410506.pvk" in statement for statement in successor["statements"])
    assert not a.run("sql_certificate", **asked)["changed"]
    a.run("sql_certificate", name="PRS keys_20410506", state="absent")
    a.run("sql_certificate", name="PRS keys", state="absent")
    assert not a.run("sql_certificate", name="PRS keys", state="absent")["changed"]


def test_a_certificate_comes_back_from_its_files_and_no_new_one_takes_its_place(three):
    a = three[0]
    files = {
        "certificate_file": "D:\\Backup\\prs-lost.cer",
        "key_file": "D:\\Backup\\prs-lost.pvk",
        "password": "Key-Passw0rd",
    }
    asked = {"name": "PRS lost", "master_key_password": MASTER_KEY, "key_backup": files}
    first = a.run("sql_certificate", **asked)["certificate"]
    a.run("sql_certificate", name="PRS lost", state="absent")
    with pytest.raises(Failed, match="none to take it from"):
        a.run("sql_certificate", name="PRS lost", create=False)
    back = a.run("sql_certificate", create=False, **asked)
    assert (back["certificate"]["thumbprint"], back["certificate"]["private_key"]) == (first["thumbprint"], True)
    assert "Key-Passw0rd" not in str(back["statements"])
    assert not a.run("sql_certificate", create=False, **asked)["changed"]
    a.run("sql_certificate", name="PRS lost", state="absent")
    a.run("sql_certificate", name="PRS lost")  # another one, which those files will not bring back
    with pytest.raises(Failed, match="its key is saved nowhere"):
        a.run("sql_certificate", **asked)
    restoring = a.run("sql_certificate", create=False, **asked)
    assert not restoring["changed"] and "its key is saved nowhere" in str(restoring["warnings"])
    a.run("sql_certificate", name="PRS lost", state="absent")


def test_the_master_key_stays_as_long_as_a_private_key_is_under_it(three):
    a = three[0]
    for name in ("PRS one", "PRS two"):
        a.run("sql_certificate", name=name, master_key_password=MASTER_KEY)
    gone = a.run("sql_certificate", name="PRS one", state="absent", drop_master_key=True)
    assert gone["statements"] == ["DROP CERTIFICATE [PRS one]"]
    assert a.run("sql_certificate", name="PRS two", state="absent")["statements"] == ["DROP CERTIFICATE [PRS two]"]


@pytest.mark.parametrize(("change", "reason"), [
    ({"safety": "OFF", "witness": "TCP://witness:5022"}, "would only take the database away"),
    ({"partner": {"address": "TCP://nowhere:5022"}}, "1418"),
    ({"seed_path": None}, "no folder is named"),
])  # fmt: skip
def test_what_cannot_be_is_said(pair, change, reason):
    with pytest.raises(Failed, match=reason):
        pair.mirror(**{**change, "partner": {**pair.partner(pair.a), **change.get("partner", {})}})
    assert pair.state(pair.a)[0] is None


def seeds(pair, statements):
    """Files that the statements back up to, and which of them there still are."""
    files = [file for text in statements for file in re.findall(r"^BACKUP .* TO DISK = N'([^']+)'", text)]
    present = [file for file in files if pair.a.run("sql_backup_info", files=[file], history=False)["databases"]]
    return files, present


@pytest.fixture
def backup_certificate(pair):
    """A certificate for backups on one server, its key on the share, from where the other one may have it."""
    name, keys = f"Backups of {pair.name}", f"{SEED}\\{pair.name}"
    kept = {"certificate_file": f"{keys}.cer", "key_file": f"{keys}.pvk", "password": "Key-Passw0rd"}
    pair.a.run("sql_certificate", name=name, key_backup=kept)
    yield name, {"name": name, "key_backup": kept, "create": False}
    for server in (pair.a, pair.b):
        server.run("sql_certificate", name=name, state="absent")


def test_what_makes_the_mirror_is_removed_and_what_begins_a_chain_stays(pair):
    a, name = pair.a, pair.name
    files, present = seeds(pair, pair.mirror()["statements"])
    assert len(files) == 2 and present == files  # there was no chain: it begins with these
    a.do(f"ALTER DATABASE [{name}] SET PARTNER OFF")
    pair.b.do(f"DROP DATABASE [{name}]")
    files, present = seeds(pair, pair.mirror()["statements"])
    assert len(files) == 2 and present == []


def test_what_makes_the_mirror_is_encrypted_where_backups_are(pair, backup_certificate):
    certificate, from_its_key = backup_certificate
    asked = {"encryption": {"certificate": certificate}}
    for check in (True, False):
        with pytest.raises(Failed, match=r"does not have the certificate Backups of .*sql_certificate"):
            pair.a.run(
                "sql_mirror", check=check, database=pair.name, address=address(pair.a), partner=pair.partner(pair.a),
                seed_path=SEED, **asked,
            )  # fmt: skip
    assert pair.a.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s", pair.name) == [(0,)]
    pair.b.run("sql_certificate", **from_its_key)
    statements = [text for text in pair.mirror(**asked)["statements"] if text.startswith("BACKUP")]
    assert len(statements) == 2 and all(f"SERVER CERTIFICATE = [{certificate}]" in text for text in statements)
    assert pair.a.ask(
        "SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s AND key_algorithm = 'aes_256'", pair.name
    ) == [(2,)]


@pytest.mark.parametrize(
    ("option", "back", "number"),
    [
        ("AUTO_CLOSE ON", "AUTO_CLOSE OFF", 1469),
        ("READ_ONLY", "READ_WRITE", 1466),
        ("ACCELERATED_DATABASE_RECOVERY = ON", "ACCELERATED_DATABASE_RECOVERY = OFF", 1484),
    ],
)
def test_what_mirroring_cannot_have_is_found_before_anything_is_copied(pair, only_queries, option, back, number):
    pair.a.do(f"ALTER DATABASE [{pair.name}] SET {option}")
    with only_queries, pytest.raises(Failed, match=f"error {number}"):
        pair.mirror()
    assert pair.b.state_of(pair.name) is None
    pair.a.do(f"ALTER DATABASE [{pair.name}] SET {back}")
    pair.mirror()
    assert pair.state(pair.a)[:2] == ("PRINCIPAL", "SYNCHRONIZED")


def test_a_restoring_database_of_somebody_else_is_not_overwritten(pair, only_queries):
    """Its tail was backed up WITH NORECOVERY, and all its data are in it."""
    b, name = pair.b, pair.name
    b.do(f"CREATE DATABASE [{name}]")
    b.do(f"ALTER DATABASE [{name}] SET RECOVERY FULL")
    b.do(f"BACKUP DATABASE [{name}] TO DISK = N'D:\\Backup\\{name}-stranger.bak'")
    b.do(f"BACKUP LOG [{name}] TO DISK = N'D:\\Backup\\{name}-stranger.trn' WITH NORECOVERY")
    with only_queries, pytest.raises(Failed, match=r"RESTORING and may hold .* another database"):
        pair.mirror()
    b.do(f"RESTORE DATABASE [{name}] WITH RECOVERY")
    assert b.state_of(name) == "ONLINE"


def test_a_copy_that_went_its_own_way_is_not_overwritten(pair, only_queries):
    """The session was ended, the mirror recovered and worked with, and then taken out of service for a while."""
    a, b, name = pair.a, pair.b, pair.name
    pair.mirror()
    pair.mirror(state="absent")
    b.do(f"RESTORE DATABASE [{name}] WITH RECOVERY")
    pair.mark(2, b)
    b.do(f"BACKUP DATABASE [{name}] TO DISK = N'{SEED}\\{name}-own.bak'")
    b.do(f"BACKUP LOG [{name}] TO DISK = N'{SEED}\\{name}-own.trn' WITH NORECOVERY")
    with only_queries, pytest.raises(Failed, match="on a recovery fork that the principal never was on"):
        pair.mirror()
    b.do(f"RESTORE DATABASE [{name}] WITH RECOVERY")
    assert b.marks(name) == [1, 2]
    b.run("sql_database", name=name, state="absent", allow_data_loss=True)
    pair.mirror()
    assert pair.state(a)[:2] == ("PRINCIPAL", "SYNCHRONIZED")


def test_a_copy_whose_session_ended_is_brought_up_to_date_unasked(pair):
    pair.mirror()
    pair.mirror(state="absent")
    pair.mark(2)
    again = pair.mirror()
    assert again["seeded"] == [], "nothing had to be copied"
    pair.fail_over(pair.b)
    assert pair.b.marks(pair.name) == [1, 2]


def test_positions_beyond_64_bits_are_asked_for(pair, monkeypatch):
    """An LSN has 25 digits, and the driver binds whole numbers as 64 bits."""
    from ansible_collections.prs.recovery.plugins.module_utils._sql.mirroring import seeding

    pair.mirror()
    pair.mirror(state="absent")
    read, asked = seeding.read_database, []

    def of_an_old_database(connection, database):
        found = read(connection, database)
        for file in (found or {"files": []})["files"]:
            if file["redo_start_lsn"]:
                file["redo_start_lsn"] = "9224000000001600001"
                asked.append(file["redo_start_lsn"])
        return found

    monkeypatch.setattr(seeding, "read_database", of_an_old_database)
    pair.mirror()
    assert asked and pair.state(pair.a)[:2] == ("PRINCIPAL", "SYNCHRONIZED")


def test_a_principal_that_misses_its_log_backup_gets_one_of_its_chain(pair, monkeypatch):
    """Error 1478. Whether a copy-only log backup is enough only a real server can tell, so the next try takes another
    one.
    """
    from ansible_collections.prs.recovery.plugins.module_utils._sql.mirroring import run as mirrors

    a, name = pair.a, pair.name
    a.run("sql_backup", database=name, path=f"{SEED}\\chain-{name}")
    a.run("sql_backup", database=name, kind="log", path=f"{SEED}\\chain-{name}")
    introduce, refused = mirrors.set_partner, []

    def not_enough(session, database, action, value=""):
        if action == "partner" and value == address(pair.b) and not refused:
            refused.append(value)
            raise SqlError("", text="insufficient transaction log data", number=1478, sqlstate="42000")
        introduce(session, database, action, value)

    monkeypatch.setattr(mirrors, "set_partner", not_enough)
    result = pair.mirror()
    logs = [statement for statement in result["statements"] if statement.startswith("BACKUP LOG")]
    assert [("COPY_ONLY" in statement) for statement in logs] == [True, False]
    assert "belongs to it: keep it with the others" in str(result["warnings"])
    assert pair.state(a)[:2] == ("PRINCIPAL", "SYNCHRONIZED")


@pytest.mark.parametrize("number", [1404, 1413, 1438])
def test_errors_that_pass_do_not_end_the_run(pair, number, monkeypatch):
    monkeypatch.setattr(mirroring_session, "PAUSES", (0, 0, 0))
    pair.a.instance.faults.add(Fault(action="error", pattern="SET PARTNER = ", times=2, number=number))
    assert pair.mirror(safety="FULL")["mirroring"]["state"] == "SYNCHRONIZED"
    assert pair.state(pair.a) == ("PRINCIPAL", "SYNCHRONIZED", "FULL")


@pytest.mark.parametrize("account", ["SQL-A$", "SQL-B$"])
def test_a_seed_that_one_of_both_cannot_reach_is_not_written(pair, lab, account):
    with no_share_rights(lab, f"PRSLAB\\{account}"), pytest.raises(Failed, match="seed_path") as failed:
        pair.mirror()
    server = pair.a if account == "SQL-A$" else pair.b
    assert f"SQL Server on {server.host.address} cannot use the folder {SEED}" in failed.value.result["msg"]
    assert not any("BACKUP" in statement for statement in failed.value.result.get("statements", []))
