from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.file_names import MANIFEST_FORMAT, is_beside
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.manifest import (
    PendingDelivery,
    at_place,
    manifest_lines,
    note_name,
    parse_manifest,
    parse_note,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.statements import confirmed_report

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
FILES = ["D:\\Stage\\PRS_1of2.bak", "D:\\Stage\\PRS_2of2.bak"]
THERE = ["\\\\files\\backup\\PRS_1of2.bak", "\\\\files\\backup\\PRS_2of2.bak"]
ONE = BackupSet(
    guid="g", kind=BackupKind.DIFFERENTIAL, family_guid="f", database="PRS", server="SQL01", first_lsn=10**24, last_lsn=10**24 + 7, checkpoint_lsn=5,
    database_backup_lsn=4, first_fork="a", last_fork="b", differential_base_guid="base", started=NOON, finished=NOON + dt.timedelta(minutes=1),
    utc_offset=dt.timedelta(), copy_only=False, checksums=True, size=9, compressed_size=7, database_version=904, version=(15, 0, 4430),
    collation="Latin1_General_CI_AS", recovery_model="FULL", encryptor_thumbprint="AB12", copies=(Copy(stripes=tuple(FILES), position=1),),
)  # fmt: skip
REPORT = {
    "format": MANIFEST_FORMAT, "database": "PRS", "server": "SQL01", "kind": "differential", "files": THERE, "copy_files": ["E:\\x", "E:\\y"],
    **confirmed_report(ONE, files=THERE, verified=True),
}  # fmt: skip
HASHES = {path: (str(number) * 64, number) for number, path in enumerate((*FILES, *THERE), start=1)}
PRESENT = {path.lower(): size for path, (_hash, size) in HASHES.items()}


def manifest(files=THERE):
    return at_place(REPORT, files, hashes=HASHES)


def parsed(content, *, path=f"{THERE[0]}.manifest.json", present=PRESENT):
    return parse_manifest(manifest_lines(content), path=path, present=present)


def test_what_is_written_is_read():
    stored = parsed(manifest())
    changed = {
        field.name for field in dataclasses.fields(ONE) if getattr(stored.set, field.name) != getattr(ONE, field.name)
    }
    assert changed == {"copies"} and stored.set.best_copy == Copy(stripes=tuple(THERE), position=1)
    assert stored.files == tuple(THERE) and stored.sha256 == {path: HASHES[path][0] for path in THERE}


def test_a_manifest_that_calls_the_kind_its_type_is_read_too():
    [values] = manifest()["sets"]
    earlier = {**values, "type": values["kind"]}
    del earlier["kind"]
    assert parsed({**manifest(), "sets": [earlier]}).set.kind is BackupKind.DIFFERENTIAL


def test_it_speaks_for_the_copy_that_it_lies_beside():
    told = manifest(FILES)
    assert (
        "copy_files" not in told
        and told["files"] == told["sets"][0]["files"] == FILES
        and told["manifest_beside"] == f"{FILES[0]}.manifest.json"
    )


def test_a_folder_that_was_moved_as_a_whole_is_read_where_it_is_now():
    present = {path.lower(): PRESENT[there.lower()] for path, there in zip(FILES, THERE, strict=True)}
    stored = parsed(manifest(), path=f"{FILES[0]}.manifest.json", present=present)
    assert stored.files == tuple(FILES) and stored.set.problem == "" and set(stored.sha256) == set(FILES)


@pytest.mark.parametrize("size", [None, 99])
def test_a_file_that_is_missing_or_was_changed_is_a_problem(size):
    stored = parsed(manifest(), present={**PRESENT, THERE[1].lower(): size})
    assert THERE[1] in stored.set.problem


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "another"},
        {"sets": []},
        {"sets": [{}]},
        {"sha256": None},
        {"files": 7},
        {"file_sizes": {}},
        {"sets": [{**manifest()["sets"][0], "position": "x"}]},
    ],
)
def test_what_is_no_manifest_is_none(wrong):
    assert parsed({**manifest(), **wrong}) is None


@pytest.mark.parametrize("text", [[], ["nonsense"], ["[]"], ["7"]])
def test_any_other_file_is_neither_a_manifest_nor_a_note(text):
    assert parse_manifest(text, path="D:\\x.manifest.json", present={}) is None and parse_note(text) is None


def test_a_note_is_read_as_it_was_written():
    note = PendingDelivery(report=json.loads(json.dumps(REPORT)), written=tuple(FILES))
    assert parse_note(note.lines()) == note
    assert parse_note(manifest_lines(manifest())) is None and is_beside(note_name(FILES[0]))
