"""sql_standby_failover: a move as planned and back, without a new full; one without the old principal."""

from __future__ import annotations

import datetime as dt
import time

import pymssql
import pytest

from ..conftest import SHARE, SYSTEM, Failed
from ..mirroring.conftest import killed


def fulls(server, name):
    return server.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s AND type = 'D'", name)[0][0]


def test_a_planned_move_loses_nothing_and_the_old_principal_follows_without_a_full(pair, only_queries):
    a, b, name = pair.a, pair.b, pair.name
    with only_queries:
        planned = pair.fail_over(b, check=True)
    assert (planned["way"], planned["may_be_lost"]) == ("planned", {})
    result = pair.fail_over(b)
    assert (result["way"], result["may_be_lost"], result["changed"]) == ("planned", {}, True)
    assert pair.states() == ("RESTORING", "ONLINE")
    assert b.marks(name) == [1, 2, 3, 4]
    assert result["database"]["user_access"] == "MULTI_USER" and result["database"]["owner"] == "sa"
    assert pair.fail_over(b)["changed"] is False
    pair.mark(5, on=b)
    pair.log(b)
    caught_up = pair.catch_up(a)
    assert [step["kind"] for step in caught_up["plan"]["steps"]] == ["log"]
    pair.mark(6, on=b)
    back = pair.fail_over(a)
    assert (back["way"], pair.states()) == ("planned", ("ONLINE", "RESTORING"))
    assert a.marks(name) == [1, 2, 3, 4, 5, 6]
    pair.mark(7, on=a)
    pair.log(a)
    assert [step["kind"] for step in pair.catch_up(b)["plan"]["steps"]] == ["log"]
    assert pair.fail_over(b)["way"] == "planned" and b.marks(name) == [1, 2, 3, 4, 5, 6, 7]
    assert fulls(a, name) == fulls(b, name) == 1  # b knows the one that it was seeded from


def test_rows_that_were_being_written_when_the_principal_left_are_all_there(pair):
    """Sessions of the old application are ended, and nothing is committed after the tail."""
    a, b, name = pair.a, pair.b, pair.name
    writer = a.client(name)
    pair.fail_over(b)
    with pytest.raises(pymssql.Error):
        writer.cursor().execute("INSERT INTO dbo.marker (id, said) VALUES (99, N'too late')")
    assert b.marks(name) == [1, 2, 3, 4]


def test_without_the_principal_what_is_lost_is_told_and_asked_for(pair, only_queries):
    a, b, name = pair.a, pair.b, pair.name
    lost_at = a.ask("SELECT SYSUTCDATETIME()")[0][0].replace(tzinfo=dt.timezone.utc)
    with killed(a):
        with (
            only_queries,
            pytest.raises(Failed, match=r"What was committed after .* is lost, the last \d+ minute") as no,
        ):
            pair.fail_over(b, check=True)
        assert no.value.result["error_code"] == "would_lose_data"
        result = pair.fail_over(b, allow_data_loss=True)
    assert result["way"] == "force" and b.marks(name) == [1, 2, 3]
    told = result["may_be_lost"]
    assert dt.datetime.fromisoformat(told["since"]) <= lost_at and told["minutes"] >= 1
    assert told == {**no.value.result["may_be_lost"], "minutes": told["minutes"], "reason": told["reason"]}


def test_an_old_principal_that_comes_back_is_known_by_its_fork_and_what_it_holds_is_kept(pair, only_queries):
    a, b, name = pair.a, pair.b, pair.name
    with killed(a):
        pair.fail_over(b, allow_data_loss=True)
    pair.mark(5, on=b)
    pair.log(b)
    pair.mark(44)  # its application started by itself
    with pytest.raises(Failed, match=r"was opened on .* while .* did not answer") as no:
        pair.fail_over(b)
    assert no.value.result["error_code"] == "would_lose_data" and a.marks(name) == [1, 2, 3, 4, 44]
    with pytest.raises(Failed, match=f"open on both .* took over from {a.host.address}"):
        pair.fail_over(a)
    result = pair.fail_over(b, allow_data_loss=True)
    assert result["way"] == "rejoin" and pair.states() == ("RESTORING", "ONLINE")
    kept = result["tail_log"]["file"]
    assert kept.startswith(pair.unsent)
    assert pair.fail_over(b)["way"] == "stays"
    with only_queries, pytest.raises(Failed, match="is not overwritten: it stands at LSN"):
        pair.fail_over(a, check=True)
    pair.catch_up(a, replace="always")  # it is past the fork point, so it begins anew
    back = pair.fail_over(a)
    assert back["way"] == "planned" and a.marks(name) == [1, 2, 3, 5]
    copy = f"{name}_kept"
    source = {"folders": [pair.folder, pair.unsent], "database": name, "recovery_fork": fork_of(a, kept)}
    a.run("sql_restore", database=copy, source=source)
    assert a.marks(copy) == [1, 2, 3, 4, 44]


def test_an_old_principal_that_took_over_itself_shortly_before_is_known_too(pair):
    """No log of it came over since, so both left the same recovery fork."""
    a, b, name = pair.a, pair.b, pair.name
    pair.fail_over(b)
    pair.fail_over(a)
    pair.mark(44)
    with killed(a):
        pair.fail_over(b, allow_data_loss=True)
    with pytest.raises(Failed, match="serves its own again"):
        pair.fail_over(b)
    assert pair.fail_over(b, allow_data_loss=True)["way"] == "rejoin"
    assert pair.states() == ("RESTORING", "ONLINE") and b.marks(name) == [1, 2, 3, 4]


def fork_of(server, file):
    found = server.run("sql_backup_info", files=[file])
    return found["sets"][0]["last_fork"]


def test_a_standby_whose_logs_are_out_of_reach_is_opened_as_it_stands(pair):
    a, b, name = pair.a, pair.b, pair.name
    nowhere = {"folders": ["\\\\files\\nowhere\\database"]}
    with killed(a):
        with pytest.raises(Failed, match="What was committed after"):
            pair.fail_over(b, source=nowhere, tail_path="\\\\files\\nowhere\\tails")
        result = pair.fail_over(b, source=nowhere, tail_path="\\\\files\\nowhere\\tails", allow_data_loss=True)
    assert result["way"] == "force" and b.marks(name) == [1, 2]
    assert result["database"]["owner"] == "sa" and result["may_be_lost"]["minutes"] >= 1


def test_a_gap_is_told_before_the_principal_leaves_service(pair, only_queries, share):
    a, b, name = pair.a, pair.b, pair.name
    for (path,) in a.ask(
        "SELECT TOP (1) f.physical_device_name FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily f ON "
        "f.media_set_id = s.media_set_id WHERE s.database_name = %s AND s.type = 'L' ORDER BY s.backup_set_id DESC",
        name,
    ):
        share.remove(path.replace(SHARE, "D:\\Shares\\backup"))
    with (
        only_queries,
        pytest.raises(Failed, match=r"what lies in between would be missing\. Nothing was touched") as no,
    ):
        pair.fail_over(b, check=True)
    assert no.value.result["error_code"] == "not_restorable" and pair.states() == ("ONLINE", "RESTORING")


def test_to_the_moment_before_a_mistake(pair):
    """What the principal holds is kept apart, and given up only with a yes."""
    a, b, name = pair.a, pair.b, pair.name
    time.sleep(1.1)
    moment = dt.datetime.now(dt.timezone.utc)
    time.sleep(1.1)
    pair.mark(66)
    until = moment.isoformat()
    with pytest.raises(Failed, match="would go back to an earlier moment"):
        pair.fail_over(b, until=until)
    assert pair.states() == ("ONLINE", "RESTORING")
    pair.log(a)
    result = pair.fail_over(b, until=until, allow_data_loss=True)
    assert (result["way"], b.marks(name)) == ("planned", [1, 2, 3, 4])
    assert result["plan"]["resumes"] is True and {step["kind"] for step in result["plan"]["steps"]} == {"log", ""}
    assert result["tail_log"]["file"].startswith(pair.unsent)
    assert dt.datetime.fromisoformat(result["may_be_lost"]["since"]) == moment
    assert pair.states() == ("RESTORING", "ONLINE")


def test_to_a_moment_that_only_the_tail_holds(pair):
    b, name = pair.b, pair.name
    time.sleep(1.1)
    moment = dt.datetime.now(dt.timezone.utc)
    time.sleep(1.1)
    pair.mark(66)
    pair.fail_over(b, until=moment.isoformat(), allow_data_loss=True)
    assert b.marks(name) == [1, 2, 3, 4]


def test_what_is_no_standby_is_refused(pair, only_queries):
    b, name = pair.b, pair.name
    b.do(f"DROP DATABASE [{name}]")
    with only_queries, pytest.raises(Failed, match="is not there, so there is no standby"):
        pair.fail_over(b, check=True)
    assert pair.states() == ("ONLINE", None)


def test_a_principal_in_simple_is_refused(pair, only_queries):
    a, b = pair.a, pair.b
    a.do(f"ALTER DATABASE [{pair.name}] SET RECOVERY SIMPLE")
    with only_queries, pytest.raises(Failed, match="recovery model SIMPLE"):
        pair.fail_over(b, check=True)


@pytest.mark.parametrize("news", [True, False])
def test_a_standby_that_can_be_read(pair, news):
    """Whoever reads in it is disconnected, and its undo file is gone afterwards."""
    a, b, name = pair.a, pair.b, pair.name
    pair.catch_up(b, recovery="standby")
    if news:
        pair.mark(5)
        pair.log(a)
    reader = b.client(name)
    result = pair.fail_over(b)
    reader.close()
    assert result["way"] == "planned" and result["database"]["standby"] is False
    assert b.marks(name) == [1, 2, 3, 4, *([5] if news else [])]
    assert not b.host.files(SYSTEM).is_file(f"D:\\Data\\{name}.standby")
    assert pair.states() == ("RESTORING", "ONLINE")
