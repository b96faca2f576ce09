"""Roads one by one: when they are there, what stands in their way, and what they need a yes for."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.choice import choose
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.cost import EVERYTHING, NOTHING, UNKNOWN
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.estimates import Estimates
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.roads import Road, roads
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.wreck import (
    Application,
    ApplicationState,
    Archive,
    Attach,
    BackupSource,
    Consents,
    Database,
    DatabaseState,
    Instance,
    OtherCopy,
    Reach,
    Server,
    SurvivingFiles,
    Wreck,
)
from wrecks import ago, total_loss, wreck

ALL = Consents(database=True, application=True)
MIRROR = OtherCopy(site="site_b", server=Server(host="sql-b"), kind="mirror", complete=True)


def every(estate: Wreck) -> dict[str, Road]:
    return {road.name.value: road for road in roads(estate, Estimates())}


def chosen(estate: Wreck, asked: str = "") -> str:
    road = choose(roads(estate, Estimates()), estate.consents, asked=asked).road
    return road.name.value if road else ""


def problem(estate: Wreck, asked: str = "") -> str:
    return choose(roads(estate, Estimates()), estate.consents, asked=asked).problem


def state(value: DatabaseState) -> Database:
    return Database(state=value)


@pytest.mark.parametrize(
    ("estate", "road"),
    [
        (wreck(), "nothing"),
        (wreck(instance=Instance.STOPPED, database=state(DatabaseState.UNKNOWN)), "start"),
        (wreck(database=state(DatabaseState.CLOSED)), "start"),
        (wreck(application=Application(state=ApplicationState.STOPPED)), "start"),
        (wreck(database=state(DatabaseState.PENDING)), "open"),
        (wreck(application=Application(state=ApplicationState.MISSING)), "mend_application"),
        (wreck(application=Application(state=ApplicationState.DAMAGED)), "mend_application"),
        (wreck(database=state(DatabaseState.SUSPECT)), "restore_set"),
        (wreck(database=state(DatabaseState.RESTORING)), "finish_restore"),
        (total_loss(), "restore_set"),
        (total_loss(copies=[MIRROR]), "move"),
        (total_loss(backups=[BackupSource(name="D:\\dumps", kind="files", point=ago(hours=1))]), "restore_files"),
        (total_loss(backups=[BackupSource(name="far", kind="set", elsewhere=True, point=ago(days=1))]), "restore_copy"),
        (total_loss(files=[SurvivingFiles(folder="E:\\", attach=Attach.SURE, point=ago(minutes=1))]), "attach"),
        (total_loss(backups=[], archives=[]), ""),
        (total_loss(backups=[], archives=[], consents=ALL), "provision"),
    ],
)
def test_the_road_of_a_wreck(estate: Wreck, road: str):
    assert chosen(estate) == road


def test_a_server_that_refuses_is_not_lost():
    refusing = Server(host="sql-a", reach=Reach.REFUSES, problem="the password was refused")
    estate = total_loss(sql=refusing, consents=ALL)
    assert chosen(estate) == ""
    assert problem(estate) == (
        "No road can be gone. sql-a answers, but refuses (the password was refused). It is not lost, and what it holds "
        "may be whole: put that right and run again"
    )


def test_nobody_moves_away_from_an_application_that_cannot_be_stopped():
    estate = wreck(web=Server(host="web-a", reach=Reach.REFUSES), copies=[MIRROR])
    assert every(estate)["move"].obstacle.endswith("as long as it cannot be stopped, two applications might run")


def test_a_silent_site_is_left_for_its_mirror():
    estate = wreck(
        sql=Server(host="sql-a", reach=Reach.SILENT), web=Server(host="web-a", reach=Reach.SILENT), copies=[MIRROR]
    )
    assert chosen(estate) == "move"
    assert every(estate)["nothing"].obstacle == (
        "sql-a does not answer. Switch it on, or prepare a new server under its name"
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (DatabaseState.HEALTHY, "it is healthy"),
        (DatabaseState.CLOSED, "it was set offline, which says nothing against its health"),
        (DatabaseState.PENDING, "its files are there, and it may recover by itself"),
        (DatabaseState.WAITING, "it is a mirror, whose principal may come back"),
        (DatabaseState.OTHER, "it is another database of this name"),
    ],
)
def test_a_living_database_is_not_replaced_without_a_yes(value: DatabaseState, reason: str):
    estate = wreck(database=state(value))
    needs = every(estate)["restore_set"].needs["prs_allow_database_loss"]
    assert needs == f"it would take the place of the database that is there: {reason}"
    assert f"needs a yes. -e prs_allow_database_loss=true: {needs}." in problem(estate, asked="restore_set")
    assert chosen(wreck(database=state(value), consents=ALL), asked="restore_set") == "restore_set"


def test_a_database_that_nobody_knows_is_not_replaced_without_a_yes():
    estate = wreck(database=state(DatabaseState.UNKNOWN))
    assert every(estate)["restore_set"].needs == {
        "prs_allow_database_loss": "nobody knows the state of the database that is there"
    }


def test_an_instance_that_is_only_stopped_is_not_taken_for_lost():
    estate = wreck(instance=Instance.STOPPED, database=state(DatabaseState.UNKNOWN))
    assert every(estate)["restore_set"].needs == {
        "prs_allow_database_loss": "SQL Server is only stopped, and its database may be whole"
    }


@pytest.mark.parametrize(
    ("instance", "obstacle"),
    [
        (
            Instance.BROKEN,
            "an installation of SQL Server on sql-a began and did not finish. Remove it under 'Apps and features', "
            "restart the server, and run again",
        ),
        (
            Instance.REFUSES,
            "SQL Server on sql-a runs, but does not let us in. It may be whole: put the login right and run again",
        ),
    ],
)
def test_instances_with_which_nothing_can_be_done(instance: Instance, obstacle: str):
    estate = wreck(instance=instance, database=state(DatabaseState.UNKNOWN), consents=ALL)
    assert {road.obstacle for road in every(estate).values()} == {obstacle}


def test_another_run_at_work_stops_every_road():
    assert {road.obstacle for road in every(wreck(busy="another run has the lease")).values()} == {
        "another run has the lease"
    }


def test_what_another_road_would_keep_needs_a_yes():
    files = SurvivingFiles(folder="E:\\", attach=Attach.LIKELY, point=ago(minutes=1))
    assert every(total_loss(files=[files]))["restore_set"].needs == {
        "prs_allow_database_loss": "the road attach loses less"
    }


def test_what_a_refusing_site_may_hold_needs_a_yes():
    refusing = OtherCopy(site="site_b", server=Server(host="sql-b", reach=Reach.REFUSES), kind="mirror")
    assert every(total_loss(copies=[refusing]))["restore_set"].needs == {
        "prs_allow_database_loss": "sql-b answers, but cannot be asked whether it holds what is newer"
    }


def test_a_copy_that_may_lack_commits_needs_a_yes():
    standby = OtherCopy(site="site_b", server=Server(host="sql-b"), kind="standby", point=ago(minutes=5))
    move = every(total_loss(copies=[standby], backups=[]))["move"]
    assert (move.loss.seconds, move.needs) == (300, {"prs_allow_database_loss": "site_b may lack the last commits"})


def test_a_mirror_without_its_principal_is_opened_only_with_a_yes():
    estate = wreck(database=state(DatabaseState.WAITING), backups=[])
    assert every(estate)["open"].loss == UNKNOWN
    assert chosen(estate) == ""
    assert problem(estate) == (
        "Each road needs a yes. The one that loses least is open, which another playbook goes: ansible-playbook "
        "prs.recovery.failover_prs -e prs_active_site=site_a -e prs_allow_data_loss=true"
    )


def test_a_mirror_that_tells_no_time_is_newer_than_any_backup():
    mirror = OtherCopy(site="site_b", server=Server(host="sql-b"), kind="mirror")
    estate = total_loss(copies=[mirror])
    assert [road.name.value for road in roads(estate, Estimates())][:2] == ["move", "restore_set"]
    assert every(estate)["move"].loss == every(estate)["restore_set"].loss
    assert every(estate)["move"].command == "failover_prs -e prs_active_site=site_b -e prs_allow_data_loss=true"


def test_a_point_in_the_future_is_none():
    """Clocks differ a little; more than that, and the point was told in another zone, or by a clock that is wrong."""
    soon = BackupSource(name="soon", kind="set", point=ago(seconds=-30))
    late = BackupSource(name="late", kind="set", point=ago(hours=-1))
    assert every(total_loss(backups=[soon]))["restore_set"].loss.seconds == 1
    assert every(total_loss(backups=[late]))["restore_set"].loss == UNKNOWN


def test_an_application_with_other_keys_is_replaced_only_with_a_yes():
    estate = wreck(
        application=Application(state=ApplicationState.RUNNING, keys="foreign"),
        keys="ours",
        archives=[Archive(name="a.zip", point=ago(hours=1), keys="ours")],
    )
    assert every(estate)["mend_application"].needs == {
        "prs_allow_application_loss": "the keys that are there are others than those in the archive"
    }


def test_an_archive_with_other_keys_is_never_taken():
    estate = total_loss(keys="ours", archives=[Archive(name="a.zip", point=ago(hours=1), keys="foreign")])
    assert "no archive of the application holds the keys of this database" in every(estate)["restore_set"].obstacle


def test_the_newest_archive_that_can_be_read_is_taken():
    archives = [
        Archive(name="old.zip", point=ago(days=2)),
        Archive(name="new.zip", point=ago(hours=1), problem="its directory is damaged"),
        Archive(name="good.zip", point=ago(days=1)),
    ]
    work = every(total_loss(archives=archives))["restore_set"].work
    assert [step.sentence for step in work] == [
        "install SQL Server",
        "set up IIS and the application's site",
        "restore the database from 20260301T020000Z",
        "bring back the application from good.zip, as it was at 2026-02-28T12:00:00Z",
        "verify the page and the database",
    ]


def test_what_cannot_be_attached_says_why():
    files = SurvivingFiles(folder="E:\\", attach=Attach.IMPOSSIBLE, problem="its log is missing")
    assert every(total_loss(files=[files]))["attach"].obstacle == "its log is missing"


def test_without_media_nothing_can_be_installed():
    assert every(total_loss(sql_media="there is no setup.exe in \\\\files\\sql"))["restore_set"].obstacle == (
        "there is no setup.exe in \\\\files\\sql"
    )


def test_an_empty_product_loses_everything_and_comes_last():
    assert [*every(total_loss(consents=ALL)).values()][-1].loss == EVERYTHING
    assert every(wreck())["provision"].needs.keys() == {"prs_allow_database_loss", "prs_allow_application_loss"}


def test_an_application_that_was_not_looked_at_is_not_replaced():
    estate = wreck(application=Application(state=ApplicationState.UNKNOWN), consents=ALL)
    assert {road.obstacle for road in every(estate).values()} == {"the application on web-a could not be looked at"}


def test_a_road_that_is_not_there_names_those_that_are():
    assert problem(wreck(), asked="attach") == (
        "There is no road attach here. Name one of these in prs_road: nothing, restore_set, provision"
    )


def test_a_road_that_cannot_be_gone_says_why():
    assert problem(wreck(busy="another run has the lease"), asked="nothing") == (
        "The road nothing cannot be gone: another run has the lease"
    )


def test_the_faster_of_two_that_lose_the_same_and_a_tie_is_told():
    choice = choose(roads(wreck(copies=[MIRROR]), Estimates()), Consents())
    assert choice.road and (choice.road.name.value, choice.road.loss) == ("nothing", NOTHING)
    estate = wreck(database=state(DatabaseState.CLOSED), copies=[MIRROR])
    assert [road.name.value for road in roads(estate, Estimates())][:2] == ["start", "move"]
