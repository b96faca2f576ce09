"""A recovery set's manifest: written, read, copied."""

from __future__ import annotations

import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.recovery_set import (
    Place,
    lines_of,
    parse_set,
    relocated,
)
from recovery_set_rhythm import night


def test_a_manifest_survives_its_file():
    made = night().sets[4]
    again = parse_set("\n".join(lines_of(made)), where="x")
    assert (again.label, again.taken_at, again.healthy, again.chain) == (
        made.label,
        made.taken_at,
        made.healthy,
        made.chain,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"format": "prs.recovery set 2"}',
        json.dumps({"kind": "prs.recovery recovery set", "version": 1}),
        "\n".join(lines_of(night().sets[0]))[:-40],
        "\n".join(lines_of(night().sets[0])).replace('"last_lsn": 110', '"last_lsn": "110"'),
    ],
)
def test_what_is_no_manifest(text: str):
    with pytest.raises(RecoveryError):
        parse_set(text, where="x")


def test_a_manifest_that_calls_the_kind_its_type_is_read_too():
    made = night().sets[-1]
    earlier = "\n".join(lines_of(made)).replace('"kind":', '"type":')
    assert parse_set(earlier, where="x") == made


def test_a_manifest_of_a_later_version_says_so():
    with pytest.raises(RecoveryError, match="Update the collection"):
        parse_set('{"format": "prs.recovery set 3"}', where="x")


def test_facts_are_what_is_not_the_sets_own():
    assert night().sets[0].facts == {"logins": []}


def test_a_copy_names_its_own_files():
    place = Place(sets="\\\\g\\v\\sets", database="\\\\g\\v\\database", application="\\\\g\\v\\application")
    moved = relocated(night().sets[4], place)
    named = [*moved.database_files, *moved.application_files, *moved.values["database"]["files"]]
    assert all(path.startswith("\\\\g\\v\\") for path in named)
    assert [path.rpartition("\\")[2] for path in moved.database_files] == ["F110.bak", "D210.bak", "L250.bak"]
    assert moved.values["copy_of"].startswith("\\\\f\\b\\")
