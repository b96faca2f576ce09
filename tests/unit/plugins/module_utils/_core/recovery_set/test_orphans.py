"""Archives that failed runs left: nobody's, older than all that is kept, and made for a set."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_catalog import (
    StoredArchive,
    archive_label,
    manifest_name,
    read_store,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import Manifest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.orphans import stray_archives
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.recovery_set import RecoverySet
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_files import FolderEntry

FOLDER = "\\\\files\\backup\\application"
OLD, OTHER, KEPT, NEW = (f"PRS_2026030{day}T020000Z.zip" for day in range(1, 5))


def stored(name: str, **labels: str) -> StoredArchive:
    [found] = read_store(
        [FolderEntry(name=entry, size=5) for entry in (name, manifest_name(name))], label="PRS"
    ).archives
    manifest = Manifest(
        path="C:\\web",
        host="WEB",
        created="",
        files=(),
        planned=0,
        archive_name=name,
        archive_size=5,
        archive_sha256="",
        labels=labels,
    )
    return dataclasses.replace(found, manifest=manifest)


def kept(archive: str) -> RecoverySet:
    values: dict[str, Any] = {"application": {"archive": f"{FOLDER}\\{archive}"}}
    return RecoverySet(label="x", taken_at=dt.datetime(2026, 3, 3, tzinfo=dt.timezone.utc), healthy=True, values=values)


ARCHIVES = [
    stored(OLD, recovery_set="20260301T020000Z"),
    stored(OTHER, by="hand"),
    stored(KEPT, recovery_set="a"),
    stored(NEW, recovery_set="b"),
]


@pytest.mark.parametrize(
    "archive, gone", [(KEPT, [OLD]), (OLD, []), ("PRS_20260101T020000Z.zip", []), ("product.zip", [])]
)
def test_archives(archive: str, gone: list[str]) -> None:
    expected = [f"{FOLDER}\\{name}{end}" for name in gone for end in ("", ".manifest.jsonl")]
    assert list(stray_archives([kept(archive)], ARCHIVES, folder=FOLDER)) == expected


@pytest.mark.parametrize("name, label", [(OLD, "PRS"), ("a_b_20260301T020000Z-2.zip", "a_b"), ("product.zip", "")])
def test_the_label_of_an_archive(name: str, label: str) -> None:
    assert archive_label(name) == label
