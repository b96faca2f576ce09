"""Manifests of archives: written, read, refused, compared."""

from __future__ import annotations

import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import (
    Comparison,
    Manifest,
    ManifestFile,
    compare,
    parse_manifest,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_files import PresentFile

A, B = "a" * 64, "b" * 64
MANIFEST = Manifest(
    path="C:\\web",
    host="WEB",
    created="2026-03-01T02:00:00Z",
    planned=2,
    files=(
        ManifestFile(name="web.config", size=3, sha256=A, modified="2026-01-01T00:00:00Z"),
        ManifestFile(name="bin/Ü.dll", size=1 << 40, sha256=B),
    ),
    folders=("logs",),
    excluded=("*.log",),
    archive_name="web.zip",
    archive_size=9,
    archive_sha256=A,
)


def test_what_is_written_can_be_read() -> None:
    assert parse_manifest(MANIFEST.lines(), where="here") == MANIFEST
    assert all(line.isascii() and "\n" not in line for line in MANIFEST.lines())
    assert parse_manifest([*MANIFEST.lines(), "", "  "], where="here") == MANIFEST


def test_the_head_alone() -> None:
    head = parse_manifest(MANIFEST.lines()[:1], where="here", head_only=True)
    assert (head.planned, head.files, head.archive_sha256) == (2, (), A)


def with_line(number: int, **values: object) -> list[str]:
    lines = MANIFEST.lines()
    lines[number] = json.dumps({**json.loads(lines[number]), **values})
    return lines


UNREADABLE = [
    ([], "is no manifest"),
    (["not json"], "is no manifest"),
    (["[]"], "is no manifest"),
    (["{}"], "is no manifest"),
    (with_line(0, format="other"), "is no manifest"),
    (with_line(0, version=2), "has version 2, this collection reads 1.*Update"),
    (MANIFEST.lines()[:-1], "is not whole: it names 1 of 2 files"),
    (with_line(0, files=3), "is not whole: it names 2 of 3 files"),
    (with_line(0, files="many"), "is damaged"),
    (with_line(0, folders=None), "is damaged"),
    ([*MANIFEST.lines()[:2], "cut of"], "is damaged"),
    (with_line(1, name="../evil"), "is damaged"),
    (with_line(1, name=7), "is damaged"),
    (with_line(1, size=-1), "is damaged"),
    (with_line(1, size=True), "is damaged"),
    (with_line(1, size="3"), "is damaged"),
    (with_line(1, sha256=A.upper()), "is damaged"),
    (with_line(1, sha256=None), "is damaged"),
]


@pytest.mark.parametrize("lines, message", UNREADABLE)
def test_what_is_no_whole_manifest(lines: list[str], message: str) -> None:
    with pytest.raises(RecoveryError, match=f"here {message}"):
        parse_manifest(lines, where="here")


def present(*, size: int = 3, sha256: str | None = A) -> PresentFile:
    return PresentFile(size=size, sha256=sha256)


WHOLE = {"web.config": present(), "bin/Ü.dll": present(size=1 << 40, sha256=B)}
COMPARISONS = [
    (WHOLE, Comparison()),
    ({name.upper(): file for name, file in WHOLE.items()}, Comparison()),
    ({**WHOLE, "new.txt": present()}, Comparison(extra=("new.txt",))),
    ({"web.config": present()}, Comparison(missing=("bin/Ü.dll",))),
    ({}, Comparison(missing=("bin/Ü.dll", "web.config"))),
    ({**WHOLE, "web.config": present(sha256=B)}, Comparison(different=("web.config",))),
    ({**WHOLE, "web.config": present(size=4)}, Comparison(different=("web.config",))),
    ({**WHOLE, "web.config": present(size=4, sha256=None)}, Comparison(different=("web.config",))),
    ({**WHOLE, "web.config": present(sha256=None)}, Comparison(unreadable=("web.config",))),
]


@pytest.mark.parametrize("files, expected", COMPARISONS)
def test_comparison(files: dict[str, PresentFile], expected: Comparison) -> None:
    found = compare(MANIFEST, files)
    assert found == expected
    assert found.matches == (not (expected.missing or expected.different or expected.unreadable))
    assert found.identical == (expected == Comparison())


def test_without() -> None:
    left = MANIFEST.without(["WEB.CONFIG"])
    assert [file.name for file in left.files] == ["bin/Ü.dll"] and left.planned == 1
