"""How long a plan takes over 10,000, 100,000 and a million backup sets, handed over in no order.

The history is that of a busy database: a full a day, a differential every six hours, a log backup a minute, every tenth
log overlapping the one before, a recovery fork now and then. Of several targets the slowest counts: the newest point,
moments at the end, in the middle and at the beginning, an LSN, and a moment that cannot be reached. The last size is
one of 30,000 sets that was recovered anew every ten backups. Then how long it takes to make a catalog of 50,000 headers.

Each measurement is a process of its own, and its seconds are those of the processor. Prints JSON, or returns it to
run.py: ``{"planner": {"10000": {"seconds": s}, ..., "30000 on 3000 forks": ...}, "planner_read": {"50000": ...}}``.
``compare(folder)`` measures another checkout too, both in turn, and adds ``against`` (its seconds) and ``ratio``; of
several turns the quickest of each counts. It understands the names of 95c6376 as well.
"""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CORE = "ansible_collections.prs.recovery.plugins.module_utils._core"
OFTEN = "30000 on 3000 forks"
PLANS = {"10000": (10_000, 100_003), "100000": (100_000, 100_003), "1000000": (1_000_000, 100_003), OFTEN: (30_000, 10)}
"""Name of a history: the number of its sets, and after how many of them it was recovered anew."""

HEADERS = 50_000
TURNS = 3
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


class Build(NamedTuple):
    """What of a checkout is measured, whatever its modules are called."""

    sets: Any
    catalog: Any
    planner: Any

    @classmethod
    def load(cls) -> Build:
        """Of the collection that is on the path: by today's names, or by those of 95c6376."""
        for names in (
            ("backup.backup_set", "backup.catalog", "restore.planner"),
            ("backup_sets", "backup_inventory", "restore_planner"),
        ):
            try:
                return cls(*(import_module(f"{CORE}.{name}") for name in names))
            except ModuleNotFoundError:
                continue
        raise SystemExit(f"this checkout has no planner: {sys.path[0]}")

    def kind(self, word: str) -> str:
        return self.sets.BackupKind(word) if hasattr(self.sets, "BackupKind") else word

    def catalog_of(self, sets: list[Any]) -> Any:
        make = self.catalog.BackupCatalog if hasattr(self.catalog, "BackupCatalog") else self.catalog.Inventory
        return make(sets=sets)


def history(build: Build, count: int, recovered_every: int) -> list[Any]:
    """``count`` sets of one database."""
    start, lsn = datetime(2020, 1, 1, tzinfo=timezone.utc), 10**20
    fork, before, point = "fork0", "fork0", None
    base, sets = "", []
    for number in range(count):
        moment, first = start + number * _MINUTE, lsn
        kind = "full" if number % 1440 == 0 else "differential" if number % 360 == 0 else "log"
        if number % recovered_every == min(5000, recovered_every // 2):
            before, fork, point = fork, f"fork{number}", lsn
        lsn += 1 + number % 7 * 100
        if kind == "full":
            base = f"{number:032x}"
        first_fork = before if kind == "log" else fork
        sets.append(
            build.sets.BackupSet(
                guid=f"{number:032x}",
                kind=build.kind(kind),
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
                copies=(build.sets.Copy(stripes=(f"B:\\{number}.bak",)),),
            )
        )
        if kind != "log":
            lsn = first  # data backups do not truncate the log: the next log backup begins where the last one ended
        else:
            before, point = fork, None
    return sets


def measure(build: Build, count: int, recovered_every: int) -> float:
    """The slowest plan over ``count`` sets, in seconds of the processor: what else the machine does does not count."""
    planner = build.planner
    sets = history(build, count, recovered_every)
    random.Random(count).shuffle(sets)
    begin, now = datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2020, 1, 1, tzinfo=timezone.utc) + count * _MINUTE
    times = [now - 5 * _MINUTE, begin + count // 2 * _MINUTE + _MINUTE / 2, begin + 100 * _MINUTE]
    to = planner.Target
    targets = [to.latest(), to.at_lsn(sets[0].first_lsn), *(to.at_time(moment) for moment in times)]
    slowest = 0.0
    for target in [*targets, to.at_time(now + timedelta(days=1))]:
        request, catalog = planner.Request(database="PasswordResetServer", target=target), build.catalog_of(sets)
        gc.collect()
        began = time.process_time()
        answer = planner.plan_restore(catalog, request, now=now)
        slowest = max(slowest, time.process_time() - began)
        if isinstance(answer, planner.Plan) != (target in targets):
            raise SystemExit(f"{target}: {getattr(answer, 'message', 'planned, though it lies in the future')}")
    return slowest


def readings(build: Build, count: int) -> list[Any]:
    """``count`` files, each with one log backup in it, as RESTORE HEADERONLY tells of them."""
    start, files = datetime(2020, 1, 1), []
    for number in range(count):
        moment = (start + number * _MINUTE).isoformat()
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
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
        label = build.sets.Label(media_set_id=str(number), family_count=1, family_sequence=1)
        path = f"\\\\files\\backup\\PRS_{number}.trn"
        files.append(build.catalog.FileReading(path=path, label=label, headers=[row]))
    return files


def measure_reading(build: Build, count: int) -> float:
    """Seconds of the processor for making a catalog of headers."""
    files = readings(build, count)
    gc.collect()
    began = time.process_time()
    if len(build.catalog.assemble(files).sets) != count:
        raise SystemExit("headers were lost")
    return time.process_time() - began


def measure_part(key: str, *numbers: str) -> float:
    """One figure of the collection on the path."""
    part = measure_reading if key == "planner_read" else measure
    return part(Build.load(), *map(int, numbers))


def seconds_of(checkout: Path, key: str, *numbers: int) -> float:
    """One figure of a checkout, measured in a process of its own."""
    path = [str(checkout / "build" / "collections"), str(Path(__file__).parent)]
    script = "from bench_planner import measure_part; print(measure_part(*sys.argv[1:]))"
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {script}", key, *map(str, numbers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{checkout}, {key} {numbers}: {done.stderr}")
    return float(done.stdout)


def figures(checkouts: Sequence[Path], *, turns: int) -> dict[str, dict[str, dict[str, float]]]:
    """Every figure of the first checkout, beside those of the second one if there is one."""
    return {
        "planner": {name: _figure(checkouts, turns, "planner", *numbers) for name, numbers in PLANS.items()},
        "planner_read": {str(HEADERS): _figure(checkouts, turns, "planner_read", HEADERS)},
    }


def _figure(checkouts: Sequence[Path], turns: int, key: str, *numbers: int) -> dict[str, float]:
    rounds = [[seconds_of(checkout, key, *numbers) for checkout in checkouts] for _turn in range(turns)]
    mine, *others = (min(seconds) for seconds in zip(*rounds, strict=True))
    figure = {"seconds": round(mine, 4)}
    for other in others:
        figure |= {"against": round(other, 4), "ratio": round(mine / other, 3)}
    return figure


def run() -> Mapping[str, Any]:
    return figures([ROOT], turns=1)


def compare(folder: Path) -> Mapping[str, Any]:
    """The same beside another checkout's: both in turn, so that what else the machine does strikes both."""
    return figures([ROOT, folder], turns=TURNS)


if __name__ == "__main__":
    print(json.dumps(run()))
