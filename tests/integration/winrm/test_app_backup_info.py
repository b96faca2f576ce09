"""app_backup_info: which archives can be restored from, which are damaged, which are alone; labels; and what retention
leaves.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

from .windows_twins import APPLICATION, LOCAL, NIGHT, Twins, damage

NAMES = [f"PasswordResetServer_2026030{day}T020000Z.zip" for day in (1, 2, 3, 4)]


def days(number: int) -> dt.datetime:
    return NIGHT + dt.timedelta(days=number)


def edit(twins: Twins, name: str, change: Any) -> None:
    path = f"{LOCAL}\\{name}"
    twins.write(path, change(twins.files.read(path)))


@pytest.fixture
def nights(twins: Twins) -> Twins:
    for number in range(4):
        twins.backup(now=days(number), labels={"recovery_set": f"night {number}"}, healthy=number != 3)
    return twins


def test_states_and_what_they_are_seen_by(nights: Twins) -> None:
    edit(nights, NAMES[0], lambda data: damage(data, len(data) // 2))
    edit(nights, NAMES[1], lambda data: data[:-1])
    nights.files.remove(f"{LOCAL}\\{NAMES[2]}.manifest.jsonl")
    nights.files.rename(f"{LOCAL}\\{NAMES[3]}", "D:\\elsewhere.zip")
    quick = nights.info(now=days(4))
    assert [(archive["path"][-20:-4], archive["state"], archive["verified"]) for archive in quick["archives"]] == [
        ("20260303T020000Z", "unpaired", False), ("20260302T020000Z", "damaged", False), ("20260301T020000Z", "whole", False),
    ]  # fmt: skip
    assert quick["unpaired"] == quick["leftovers"] == [f"{LOCAL}\\{NAMES[3]}.manifest.jsonl"]
    assert quick["newest"]["path"] == f"{LOCAL}\\{NAMES[0]}"
    thorough = nights.info(now=days(4), verify="newest")
    assert thorough["newest"] is None
    assert thorough["archives"][-1]["state"] == "damaged" and thorough["archives"][-1]["verified"]


def test_anothers_manifest(nights: Twins) -> None:
    edit(nights, f"{NAMES[2]}.manifest.jsonl", lambda _: nights.files.read(f"{LOCAL}\\{NAMES[1]}.manifest.jsonl"))
    found = nights.info()["archives"][1]
    assert (found["state"], found["whole"]) == ("unpaired", False) and NAMES[1] in found["problem"]


def test_what_is_said_of_a_whole_one(nights: Twins) -> None:
    found = nights.info(now=days(3), verify="all")
    assert found["newest"] == found["archives"][0] and all(archive["verified"] for archive in found["archives"])
    newest = found["newest"]
    assert (newest["taken_at"], newest["created"], newest["age_seconds"]) == (
        "2026-03-04T02:00:00+00:00",
        "2026-03-04T02:00:00Z",
        0,
    )
    assert newest["labels"] == {"recovery_set": "night 3", "healthy": "false"} and newest["healthy"] is False
    assert newest["host"] == "WEB" and newest["application"] == APPLICATION and newest["protected"] == {}
    assert not found["changed"] and found["unpaired"] == found["leftovers"] == []


def test_nothing_there(twins: Twins) -> None:
    assert twins.info() == {"changed": False, "archives": [], "newest": None, "unpaired": [], "leftovers": []}


def test_the_archive_of_an_application_that_did_not_answer_is_tried_last(nights: Twins) -> None:
    nights.files.remove_tree(APPLICATION)
    result = nights.restore()
    assert result["archive"]["path"] == f"{LOCAL}\\{NAMES[2]}" and result["archive"]["healthy"] is True
    for name in NAMES[:3]:
        edit(nights, name, lambda data: damage(data, 50))
    nights.files.remove_tree(APPLICATION)
    last = nights.restore()
    assert last["archive"]["path"] == f"{LOCAL}\\{NAMES[3]}" and len(last["rejected"]) == 3
    assert any("was taken while the application did not answer" in text for text in last["warnings"])


RETENTION = [
    # options, nights that stay (the one of this run is the fifth)
    ({"last": 1}, [3, 5]),
    ({"last": 1, "age": 2}, [2, 3, 4, 5]),
]


@pytest.mark.parametrize("options, stay", RETENTION)
def test_retention(nights: Twins, options: dict[str, int], stay: list[int]) -> None:
    """The third night is the last one of which somebody said that the application answered."""
    nights.backup(now=days(4), healthy=False, retention=options)
    left = {int(name[26:28]) for name in nights.names(LOCAL)}
    assert sorted(left) == stay and len(nights.names(LOCAL)) == 2 * len(stay)


def test_nothing_goes_while_the_newest_is_rotten(nights: Twins) -> None:
    """Nothing has changed, so no archive would be written, and the older ones would go: but the newest cannot be read
    any more.
    """
    edit(nights, NAMES[3], lambda data: damage(data, len(data) // 2))
    result = nights.backup(now=days(4), skip_unchanged=True, retention={"last": 1})
    assert result["archive"]["path"].endswith("20260305T020000Z.zip") and result["archive"]["verified"]
    assert not nights.backup(now=days(5), skip_unchanged=True, retention={"last": 1})["changed"]
    assert any("is damaged" in text and "A new archive is written" in text for text in result["warnings"])


UNTIL = [
    ("2026-03-02T02:00:00Z", NAMES[1]),
    ("2026-03-02T01:59:59Z", NAMES[0]),
    ("2026-03-03T03:00:00+02:00", NAMES[1]),
    ("2026-03-03T04:00:00+02:00", NAMES[2]),
]


def test_the_archive_for_a_time(nights: Twins) -> None:
    for until, name in UNTIL:
        nights.files.remove_tree(APPLICATION)
        assert nights.restore(until=until)["archive"]["path"] == f"{LOCAL}\\{name}", until


NO_UNTIL = [
    (
        {"until": "2026-03-01T01:00:00Z"},
        r"no whole archive of .* that was begun at 2026-03-01 01:00:00 UTC at the latest",
    ),
    ({"until": "2026-03-02T02:00:00"}, r"until is '2026-03-02T02:00:00', which has no zone"),
    ({"until": "yesterday"}, r"until is 'yesterday'"),
    (
        {"until": "2026-03-02T02:00:00Z", "source": f"{LOCAL}\\{NAMES[0]}"},
        r"until chooses among the archives of a folder",
    ),
]


def test_no_archive_for_a_time(nights: Twins) -> None:
    nights.files.remove(f"{APPLICATION}\\Default.aspx")
    before = nights.tree()
    for options, message in NO_UNTIL:
        with pytest.raises(RecoveryError, match=message):
            nights.restore(**options)
    assert nights.tree() == before
