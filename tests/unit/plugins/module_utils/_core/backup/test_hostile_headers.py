"""Headers that no SQL Server writes: whatever they say, there is a plan, a refusal or an unreadable file, as plain
JSON, and never an error of ours.
"""

from __future__ import annotations

import json
import os
import random
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import Label
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import (
    BackupCatalog,
    FileReading,
    assemble,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.chain_report import (
    examine,
    families,
    needed_for_newest,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.retention import decide_retention
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    ExistingDatabase,
    Mark,
    Request,
    Target,
    plan_restore,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import Rules
from backup_worlds import NAME, Scene, live, store

WORLDS = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 300
EARLY, LATE = datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)

LSNS = ("FirstLSN", "LastLSN", "CheckpointLSN", "ForkPointLSN", "DatabaseBackupLSN", "DifferentialBaseLSN")
GUIDS = ("RecoveryForkID", "FirstRecoveryForkID", "FamilyGUID", "BackupSetGUID", "DifferentialBaseGUID")
TIMES = ("BackupStartDate", "BackupFinishDate", "LastValidRestoreTime")
ODD = {
    **dict.fromkeys(LSNS, (None, 0, -1, 10**24, 100, 101, 110, 125, 150)),
    **dict.fromkeys(TIMES, (None, datetime.min, datetime(1753, 1, 1), datetime(2024, 1, 1, 0, 0, 20), datetime(9999, 12, 31, 23, 59, 59))),
    "BackupType": (None, 1, 2, 4, 5, 6, 7, 8, 99), "Position": (None, -1, 0, 1, 2, 77), "TimeZone": (None, 127, -48, 0, 4, 56, 1000),
    "IsCopyOnly": (None, 0, 1), "HasBulkLoggedData": (None, 0, 1), "DatabaseName": (None, "", NAME.upper(), "x" * 128, "ß"),
}  # fmt: skip


def spoiled(scene: Scene, chance: random.Random) -> BackupCatalog:
    """The world's files, with something else in every fourth header and in some labels."""
    known = [guid for one in scene.history.taken for guid in (one.guid, one.last_fork, one.family)]
    odd = {**ODD, **dict.fromkeys(GUIDS, (None, "00000000-0000-0000-0000-000000000000", "no guid", *known))}
    readings = []
    for file in scene.files.values():
        headers = [taken.header(position) for position, taken in enumerate(file.sets, start=1)]
        for header in headers:
            if chance.random() < 0.25:
                for column in chance.sample(sorted(odd), chance.randrange(1, 9)):
                    header[column] = chance.choice(odd[column])
        count, sequence = (
            (chance.randrange(5), chance.randrange(5)) if chance.random() < 0.1 else (file.stripes, file.stripe)
        )
        readings.append(
            FileReading(
                path=file.path,
                label=Label(media_set_id=file.media_set, family_count=count, family_sequence=sequence),
                headers=headers,
            )
        )
    return assemble(readings, zone=chance.choice((timezone.utc, None)))


@pytest.mark.parametrize("part", range(3))
def test_nothing_that_a_header_says_is_a_fault_of_ours(part: int) -> None:
    for seed in range(part, WORLDS, 3):
        chance = random.Random(seed)
        scene = store(live(chance, chance.randrange(3, 30)), chance, chance.choice((0.0, 0.3)))
        if not scene.history.taken:
            continue
        inventory, start = spoiled(scene, chance), scene.history.taken[0].started
        lsn, moment, now = (
            chance.randrange(95, 250),
            start + timedelta(seconds=chance.randrange(60)),
            scene.history.clock + timedelta(hours=1),
        )
        existing = ExistingDatabase(
            state="RESTORING",
            family_guid=scene.family,
            redo_start_lsn=lsn,
            redo_start_fork=scene.history.taken[0].last_fork,
        )
        for target in (Target.latest(), *map(Target.at_time, (moment, EARLY, LATE)), Target.at_lsn(lsn), Target.at_lsn(lsn, before=True),
                       Target.at_mark("m"), Target.at_mark("m", after=moment)):  # fmt: skip
            request = Request(database=NAME, target=target, family_guid=chance.choice(("", scene.family)), source_database=chance.choice(("", NAME)),
                              marks=chance.choice(((), (Mark(name="m", lsn=lsn, time=start),))), zone=chance.choice((None, timezone.utc)))  # fmt: skip
            json.dumps(plan_restore(inventory, request, now=now, existing=chance.choice((None, existing))).to_dict())
        for mine in families(inventory.sets):
            needed_for_newest(mine)
            json.dumps(examine(mine, now=now, recovery_point_objective=timedelta(1)))
            decide_retention(mine, Rules(last=1, age=timedelta(seconds=chance.randrange(100)), days=2), now=now)
