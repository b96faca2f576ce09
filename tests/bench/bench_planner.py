"""How long a plan takes over 10,000, 100,000 and a million backup sets, handed over in no order.

The history is that of a busy database: a full a day, a differential every six hours, a log backup a minute, every tenth
log overlapping the one before, a recovery fork now and then. Of several targets the slowest counts: the newest point,
moments at the end, in the middle and at the beginning, an LSN, and a moment that cannot be reached. Then how long it
takes to read 50,000 headers. Prints JSON, or returns it to run.py:
``{"planner_seconds": {"10000": s, "100000": s, "1000000": s}, "planner_read": {"50000": s}}``.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import (
    BackupKind,
    BackupSet,
    Copy,
    Label,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import (
    BackupCatalog,
    FileReading,
    assemble,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    Plan,
    Refusal,
    Request,
    Target,
    plan_restore,
)

SIZES = (10_000, 100_000, 1_000_000)
HEADERS = 50_000
COLUMNS = [
    "BackupName",
    "BackupDescription",
    "BackupType",
    "ExpirationDate",
    "Compressed",
    "Position",
    "DeviceType",
    "UserName",
    "ServerName",
    "DatabaseName",
    "DatabaseVersion",
    "DatabaseCreationDate",
    "BackupSize",
    "FirstLSN",
    "LastLSN",
    "CheckpointLSN",
    "DatabaseBackupLSN",
    "BackupStartDate",
    "BackupFinishDate",
    "SortOrder",
    "CodePage",
    "UnicodeLocaleId",
    "UnicodeComparisonStyle",
    "CompatibilityLevel",
    "SoftwareVendorId",
    "SoftwareVersionMajor",
    "SoftwareVersionMinor",
    "SoftwareVersionBuild",
    "MachineName",
    "Flags",
    "BindingID",
    "RecoveryForkID",
    "Collation",
    "FamilyGUID",
    "HasBulkLoggedData",
    "IsSnapshot",
    "IsReadOnly",
    "IsSingleUser",
    "HasBackupChecksums",
    "IsDamaged",
    "BeginsLogChain",
    "HasIncompleteMetaData",
    "IsForceOffline",
    "IsCopyOnly",
    "FirstRecoveryForkID",
    "ForkPointLSN",
    "RecoveryModel",
    "DifferentialBaseLSN",
    "DifferentialBaseGUID",
    "BackupTypeDescription",
    "BackupSetGUID",
    "CompressedBackupSize",
    "Containment",
    "KeyAlgorithm",
    "EncryptorThumbprint",
    "EncryptorType",
]
_GUID = "AAAAAAAA-0000-0000-0000-000000000000"
_MINUTE = timedelta(minutes=1)
_UTC = timedelta()


def history(count: int) -> list[BackupSet]:
    """``count`` sets of one database."""
    start, lsn = datetime(2020, 1, 1, tzinfo=timezone.utc), 10**20
    fork, before, point = "fork0", "fork0", None
    base, sets = "", []
    for number in range(count):
        moment, first = start + number * _MINUTE, lsn
        kind = "full" if number % 1440 == 0 else "differential" if number % 360 == 0 else "log"
        if number % 100_003 == 5000:
            before, fork, point = fork, f"fork{number}", lsn
        lsn += 1 + number % 7 * 100
        if kind == "full":
            base = f"{number:032x}"
        first_fork = before if kind == "log" else fork
        sets.append(
            BackupSet(
                guid=f"{number:032x}",
                kind=BackupKind(kind),
                family_guid="family",
                database="PasswordResetServer",
                server="SQL1",
                first_lsn=first - (50 if number % 10 == 3 and number > 10 and point is None else 0),
                last_lsn=lsn,
                first_fork=first_fork,
                last_fork=fork,
                copy_only=number % 10 == 3 and kind == "log",
                fork_point_lsn=point if kind == "log" else None,
                differential_base_guid=base if kind == "differential" else "",
                started=moment,
                finished=moment + timedelta(seconds=5),
                utc_offset=_UTC,
                copies=(Copy(stripes=(f"B:\\{number}.bak",)),),
            )
        )
        if kind != "log":
            lsn = first  # data backups do not truncate the log: the next log backup begins where the last one ended
        else:
            before, point = fork, None
    return sets


def measure(count: int) -> float:
    """The slowest plan over ``count`` sets, in seconds of the processor: what else the machine does does not count."""
    sets = history(count)
    random.Random(count).shuffle(sets)
    begin, now = datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2020, 1, 1, tzinfo=timezone.utc) + count * _MINUTE
    times = [now - 5 * _MINUTE, begin + count // 2 * _MINUTE + _MINUTE / 2, begin + 100 * _MINUTE]
    targets = [Target.latest(), Target.at_lsn(sets[0].first_lsn), *(Target.at_time(moment) for moment in times)]
    slowest = 0.0
    for target in [*targets, Target.at_time(now + timedelta(days=1))]:
        gc.collect()
        began = time.process_time()
        answer = plan_restore(BackupCatalog(sets=sets), Request(database="PasswordResetServer", target=target), now=now)
        slowest = max(slowest, time.process_time() - began)
        if isinstance(answer, Plan) != (target in targets):
            raise SystemExit(
                f"{target}: "
                f"{answer.message if isinstance(answer, Refusal) else 'planned, though it lies in the future'}"
            )
    return slowest


def readings(count: int) -> list[FileReading]:
    """``count`` files, each with one log backup in it, as RESTORE HEADERONLY tells of them."""
    start, files = datetime(2020, 1, 1), []
    for number in range(count):
        moment = (start + number * _MINUTE).isoformat()
        row = dict.fromkeys(COLUMNS)
        row |= {
            "BackupType": 2 if number else 1,
            "Position": 1,
            "DatabaseName": "PasswordResetServer",
            "ServerName": "SQL1",
            "FirstLSN": 10**20 + number * 100,
            "LastLSN": 10**20 + number * 100 + 100,
            "CheckpointLSN": 10**20,
            "BackupStartDate": moment,
            "BackupFinishDate": moment,
            "BackupSetGUID": f"{number + 1:08X}-0000-0000-0000-000000000000",
            "SoftwareVersionMajor": 15,
            "BackupSize": 1000,
            "CompressedBackupSize": 500,
        }
        row |= dict.fromkeys(("FamilyGUID", "RecoveryForkID", "FirstRecoveryForkID", "BindingID"), _GUID)
        label = Label(media_set_id=str(number), family_count=1, family_sequence=1)
        files.append(FileReading(path=f"\\\\files\\backup\\PRS_{number}.trn", label=label, headers=[row]))
    return files


def measure_reading(count: int) -> float:
    """Seconds of the processor for making a catalog of headers."""
    files = readings(count)
    gc.collect()
    began = time.process_time()
    if len(assemble(files).sets) != count:
        raise SystemExit("headers were lost")
    return time.process_time() - began


def run() -> dict[str, dict[str, float]]:
    return {
        "planner_seconds": {str(size): round(measure(size), 4) for size in SIZES},
        "planner_read": {str(HEADERS): round(measure_reading(HEADERS), 4)},
    }


if __name__ == "__main__":
    print(json.dumps(run()))
