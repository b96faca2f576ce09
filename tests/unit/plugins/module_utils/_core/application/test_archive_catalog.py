"""A folder of archives: names, what is whole, what is newest, what goes."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_catalog import (
    StoredArchive,
    archive_name,
    folder_label,
    manifest_name,
    newest,
    partial_name,
    read_store,
    removable,
    restore_order,
    stale_leftovers,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import Manifest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import Rules
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_files import FolderEntry
from hypothesis import given
from hypothesis import strategies as st

START = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)
CEST = dt.timezone(dt.timedelta(hours=2))


def manifest(name: str, size: int = 5, **labels: str) -> Manifest:
    return Manifest(
        path="C:\\web",
        host="WEB",
        created="",
        files=(),
        planned=0,
        archive_name=name,
        archive_size=size,
        archive_sha256="a" * 64,
        labels=labels,
    )


def stored(day: int, *, kind: str = "whole") -> StoredArchive:
    moment = START + dt.timedelta(days=day)
    name = archive_name(label="web", moment=moment)
    archive = StoredArchive(
        name=name,
        moment=moment,
        size=5,
        unfinished=kind == "unfinished",
        problem="no manifest" if kind == "unfinished" else "",
    )
    labels = {"unhealthy": {"healthy": "false"}, "healthy": {"healthy": "true"}}.get(kind, {})
    return (
        archive
        if kind == "unfinished"
        else archive.described_by(manifest("other.zip" if kind == "misfit" else name, **labels))
    )


@pytest.mark.parametrize(
    "path, label",
    [("C:\\inetpub\\PRS", "PRS"), ("C:\\inetpub\\PRS\\", "PRS"), ("\\\\s\\x\\a b", "a b"), ("C:/x/y", "y")],
)
def test_labels(path: str, label: str) -> None:
    assert folder_label(path) == label


def test_a_drive_has_no_label() -> None:
    with pytest.raises(RecoveryError, match="no folder that could be archived"):
        folder_label("\\\\")


NAMES = [
    (START, [], "web_20260301T000000Z.zip"),
    (dt.datetime(2026, 3, 1, 2, tzinfo=CEST), [], "web_20260301T000000Z.zip"),
    (START, ["WEB_20260301T000000z.ZIP"], "web_20260301T000000Z-2.zip"),
    (START, ["web_20260301T000000Z.zip.partial"], "web_20260301T000000Z-2.zip"),
    (START, ["web_20260301T000000Z.zip.WEB-B.partial"], "web_20260301T000000Z-2.zip"),
    (START, ["web_20260301T000000Z.zip", "web_20260301T000000Z-2.zip"], "web_20260301T000000Z-3.zip"),
]


@pytest.mark.parametrize("moment, taken, name", NAMES)
def test_names(moment: dt.datetime, taken: list[str], name: str) -> None:
    assert archive_name(label="web", moment=moment, taken=taken) == name


def test_reading_a_folder() -> None:
    first, second, odd = "web_20260301T000000Z.zip", "web_20260302T000000Z.zip", "web_20260302T000000Z-2.zip"
    names = [
        second, first, manifest_name(first), odd, manifest_name(odd), f"{first}.partial", f"{manifest_name(second)}.partial",
        manifest_name("web_20260228T000000Z.zip"), "website_20260301T000000Z.zip", "web_2026.zip", "web.zip", "notes.txt", "web_20260303T000000Z",
    ]  # fmt: skip
    store = read_store([FolderEntry(name=name, size=5, folder=not name.count(".")) for name in names], label="WEB")
    assert [(archive.name, archive.unfinished) for archive in store.archives] == [
        (odd, False),
        (second, True),
        (first, False),
    ]
    assert store.orphans == (manifest_name("web_20260228T000000Z.zip"),)
    assert store.leftovers == tuple(
        sorted([f"{first}.partial", f"{manifest_name(second)}.partial", manifest_name("web_20260228T000000Z.zip")])
    )


HOUR, DAYS = dt.timedelta(hours=1), dt.timedelta(days=2)
LEFTOVERS = [
    # a file in the folder, how long after its moment WEB-A looks, whether it takes that for given up
    ("web_20260301T000000Z.zip.WEB-A.partial", HOUR, True),
    ("web_20260301T000000Z.zip.web-a.partial", HOUR, True),
    ("web_20260301T000000Z.zip.WEB-B.partial", HOUR, False),
    ("web_20260301T000000Z.zip.WEB-B.partial", DAYS, True),
    ("web_20260301T000000Z.zip.partial", HOUR, False),
    ("web_20260301T000000Z.zip.partial", DAYS, True),
    ("web_20260301T000000Z.zip.manifest.jsonl.partial", HOUR, False),
    ("web_20260301T000000Z.zip.manifest.jsonl.partial", DAYS, True),
    ("web_20260301T000000Z.zip.manifest.jsonl", HOUR, True),
    ("other_20260301T000000Z.zip.WEB-A.partial", DAYS, False),
]


@pytest.mark.parametrize("name, later, gone", LEFTOVERS)
def test_what_another_host_writes_is_no_leftover(name: str, later: dt.timedelta, gone: bool) -> None:
    store = read_store([FolderEntry(name=name, size=5)], label="web")
    assert stale_leftovers(store, owner="WEB-A", now=START + later) == ([name] if gone else [])
    assert (
        partial_name("a.zip", owner="WEB-A") == "a.zip.WEB-A.partial"
        and partial_name("a.zip", owner="a.b c") == "a.zip.a_b_c.partial"
    )


STATES = [
    ("whole", "whole"),
    ("healthy", "whole"),
    ("unhealthy", "whole"),
    ("unfinished", "unpaired"),
    ("misfit", "unpaired"),
]


@pytest.mark.parametrize("kind, state", STATES)
def test_states(kind: str, state: str) -> None:
    assert stored(1, kind=kind).state == state


def test_a_size_that_does_not_fit_is_damage() -> None:
    archive = StoredArchive(name="web_20260301T000000Z.zip", moment=START, size=5)
    assert archive.described_by(manifest(archive.name, 6)).state == "damaged"


DESCRIPTIONS = [
    (manifest("web_20260301T000000Z.zip"), ""),
    (manifest("WEB_20260301T000000Z.ZIP"), ""),
    (manifest("web_20260302T000000Z.zip"), "has the manifest of another archive beside it (web_20260302T000000Z.zip)"),
    (manifest("web_20260301T000000Z.zip", 6), "has 5 bytes, but its manifest says 6"),
]


@pytest.mark.parametrize("described, problem", DESCRIPTIONS)
def test_a_manifest_must_fit(described: Manifest, problem: str) -> None:
    archive = StoredArchive(name="web_20260301T000000Z.zip", moment=START, size=5).described_by(described)
    assert archive.problem == problem and archive.complete is not bool(problem)


def test_the_newest_whole_one() -> None:
    archives = [stored(1), stored(3), stored(2), stored(4, kind="unfinished"), stored(5, kind="misfit")]
    assert newest(archives) == stored(3)
    assert newest(archives, until=START + dt.timedelta(days=2)) == stored(2)
    assert newest(archives, until=START) is None


ORDERS = [
    # days of archives with what they are, until, days in the order in which they are tried
    ([(1, "whole"), (3, "whole"), (2, "healthy")], None, [3, 2, 1]),
    ([(1, "whole"), (3, "unhealthy"), (2, "healthy")], None, [2, 1, 3]),
    ([(1, "unhealthy"), (3, "unhealthy")], None, [3, 1]),
    ([(1, "whole"), (3, "whole"), (2, "misfit")], 2, [2, 1]),
    ([(1, "whole")], 0, []),
]


@pytest.mark.parametrize("archives, until, days", ORDERS)
def test_the_order_of_a_restore(archives: list[tuple[int, str]], until: int | None, days: list[int]) -> None:
    limit = None if until is None else START + dt.timedelta(days=until)
    found = restore_order([stored(day, kind=kind) for day, kind in archives], until=limit)
    assert [(archive.moment - START).days for archive in found] == days


RETENTION = [
    # days of whole archives, days of unfinished ones, keep, age of now in days, days removed
    ([1, 2, 3], [], None, 3, []),
    ([1, 2, 3], [], 2, 3, [1]),
    ([1, 2, 3], [], 1, 3, [1, 2]),
    ([1, 2, 3], [], 0, 3, [1, 2]),
    ([1, 2, 3], [], 9, 3, []),
    ([], [], 1, 3, []),
    ([2], [1], None, 3, [1]),
    ([2], [3], None, 3, []),
    ([2], [3], None, 4, []),
    ([2], [3], None, 5, [3]),
    ([], [1], 1, 9, []),
]


@pytest.mark.parametrize("whole, unfinished, keep, now, removed", RETENTION)
def test_retention(whole: list[int], unfinished: list[int], keep: int | None, now: int, removed: list[int]) -> None:
    archives = [*map(stored, whole), *(stored(day, kind="unfinished") for day in unfinished)]
    found = removable(archives, Rules(last=keep), now=START + dt.timedelta(days=now))
    assert [(archive.moment - START).days for archive in found] == removed


TIMES = [
    # what was archived on which day, keep, age in days, age of now in days, days removed
    ([(1, "whole"), (2, "whole"), (3, "whole")], None, 1, 3, []),
    ([(1, "whole"), (2, "whole"), (3, "whole")], None, 1, 99, [1, 2]),
    ([(1, "whole"), (2, "whole"), (3, "whole")], 2, 0, 99, [1]),
    ([(1, "whole"), (2, "whole"), (3, "whole")], 1, 2, 5, [1]),
    ([(1, "healthy"), (2, "unhealthy"), (3, "unhealthy")], 1, None, 3, [2]),
    ([(1, "whole"), (2, "whole"), (98, "whole"), (99, "whole")], 1, None, 2, [1]),  # the clock was ahead once
    ([(1, "unhealthy"), (2, "unhealthy")], 1, None, 3, [1]),
    ([(1, "healthy"), (2, "whole"), (3, "unhealthy")], 1, None, 3, [1]),
]


@pytest.mark.parametrize("archives, keep, days, now, removed", TIMES)
def test_retention_by_time_and_health(
    archives: list[tuple[int, str]], keep: int | None, days: int | None, now: int, removed: list[int]
) -> None:
    age = None if days is None else dt.timedelta(days=days)
    found = removable(
        [stored(day, kind=kind) for day, kind in archives],
        Rules(last=keep, age=age),
        now=START + dt.timedelta(days=now),
    )
    assert [(archive.moment - START).days for archive in found] == removed


def test_an_archive_that_does_not_fit_its_manifest_is_for_a_person() -> None:
    assert removable([stored(1, kind="misfit"), stored(2)], Rules(last=1), now=START + dt.timedelta(days=99)) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(["whole", "unfinished", "misfit"])),
        unique_by=lambda pair: pair[0],
    ),
    st.integers(0, 5),
)
def test_the_newest_whole_one_always_stays(days: list[tuple[int, str]], keep: int) -> None:
    archives = [stored(day, kind=kind) for day, kind in days]
    gone = removable(archives, Rules(last=keep), now=START + dt.timedelta(days=61))
    left = [archive for archive in archives if archive not in gone]
    assert newest(left) == newest(archives)
    assert sum(archive.complete for archive in left) == min(max(keep, 1), sum(archive.complete for archive in archives))
