"""The report on the backups of a database."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import (
    BackupKind,
    BackupSet,
    Copy,
    DatabaseFile,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.chain_report import (
    examine,
    families,
    metrics,
    needed_for_newest,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.prometheus import lines
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import Plan, Request, plan_restore
from backup_worlds import NAME, scene_of

BEGIN = datetime(2024, 5, 6, 10, tzinfo=timezone.utc)


def backup(name: str, kind: str, first: int, last: int, minute: int, **more: object) -> BackupSet:
    moment = BEGIN + timedelta(minutes=minute)
    values = {
        "guid": name,
        "kind": BackupKind(kind),
        "family_guid": "family",
        "first_lsn": first,
        "last_lsn": last,
        "first_fork": "a",
        "last_fork": "a",
        "started": moment,
        "finished": moment,
        "copies": (Copy(stripes=(name,)),),
    }
    return BackupSet(**{**values, **more})


CHAIN = [
    backup("F1", "full", 10, 20, 0),
    backup("L1", "log", 10, 30, 10),
    backup("L2", "log", 30, 40, 20),
    backup("L3", "log", 40, 50, 30),
]


def report(sets: list[BackupSet], **more: object) -> dict:
    return examine(sets, now=BEGIN + timedelta(hours=1), **more)


def stretches(told: dict) -> list[str]:
    return [f"{window['from'][11:16]}-{window['until'][11:16]} {window['fork']}" for window in told["reachable"]]


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        (CHAIN, ["10:00-10:30 a"]),
        ([CHAIN[0]], ["10:00-10:00 a"]),
        (CHAIN[1:], []),
        ([*CHAIN[:2], CHAIN[3]], ["10:00-10:10 a"]),
        (
            [*CHAIN[:2], CHAIN[3], backup("F2", "full", 55, 60, 40), backup("L4", "log", 50, 70, 50)],
            ["10:00-10:10 a", "10:40-10:50 a"],
        ),
        ([*CHAIN, backup("I", "log", 50, 50, 45)], ["10:00-10:45 a"]),
        ([*CHAIN[:2], backup("L2", "log", 30, 40, 20, bulk_logged=True), CHAIN[3]], ["10:00-10:10 a", "10:20-10:30 a"]),
        (
            [*CHAIN[:3], backup("M", "log", 40, 60, 50, last_fork="b", fork_point_lsn=40)],
            ["10:00-10:20 a", "10:50-10:50 b"],
        ),
        (
            [*CHAIN[:3], backup("M", "log", 30, 60, 50, last_fork="b", fork_point_lsn=40)],
            ["10:00-10:20 a", "10:50-10:50 b"],
        ),
        ([CHAIN[0], backup("M", "log", 30, 60, 50, last_fork="b", fork_point_lsn=40)], ["10:00-10:00 a"]),
    ],
)
def test_reachable_time(sets: list[BackupSet], expected: list[str]) -> None:
    assert stretches(report(sets)) == expected


def test_age_against_the_objective() -> None:
    told = report(CHAIN, recovery_point_objective=timedelta(minutes=30))
    assert (told["recovery_point"], told["age_seconds"], told["within_objective"]) == (
        "2024-05-06T10:30:00+00:00",
        1800,
        True,
    )
    assert report(CHAIN, recovery_point_objective=timedelta(minutes=29))["within_objective"] is False
    assert report([], recovery_point_objective=timedelta(days=1))["within_objective"] is False
    assert report(CHAIN)["within_objective"] is None


def test_gaps_are_told_with_their_lsns() -> None:
    (gap,) = report([*CHAIN[:2], CHAIN[3]])["gaps"]
    assert (gap["from_lsn"], gap["until_lsn"], gap["from"][11:16], gap["until"][11:16]) == (30, 40, "10:10", "10:30")
    assert report(CHAIN)["gaps"] == []
    assert report([CHAIN[0], *CHAIN[2:]])["gaps"][0]["from_lsn"] == 20


@pytest.mark.parametrize(("model", "gaps"), [("SIMPLE", []), ("FULL", [5])])
def test_what_was_backed_up_while_no_log_was_kept_is_no_gap(model: str, gaps: list[int]) -> None:
    """As where somebody let a database keep its log from a certain day on: nothing is lost of what never was."""
    earlier = backup("F0", "full", 1, 5, -30, recovery_model=model)
    assert [gap["from_lsn"] for gap in report([earlier, *CHAIN])["gaps"]] == gaps


def test_forks_and_what_cannot_be_used() -> None:
    lost = backup("L4", "log", 50, 60, 40, copies=(Copy(stripes=("1.trn",), problem="stripe 2 of 2 is missing"),))
    told = report(
        [
            *CHAIN,
            lost,
            backup("D1", "differential", 45, 48, 25, differential_base_guid="gone"),
            backup("M", "log", 40, 60, 50, last_fork="b", fork_point_lsn=40),
        ]
    )
    assert [(fork["guid"], fork["parent"], fork["fork_point_lsn"], fork["sets"]) for fork in told["forks"]] == [
        ("a", None, None, 6),
        ("b", "a", 40, 1),
    ]
    assert {item["guid"]: item["reason"] for item in told["unusable"]} == {
        "L4": "stripe 2 of 2 is missing",
        "D1": "the full backup that it is based on (gone) is not among the usable backups",
    }


@pytest.mark.parametrize(("there", "missing"), [(None, None), (frozenset(), ["AB"]), (frozenset({"AB"}), [])])
def test_certificates(there: frozenset[str] | None, missing: list[str] | None) -> None:
    told = report([backup("F1", "full", 10, 20, 0, encryptor_thumbprint="AB")], certificates=there)
    assert (told["certificates"], told["certificates_missing"]) == (["AB"], missing)


def test_the_certificate_of_an_encrypted_database_is_needed_too() -> None:
    file = DatabaseFile(logical_name="a", physical_name="a", type="D", size=1, file_id=1, tde_thumbprint="CD")
    told = report(
        [backup("F1", "full", 10, 20, 0, encryptor_thumbprint="AB", files=(file,))], certificates=frozenset({"AB"})
    )
    assert (told["certificates"], told["certificates_missing"]) == (["AB", "CD"], ["CD"])


def test_backups_of_a_damaged_database_are_not_counted_on() -> None:
    told = report([*CHAIN[:2], backup("L2", "log", 30, 40, 20, damaged=True)])
    assert [item["reason"] for item in told["unusable"]] == ["the database was damaged when this backup was made"]
    assert (told["chain"], told["newest"]["log"][11:16]) == (["F1", "L1"], "10:10")


def test_what_only_the_history_knows_is_lost_not_unusable() -> None:
    gone = Copy(stripes=("3.trn",), problem="msdb knows it, but no such file was found")
    sets = [
        *CHAIN[:2],
        backup("L2", "log", 30, 40, 20, copies=(gone,)),
        backup("D1", "differential", 25, 28, 15, differential_base_guid="X"),
    ]
    told = report(sets, lost=frozenset({"L2"}))
    assert told["lost"] == [{"guid": "L2", "kind": "log", "reason": gone.problem, "files": ["3.trn"]}]
    assert [item["guid"] for item in told["unusable"]] == ["D1"]
    assert told["counts"] == {"usable": 2, "unusable": 1, "lost": 1} and set(told["newest"]) == {"full", "log"}


def test_databases_are_told_apart_by_family() -> None:
    other = backup("F2", "full", 10, 20, 50, family_guid="other", database="A")
    sets = [
        backup("F3", "full", 10, 20, 5, database="New name"),
        other,
        backup("F1", "full", 10, 20, 0, database="Old name"),
    ]

    def guids(**wanted: str) -> list[list[str]]:
        return [[one.guid for one in mine] for mine in families(sets, **wanted)]

    assert guids() == [["F1", "F3"], ["F2"]]
    assert guids(database="old NAME") == [["F1", "F3"]] == guids(database="New name") == guids(family_guid="family")
    assert guids(family_guid="other") == [["F2"]]
    assert guids(database="Old name", family_guid="other") == guids(database="nothing") == []


def test_metrics() -> None:
    told = {"database": 'P\\R"S', "family_guid": "family", **report(CHAIN, certificates=frozenset())}
    lost = {"database": "L", "family_guid": "gone", **report([])}
    text = lines(
        metrics([told, lost], asked="SQL1", now=BEGIN + timedelta(hours=1), recovery_point_objective=60, unreadable=2)
    )
    begin = BEGIN.timestamp()
    here = 'database="P\\\\R\\"S",family="family",server="SQL1"'
    here_of_a_full = here.replace(",server", ',kind="full",server')
    for line in (
        'prs_backup_unreadable_files{server="SQL1"} 2',
        f'prs_backup_read_timestamp_seconds{{server="SQL1"}} {begin + 3600}',
        f"prs_backup_recoverable{{{here}}} 1",
        'prs_backup_recoverable{database="L",family="gone",server="SQL1"} 0',
        f"prs_backup_recovery_point_timestamp_seconds{{{here}}} {begin + 1800}",
        f"prs_backup_reachable_since_timestamp_seconds{{{here}}} {begin + 1}",
        f"prs_backup_newest_timestamp_seconds{{{here_of_a_full}}} {begin}",
        f'prs_backup_sets{{{here},state="usable"}} 4',
        f"prs_backup_gaps{{{here}}} 0",
        f"prs_backup_forks{{{here}}} 1",
        f"prs_backup_certificates_missing{{{here}}} 0",
    ):
        assert line in text.split("\n"), text
    assert 'point_timestamp_seconds{database="L"' not in text, "what is not known is no number"


def test_it_promises_what_sql_restore_keeps() -> None:
    """The newest recovery point and its chain, for random histories: what the planner plans."""
    planned = 0
    for seed in range(150):
        scene, _chance = scene_of((seed, 3 + seed % 25, 0.4))
        now = scene.history.clock + timedelta(hours=1)
        (mine,) = families(scene.inventory().sets, family_guid=scene.family) or [[]]
        told = examine(mine, now=now)
        name = next((one.database for one in mine if one.guid in told["chain"][-1:]), NAME)
        answer = plan_restore(
            scene.inventory(), Request(database=NAME, source_database=name, family_guid=scene.family), now=now
        )
        if isinstance(answer, Plan):
            planned += 1
            assert (
                told["chain"]
                == [step.guid for step in answer.steps if step.guid]
                == [one.guid for one in needed_for_newest(mine)]
            )
            assert told["recovery_point"] == answer.recovery_point.time.isoformat()
        else:
            assert told["chain"] == [] and told["recovery_point"] is None
    assert 75 < planned < 150


def test_what_anybody_can_restore_is_listed_by_file() -> None:
    sets = [
        backup("F1", "full", 10, 20, 0, encryptor_thumbprint="AB"),
        backup("L1", "log", 10, 30, 10),
        backup("L2", "log", 30, 40, 20, copies=()),
    ]
    assert report(sets, lost={"L2"})["unencrypted"] == ["L1"]


def test_what_nobody_knows_to_be_unencrypted_is_not_listed() -> None:
    sets = [backup("F1", "full", 10, 20, 0, unknown=frozenset({"EncryptorThumbprint"}))]
    assert report(sets)["unencrypted"] == []
