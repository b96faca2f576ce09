"""Restores that are written down beside the recovery sets, and the sets of a database that was replaced."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.branching import write_branch

from .test_recovery_sets import AWAY, BEGIN, HOME, NO_PATHS, ON_DISK, ON_SHARE, Estate
from .windows_twins import Twins


@pytest.fixture
def estate(twins: Twins) -> Estate:
    return Estate(twins)


def restored(
    estate: Estate, *, fork: str = "b", place: str = HOME, check_mode: bool = False, **params: Any
) -> dict[str, Any]:
    """The database is restored from what ends at LSN 110, at site B."""
    values = {
        "path": place,
        "fork": fork,
        "parent": "A",
        "left_lsn": 110,
        "left_at": None,
        "site": "site_b",
        "server": "sql-b",
        "label": "h0",
        "decided": False,
    }
    with estate.twins.session(check_mode=check_mode) as files:
        return write_branch(
            files,
            {**values, **NO_PATHS, **ON_SHARE, **params},
            now=BEGIN + dt.timedelta(hours=estate.hours),
        )


def branches(estate: Estate, place: str = HOME) -> list[str]:
    return sorted(name.rpartition("/")[2] for name in estate.tree(place) if name.endswith(".branch"))


def test_a_restore_is_written_down_once(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    assert restored(estate, check_mode=True)["changed"] and not branches(estate)
    made = restored(estate)
    assert made["branch"]["parent"] == "a" and branches(estate) == ["20260301T030000Z-b.branch"]
    estate.hours += 1
    again = restored(estate)
    assert not again["changed"] and len(branches(estate)) == 1
    assert estate.choose()["living"] == [made["branch"]]


def test_a_fork_that_is_not_known_is_no_branch(estate: Estate):
    with pytest.raises(RecoveryError, match="'fork' is empty"):
        restored(estate, fork=" ")
    assert not branches(estate)


def test_a_set_that_a_restore_left_behind_is_passed_over(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    estate.set(estate.taken("full", 120, 130), estate.archived())
    restored(estate)
    found = estate.choose()["chosen"]
    assert found["label"] == "h0" and "was replaced by the one of site_b on sql-b" in found["notes"][0]
    assert estate.choose(label="h1")["chosen"]["label"] == "h1"


def test_a_lost_site_that_comes_back_makes_no_set(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    restored(estate)
    estate.hours += 1
    before = estate.tree()
    with pytest.raises(RecoveryError, match="lives more than once") as raised:
        estate.set(estate.taken("full", 120, 130), estate.archived())
    assert raised.value.code == "two_branches"
    assert {branch["site"] for branch in raised.value.details["branches"]} == {"a", "site_b"}
    assert [name for name in estate.tree() if name.endswith((".json", ".branch")) and name not in before] == []
    assert estate.choose()["chosen"]["label"] == "h0"


def test_a_yes_makes_it_the_living_one(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    estate.hours += 1
    restored(estate)
    estate.hours += 1
    estate.set(estate.taken("full", 120, 130), estate.archived(), end_other_branches=True)
    assert len(branches(estate)) == 2
    found = estate.choose()
    assert found["chosen"]["label"] == "h3" and [branch["fork"] for branch in found["living"]] == ["a"]
    estate.set(estate.taken("full", 140, 150), estate.archived())
    assert len(branches(estate)) == 2


def test_its_sets_do_not_reach_the_place_of_the_living_one(estate: Estate):
    """The restore was written down at the other place alone, for this one was lost as well."""
    estate.set(estate.taken("full", 100, 110), estate.archived())
    estate.copy()
    restored(estate, place=AWAY)
    estate.hours += 1
    estate.set(estate.taken("full", 120, 130), estate.archived())
    with pytest.raises(RecoveryError, match="lives more than once"):
        estate.copy()
    assert not any("h2.json" in name or "full130" in name for name in estate.tree(AWAY))
    # Now both places know, so that neither takes one over the other.
    assert branches(estate) == branches(estate, AWAY) != []
    with pytest.raises(RecoveryError, match="lives more than once"):
        estate.choose()
    with pytest.raises(RecoveryError, match="lives more than once"):
        estate.set(estate.taken("full", 140, 150), estate.archived())
    assert estate.choose(path=AWAY)["chosen"]["label"] == "h0"


def elsewhere(**params: Any) -> dict[str, Any]:
    return {"path": AWAY, **NO_PATHS, **ON_SHARE, **params}


def test_the_first_set_is_not_made_either_where_only_the_other_place_knows(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    estate.copy()
    restored(estate, place=AWAY)
    estate.hours += 1
    before = estate.tree()
    backup, archive = estate.taken("full", 120, 130), estate.archived()
    with pytest.raises(RecoveryError, match="lives more than once"):
        estate.set(backup, archive, check_mode=True, other_places=[elsewhere()])
    assert not branches(estate)
    with pytest.raises(RecoveryError, match="lives more than once"):
        estate.set(backup, archive, other_places=[elsewhere()])
    assert [name for name in estate.tree() if name.endswith(".json") and name not in before] == []
    # From now on this place knows it by itself, whatever becomes of the other one.
    assert branches(estate) == branches(estate, AWAY) != []
    with pytest.raises(RecoveryError, match="lives more than once"):
        estate.set(backup, archive, other_places=[elsewhere(share_password="wrong")])
    estate.set(backup, archive, other_places=[elsewhere()], end_other_branches=True)


def test_another_place_that_cannot_be_asked_stops_no_set(estate: Estate):
    for number, place in enumerate(
        (elsewhere(share_password="wrong"), elsewhere(path=r"\\no-such-server\x"), elsewhere())
    ):
        backup = estate.taken("full", 100 + 20 * number, 110 + 20 * number)
        assert estate.set(backup, estate.archived(), other_places=[place])["changed"]


def test_a_file_of_a_restore_that_cannot_be_read_is_no_silence(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    restored(estate)
    [name] = branches(estate)
    estate.twins.write(f"{ON_DISK[HOME]}\\sets\\{name}", b"{", estate.twins.share_host)
    with pytest.raises(RecoveryError, match="does not tell when the database was restored") as raised:
        estate.choose()
    assert raised.value.code == "damaged"
