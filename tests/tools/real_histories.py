"""Recorded histories and real backup files, fed to the restore planner and to the brute force of restore_oracle.

    real_histories.py FOLDER        or: make real-histories FOLDER=...

FOLDER holds, at any depth, backup files (.bak, .trn, .dif: those of one folder are a history) and recordings of RESTORE
HEADERONLY or of a backup history by PowerShell (.json, .xml as Export-Clixml writes it: each is a history). Such as those
of dataplat/appveyor-lab and dataplat/dbatools; none of them is in this repository.

Of every history, of it without each single set, doubled, and doubled and shuffled, every target is asked for: the
newest point, the start, the middle and the end of each backup and the seconds beside them, each LSN and the one before.
Then all histories together, each by its name. A plan is carried out on the history, one RESTORE at a time. What the
records of the log were, nobody recorded: some are invented at every LSN that a header names, at times that fit.

Prints how many questions were asked and each answer that the brute force does not give; exit code 1 if there is one.
"""

from __future__ import annotations

import json
import random
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import (
    BackupCatalog,
    FileReading,
    assemble,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import FileFormatError
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.reading import ExaminedFile, file_reading
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    Plan,
    Refusal,
    Request,
    Target,
    plan_restore,
)
from backup_history import Record, RestoreError, RestoreRun, Taken
from restore_oracle import Oracle

__all__ = ["Tally", "ask_everything", "histories_of", "read_recording", "worlds_of"]

SECOND = timedelta(seconds=1)
LARGEST = 40
"""Longer histories are asked in three stretches of so many sets: the brute force tries every chain."""

KINDS = {
    "database": 1,
    "full": 1,
    "transaction log": 2,
    "log": 2,
    "database differential": 5,
    "differential": 5,
}
COLUMNS = {
    "BackupSetGUID": ("BackupSetGUID", "BackupSetID", "BackupSetId"),
    "BackupStartDate": ("BackupStartDate", "Start"),
    "BackupFinishDate": ("BackupFinishDate", "End"),
    "DatabaseName": ("DatabaseName", "Database"),
    "ServerName": ("ServerName", "SqlInstance"),
    "FirstLSN": ("FirstLSN", "FirstLsn"),
    "LastLSN": ("LastLSN", "LastLsn"),
    "CheckpointLSN": ("CheckpointLSN", "CheckpointLsn"),
    "DatabaseBackupLSN": ("DatabaseBackupLSN", "DatabaseBackupLsn"),
    "RecoveryForkID": ("RecoveryForkID", "LastRecoveryForkGUID"),
    "FirstRecoveryForkID": ("FirstRecoveryForkID", "FirstRecoveryForkID"),
    "SoftwareVersionMajor": ("SoftwareVersionMajor",),
    "IsCopyOnly": ("IsCopyOnly",),
}
"""Columns of RESTORE HEADERONLY, and what they are called in recordings."""


# -- reading


def read_recording(path: Path) -> list[dict[str, Any]]:
    """The sets in a recording as rows of RESTORE HEADERONLY."""
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    entries = json.loads(text) if path.suffix == ".json" else list(_clixml(text))
    return [row for entry in entries if (row := _row(entry))]


def _clixml(text: str) -> Iterator[dict[str, Any]]:
    root = ElementTree.fromstring(re.sub(r"<\?xml[^>]*\?>", "", text))
    strip = re.compile(r"^\{[^}]*\}")
    for record in root:
        entry: dict[str, Any] = {}
        for member in record.iter():
            if strip.sub("", member.tag) not in ("Props", "MS") or member not in list(record):
                continue
            for value in member:
                shown = next((child.text for child in value if strip.sub("", child.tag) == "ToString"), value.text)
                if value.get("N") and (shown or "").strip():
                    entry[str(value.get("N"))] = (shown or "").strip()
        yield entry


def _row(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    row = {
        column: next((entry[name] for name in names if entry.get(name) not in (None, "")), None)
        for column, names in COLUMNS.items()
    }
    kind = KINDS.get(str(entry.get("BackupTypeDescription") or entry.get("Type")).strip().casefold())
    if kind is None or row["BackupSetGUID"] is None:
        return None
    for column in ("BackupStartDate", "BackupFinishDate"):
        row[column] = _moment(row[column])
    for column in ("FirstLSN", "LastLSN", "CheckpointLSN", "DatabaseBackupLSN"):
        row[column] = None if row[column] is None else int(str(row[column]))
    row["IsCopyOnly"] = str(row["IsCopyOnly"]).casefold() in ("1", "true")
    return {**row, "BackupType": kind, "Position": 1}


def _moment(value: Any) -> datetime:
    milliseconds = re.fullmatch(r"/Date\((-?\d+)\)/", str(value.get("value") if isinstance(value, dict) else value))
    if milliseconds:
        return datetime(1970, 1, 1) + timedelta(seconds=int(milliseconds[1]) // 1000)
    text = str(value.get("DateTime") if isinstance(value, dict) else value)
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None, microsecond=0)


def _read_file(path: Path) -> FileReading | None:
    try:
        with path.open("rb") as file:

            def read(offset: int, length: int) -> bytes:
                file.seek(offset)
                return file.read(length)

            size = path.stat().st_size
            return file_reading(ExaminedFile(path=str(path), size=size, file=read_backup_file(read, size)))
    except (FileFormatError, OSError) as problem:
        print(f"    {path} is left out: {problem}")
        return None


def histories_of(folder: Path) -> dict[str, BackupCatalog]:
    """Name of a history -> its sets."""
    readings: dict[str, list[FileReading]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".json", ".xml"):
            rows = read_recording(path)
            readings[path.name] += [
                FileReading(path=f"{path.name}_{number}.bak", headers=[row]) for number, row in enumerate(rows)
            ]
        elif path.suffix.lower() in (".bak", ".trn", ".dif"):
            reading = _read_file(path)
            if reading is not None:
                readings[_folder_of(path, folder)].append(reading)
    return {name: assemble(items, zone=timezone.utc) for name, items in readings.items() if items}


def _folder_of(path: Path, folder: Path) -> str:
    """The history of a file: the first two folders, so that stripes and FULL, DIFF, LOG are together."""
    return "/".join(path.relative_to(folder).parts[:-1][:3]) or "."


# -- what a database may have held


@dataclass
class World:
    """The usable sets of one database, with invented records."""

    name: str
    database: str
    catalog: BackupCatalog
    taken: dict[str, Taken] = field(default_factory=dict)

    def oracle(self) -> Oracle:
        sets = list(self.taken.values())
        return Oracle(sets, names={(entry.database, entry.last_fork) for entry in sets}, wanted=self.database)

    def plan(self, target: Target, catalog: BackupCatalog) -> Plan | Refusal:
        now = max(entry.finished for entry in catalog.sets) + timedelta(days=1)
        return plan_restore(
            catalog, Request(database=self.database, source_database=self.database, target=target), now=now
        )

    def carry_out(self, plan: Plan) -> tuple[Record, ...] | None:
        run = RestoreRun()
        for step in plan.steps:
            if step.action == "recover" or (step.skip_if_stopped and run.position < step.fits_from):
                continue
            taken = self.taken[step.guid]
            if step.action == "database":
                run.restore_database(taken)
                continue
            stop = step.stop
            run.restore_log(
                taken,
                stop_at=self._utc(stop.time, step.guid) if stop is not None and stop.kind == "time" else None,
                stop_lsn=None if stop is None or stop.kind != "lsn" else stop.lsn + (not stop.before),
            )
        return run.records

    def _utc(self, local: datetime, guid: str) -> datetime:
        """A moment on the wall of the server that made a set."""
        offset = next(entry.utc_offset for entry in self.catalog.sets if entry.guid == guid)
        return local.replace(tzinfo=timezone.utc) - (offset or timedelta())


def worlds_of(name: str, sets: Sequence[BackupSet]) -> Iterator[World]:
    """A world for each database of a history."""
    by_database: dict[tuple[str, str], list[BackupSet]] = defaultdict(list)
    for entry in sets:
        if not entry.problem:
            by_database[entry.family, entry.database.strip()].append(entry)
    families: dict[str, list[BackupSet]] = defaultdict(list)
    for entry in sets:
        if not entry.problem:
            families[entry.family].append(entry)
    for (family, database), mine in by_database.items():
        if any(entry.kind == "full" for entry in mine):
            members = families[family]
            yield World(f"{name} {database}", database, BackupCatalog(sets=members), _taken(members))


def _taken(sets: Sequence[BackupSet]) -> dict[str, Taken]:
    parents = {
        entry.last_fork: (entry.first_fork, entry.fork_point_lsn)
        for entry in sets
        if entry.kind == "log" and entry.first_fork != entry.last_fork and entry.fork_point_lsn is not None
    }
    records = {fork: _records(fork, sets, parents) for fork in {entry.last_fork for entry in sets} | set(parents)}
    records |= {parent: _records(parent, sets, parents) for parent, _point in parents.values() if parent not in records}
    taken: dict[str, Taken] = {}
    for entry in sets:
        lineage = _lineage(entry.last_fork, parents)
        path: list[Record] = []
        for number, (fork, _start) in enumerate(lineage):
            end = lineage[number + 1][1] if number + 1 < len(lineage) else entry.last_lsn
            path += [record for record in records[fork] if record.lsn < min(end, entry.last_lsn)]
        taken[entry.guid] = Taken(
            guid=entry.guid,
            kind=entry.kind.value,
            family=entry.family,
            database=entry.database.strip(),
            first_lsn=entry.first_lsn,
            last_lsn=entry.last_lsn,
            started=entry.started,
            finished=entry.finished,
            path=tuple(path),
            lineage=lineage,
            first_fork=entry.first_fork,
            last_fork=entry.last_fork,
            fork_point=entry.fork_point_lsn,
            copy_only=entry.copy_only,
            bulk=entry.bulk_logged,
            last_valid=entry.last_valid_time,
            checkpoint_lsn=entry.checkpoint_lsn,
        )
    for entry in sets:
        if entry.kind == "differential":
            base = _base(entry, sets)
            if base is None:
                del taken[entry.guid]
            else:
                taken[entry.guid].base = taken[base.guid]
    return taken


def _base(entry: BackupSet, sets: Sequence[BackupSet]) -> BackupSet | None:
    """By GUID if the header tells it, else by the LSN of the full's checkpoint."""
    fulls = [full for full in sets if full.kind == "full" and not full.copy_only]
    if entry.differential_base_guid:
        return next((full for full in fulls if full.guid == entry.differential_base_guid), None)
    lsn = entry.differential_base_lsn or entry.database_backup_lsn
    return next((full for full in fulls if lsn == full.checkpoint_lsn), None)


def _lineage(fork: str, parents: Mapping[str, tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    lineage = [(fork, parents[fork][1] if fork in parents else 0)]
    while lineage[0][0] in parents:
        parent = parents[lineage[0][0]][0]
        lineage.insert(0, (parent, parents[parent][1] if parent in parents else 0))
    return tuple(lineage)


def _records(fork: str, sets: Sequence[BackupSet], parents: Mapping[str, tuple[str, int]]) -> list[Record]:
    """A record at every LSN that a header names on this fork and one between each two, at times that fit the headers."""
    start = parents[fork][1] if fork in parents else 0
    mine = [entry for entry in sets if entry.last_fork == fork]
    named = {lsn for entry in mine for lsn in (entry.first_lsn, entry.last_lsn, entry.last_lsn - 1) if lsn >= start}
    named |= {start} if start else set()
    for child, (parent, point) in parents.items():
        named |= {point, point + 1} if parent == fork and child else set()
    edges = sorted(named)
    edges = sorted({*edges, *((low + high) // 2 for low, high in pairwise(edges))})
    earliest = min((entry.started for entry in mine), default=datetime(2000, 1, 1, tzinfo=timezone.utc)) - SECOND
    records = []
    for number, lsn in enumerate(edges):
        past = max((entry.started for entry in mine if entry.last_lsn <= lsn), default=earliest)
        limit = min(
            (entry.started if entry.kind == "log" else entry.finished for entry in mine if entry.last_lsn > lsn),
            default=past,
        )
        surely = min((entry.finished for entry in mine if entry.last_lsn > lsn), default=past)
        moment = min(past + max(limit - past, timedelta()) / 4, surely)
        records.append(Record(lsn, max(moment, records[-1].time if records else moment), hash((fork, number))))
    return records


# -- asking


@dataclass
class Tally:
    asked: int = 0
    wrong: list[str] = field(default_factory=list)


def _variants(sets: Sequence[BackupSet]) -> Iterator[tuple[str, list[BackupSet]]]:
    yield "whole", list(sets)
    for entry in sets:
        yield f"without {entry.place}", [other for other in sets if other is not entry]
    yield "doubled and shuffled", random.Random(len(sets)).sample(list(sets), len(sets))
    for kind in ("full", "differential", "log"):
        yield f"without any {kind}", [entry for entry in sets if entry.kind != kind]


def _stretches(sets: Sequence[BackupSet]) -> list[list[BackupSet]]:
    if len(sets) <= LARGEST:
        return [list(sets)]
    ordered = sorted(sets, key=lambda entry: entry.last_lsn)
    fulls = [entry for entry in ordered if entry.kind == "full"]
    stretches = []
    for begin in (0, len(ordered) // 2, len(ordered) - LARGEST):
        part = ordered[begin : begin + LARGEST]
        base = next((full for full in reversed(fulls) if full.last_lsn <= part[0].last_lsn and full not in part), None)
        stretches.append([base, *part] if base else part)
    return stretches


def _targets(sets: Sequence[BackupSet]) -> Iterator[Target]:
    yield Target.latest()
    moments = set()
    for entry in sets:
        for moment in (entry.started, entry.started + (entry.finished - entry.started) / 2, entry.finished):
            moments |= {moment - SECOND, moment, moment + SECOND}
    ordered = sorted(entry.started for entry in sets)
    moments |= {low + (high - low) / 2 for low, high in pairwise(ordered)}
    moments |= {ordered[0] - timedelta(days=1), ordered[-1] + timedelta(days=1)}
    yield from map(Target.at_time, sorted(moments))
    for lsn in sorted({lsn for entry in sets for lsn in (entry.first_lsn, entry.last_lsn)}):
        yield Target.at_lsn(lsn)
        yield Target.at_lsn(lsn, before=True)


def _expected(oracle: Oracle, target: Target) -> list[tuple[Record, ...]]:
    if target.kind == "latest":
        points = [oracle.newest()]
    elif target.kind == "time":
        points = [oracle.at_time(target.time)]
    else:
        points = oracle.at_lsn(target.lsn, before=target.before)
    return [point.records for point in points if point is not None]


def _ask(world: World, oracle: Oracle, target: Target, catalog: BackupCatalog, tally: Tally, title: str) -> None:
    tally.asked += 1
    expected, answer = _expected(oracle, target), world.plan(target, catalog)
    order = (
        answer.code if isinstance(answer, Refusal) else " ".join(step.guid[:4] for step in answer.steps if step.guid)
    )
    try:
        right = not expected if isinstance(answer, Refusal) else world.carry_out(answer) in expected
    except RestoreError as error:
        right, order = False, f"{order} fails with {error}"
    if not right:
        tally.wrong.append(f"{title}, {target}: {order}; the brute force knows {len(expected)} points")


def ask_everything(name: str, catalog: BackupCatalog, tally: Tally) -> None:
    """All questions about one history."""
    for whole in worlds_of(name, catalog.sets):
        for number, stretch in enumerate(_stretches(whole.catalog.sets)):
            for variant, sets in _variants(stretch):
                if not sets:
                    continue
                world = World(whole.name, whole.database, BackupCatalog(sets=sets), _taken(sets))
                oracle = world.oracle()
                asked = world.catalog
                if variant.startswith("doubled"):
                    asked = BackupCatalog(sets=sets)
                for target in _targets(sets):
                    _ask(world, oracle, target, asked, tally, f"{whole.name} [{number}] {variant}")


def ask_mixed(histories: Mapping[str, BackupCatalog], tally: Tally) -> None:
    """All histories in one source: what is asked of a database alone is answered the same."""
    together = BackupCatalog(sets=[entry for catalog in histories.values() for entry in catalog.sets])
    known = Counter(family for catalog in histories.values() for family in {entry.family for entry in catalog.sets})
    for name, catalog in histories.items():
        for world in worlds_of(name, catalog.sets):
            if len(world.catalog.sets) > LARGEST or known[world.catalog.sets[0].family] > 1:
                continue  # two recordings of one database are one history when they are together
            tally.asked += 1
            alone, mixed = world.plan(Target.latest(), world.catalog), world.plan(Target.latest(), together)
            orders = [
                answer.code if isinstance(answer, Refusal) else [step.guid for step in answer.steps]
                for answer in (alone, mixed)
            ]
            if orders[0] != orders[1] and orders[1] != "ambiguous":
                tally.wrong.append(f"{world.name} among all: {orders[1]}, alone: {orders[0]}")


def main(arguments: Iterable[str]) -> int:
    folder = Path(next(iter(arguments)))
    tally = Tally()
    histories = histories_of(folder)
    for name, catalog in histories.items():
        before = tally.asked, len(tally.wrong)
        ask_everything(name, catalog, tally)
        print(
            f"    {name}: {len(catalog.sets)} sets, {tally.asked - before[0]} asked, {len(tally.wrong) - before[1]} wrong",
            flush=True,
        )
    ask_mixed(histories, tally)
    for line in tally.wrong[:100]:
        print(f"    WRONG {line}")
    print(
        f"{len(histories)} histories, {tally.asked} questions, {len(tally.wrong)} answers that the brute force does not give"
    )
    return int(bool(tally.wrong) or not histories)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
