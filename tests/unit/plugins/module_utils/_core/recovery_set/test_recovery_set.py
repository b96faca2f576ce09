"""Recovery sets: which backups one needs, which one is chosen, which may go."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.recovery_set import (
    Place,
    RecoverySet,
    by_label,
    chain_of,
    choose,
    compose,
    lines_of,
    link_of,
    parse_set,
    relocated,
    surplus,
)

BEGIN = dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.timezone.utc)


def taken(kind: str, first: int, last: int, *, base: str = "", hours: float = 0, fork: str = "a") -> dict:
    """What sql_backup returns; its GUID is its kind and end."""
    name = f"{kind[0].upper()}{last}{'idle' if first == last else ''}"
    finished = (BEGIN + dt.timedelta(hours=hours)).isoformat()
    one = {
        "guid": name,
        "type": kind,
        "first_lsn": first,
        "last_lsn": last,
        "first_fork": fork,
        "last_fork": fork,
        "differential_base_guid": base,
        "started_at": finished,
        "finished_at": finished,
        "server_version": "15.0.4430.1",
    }
    return {
        "format": "prs.recovery sql backup 1",
        "database": "PRS",
        "server": "SQL",
        "type": kind,
        "files": [f"\\\\f\\b\\database\\{name}.bak"],
        "sets": [one],
        "verified": True,
        "copy_only": False,
        "size": 1,
    }


def archived(name: str = "prs.zip") -> dict:
    path = f"\\\\f\\b\\application\\{name}"
    return {
        "path": path,
        "manifest": f"{path}.manifest.jsonl",
        "sha256": "ab",
        "bytes": 3,
        "files": 1,
        "created": "x",
        "verified": True,
    }


class Rhythm:
    """Sets made one after the other, as a night makes them."""

    def __init__(self) -> None:
        self.sets: list[RecoverySet] = []

    def take(
        self, backup: dict, *, hours: float, state: str = "answered", archive: str = "prs.zip", in_set: bool = True
    ) -> RecoverySet:
        chain = chain_of(link_of(backup), [link for one in self.sets for link in one.chain])
        made = compose(
            label=f"s{hours:g}",
            site="site_a",
            now=BEGIN + dt.timedelta(hours=hours),
            backup=backup,
            archive=archived(archive),
            application_state=state,
            chain=chain,
            facts={"logins": []},
        )
        if in_set:
            self.sets.append(made)
        return made

    @property
    def newest_first(self) -> list[RecoverySet]:
        return self.sets[::-1]


def night() -> Rhythm:
    """A full, two logs, a differential, two logs."""
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110, hours=0), hours=0, archive="0.zip")
    rhythm.take(taken("log", 100, 150, hours=1), hours=1, archive="0.zip")
    rhythm.take(taken("log", 150, 200, hours=2), hours=2, archive="0.zip")
    rhythm.take(taken("differential", 190, 210, base="F110", hours=3), hours=3, archive="3.zip")
    rhythm.take(taken("log", 200, 250, hours=4), hours=4, archive="3.zip")
    rhythm.take(taken("log", 250, 250, hours=5), hours=5, archive="3.zip")
    return rhythm


def guids(links: list[dict]) -> str:
    return " ".join(link["set_guid"] for link in links)


@pytest.mark.parametrize(
    ("number", "chain"),
    [
        (0, "F110"),
        (1, "F110 L150"),
        (2, "F110 L150 L200"),
        (3, "F110 D210"),
        (4, "F110 D210 L250"),
        (5, "F110 D210 L250 L250idle"),
    ],
)
def test_a_set_names_all_that_its_database_needs(number: int, chain: str):
    assert guids(night().sets[number].chain) == chain


@pytest.mark.parametrize(
    ("backup", "known", "chain"),
    [
        pytest.param(taken("log", 300, 310), ["F110", "L150", "L200"], "", id="a log in between is missing"),
        pytest.param(taken("log", 200, 250, fork="b"), ["F110", "L150", "L200"], "", id="another recovery path"),
        pytest.param(
            taken("differential", 190, 210, base="other"), ["F110"], "", id="differential on a full of somebody else"
        ),
        pytest.param(taken("log", 150, 220), ["L150"], "", id="no full at all"),
        pytest.param(taken("full", 1, 2), [], "F2", id="a full needs nothing"),
    ],
)
def test_a_chain_with_a_gap_is_none(backup: dict, known: list[str], chain: str):
    links = [link for one in night().sets for link in one.chain if link["set_guid"] in known]
    assert guids(chain_of(link_of(backup), links)) == chain


def test_a_backup_that_is_in_no_set_closes_the_gap():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0)
    orphan = link_of(taken("log", 105, 150))
    own = link_of(taken("log", 150, 160))
    known = [link for one in rhythm.sets for link in one.chain]
    assert chain_of(own, known) == []
    assert guids(chain_of(own, [*known, orphan])) == "F110 L150 L160"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"state": "broken"}, "did not work"),
        ({"backup": {"verified": False}}, "not read back"),
        ({"archive": {"verified": False}}, "archive was not read back"),
        ({"chain": []}, "cannot be restored by itself"),
        (
            {"elsewhere": [r"\\elsewhere\share\full.bak"]},
            r"\\elsewhere\share\full.bak lies on another server than the sets",
        ),
    ],
)
def test_what_makes_a_set_unhealthy(change: dict, problem: str):
    backup = {**taken("full", 1, 2), **change.get("backup", {})}
    made = compose(
        label="x",
        site="",
        now=BEGIN,
        backup=backup,
        archive={**archived(), **change.get("archive", {})},
        facts={},
        application_state=change.get("state", "answered"),
        chain=change.get("chain", [link_of(backup)]),
        elsewhere=change.get("elsewhere", ()),
    )
    assert made.healthy == (not problem)
    assert problem in "; ".join(made.values["problems"])


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


def test_a_manifest_of_a_later_version_says_so():
    with pytest.raises(RecoveryError, match="Update the collection"):
        parse_set('{"format": "prs.recovery set 3"}', where="x")


def test_the_newest_healthy_set_is_chosen_and_newer_ones_are_named():
    rhythm = night()
    rhythm.take(taken("log", 250, 300, hours=6), hours=6, state="broken")
    found = choose(rhythm.newest_first)
    assert found.set.label == "s5"
    assert "did not work" in found.notes[0] and "s6" in found.notes[0]
    assert choose(rhythm.newest_first, healthy=False).set.label == "s6"


def test_sets_are_read_only_as_far_as_needed():
    read = []
    rhythm = night()
    choose(one for one in rhythm.newest_first if read.append(one.label) is None)
    assert read == ["s5"]


def test_without_a_healthy_set_the_newest_restorable_one_is_taken_and_that_is_said():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0, state="broken")
    rhythm.take(taken("log", 400, 500, hours=1), hours=1)
    found = choose(rhythm.newest_first)
    assert found.set.label == "s0"
    assert "no set is healthy" in found.notes[0]


def test_nothing_to_choose():
    with pytest.raises(RecoveryError, match="no recovery set that can be restored"):
        choose([])


def test_a_moment_before_all_sets_says_where_the_past_begins():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0)
    rhythm.take(taken("full", 200, 210, hours=5), hours=5)
    with pytest.raises(RecoveryError, match="The oldest is s0, whose data are of 2026-03-01T02:00:00Z"):
        choose(rhythm.newest_first, until=BEGIN - dt.timedelta(hours=9))


@pytest.mark.parametrize(
    ("hours", "label", "files", "target"),
    [
        (1.5, "s1", "F110 L150 L200", "2026-03-01T03:30:00+00:00"),
        (2, "s2", "F110 L150 L200", "latest"),
        (
            2.5,
            "s2",
            "F110 L150 L200 L250",
            "2026-03-01T04:30:00+00:00",
        ),  # not over the differential, which skips that moment
        (4, "s4", "F110 D210 L250", "latest"),
        (4.5, "s4", "F110 D210 L250 L250idle", "2026-03-01T06:30:00+00:00"),
        (9, "s5", "F110 D210 L250 L250idle", "latest"),
    ],
)
def test_a_moment(hours: float, label: str, files: str, target: str):
    rhythm = night()
    found = choose(rhythm.newest_first, until=BEGIN + dt.timedelta(hours=hours))
    assert found.set.label == label
    assert " ".join(path.rpartition("\\")[2].removesuffix(".bak") for path in found.files) == files
    assert found.target == target


def test_a_log_that_was_being_written_at_the_moment_need_not_hold_it():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110, hours=0), hours=0)
    long = taken("log", 100, 150, hours=2)
    long["sets"][0]["started_at"] = (BEGIN + dt.timedelta(hours=1)).isoformat()
    rhythm.take(long, hours=2)
    rhythm.take(taken("log", 150, 200, hours=3), hours=3)
    found = choose(rhythm.newest_first, until=BEGIN + dt.timedelta(hours=1.5))
    assert [path.rpartition("\\")[2] for path in found.files] == ["F110.bak", "L150.bak", "L200.bak"]


def test_a_moment_that_no_log_reaches_is_said():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0)
    rhythm.take(taken("full", 200, 210, hours=5), hours=5)
    found = choose(rhythm.newest_first, until=BEGIN + dt.timedelta(hours=3))
    assert (found.set.label, found.target) == ("s0", "latest")
    assert "goes back to 2026-03-01T02:00:00Z" in found.notes[0]


def test_facts_are_what_is_not_the_sets_own():
    assert night().sets[0].facts == {"logins": []}


def test_a_label_is_found_whatever_its_case_and_near_ones_are_named():
    labels = ["20260302T020000Z", "20260301T020000Z"]
    assert by_label(labels, "20260301t020000z") == "20260301T020000Z"
    with pytest.raises(RecoveryError, match="20260301T020000Z"):
        by_label(labels, "20260301T020001Z")


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ({}, []),
        ({"last": 1}, []),
        ({"age": 1}, []),
    ],
)
def test_nothing_goes_that_a_rule_keeps(rules: dict, gone: list[str]):
    assert list(surplus(night().sets, rules, now=BEGIN + dt.timedelta(hours=6)).labels) == gone


def weeks(*, broken_from: int = 99) -> Rhythm:
    rhythm = Rhythm()
    for day in range(10):
        state = "broken" if day >= broken_from else "answered"
        rhythm.take(
            taken("full", 1000 * day, 1000 * day + 10, hours=24 * day),
            hours=24 * day,
            archive=f"{day}.zip",
            state=state,
        )
        rhythm.take(
            taken("log", 1000 * day, 1000 * day + 500, hours=24 * day + 1),
            hours=24 * day + 1,
            archive=f"{day}.zip",
            state=state,
        )
    return rhythm


def test_old_sets_go_with_what_only_they_need():
    gone = surplus(weeks().sets, {"last": 2}, now=BEGIN + dt.timedelta(days=10))
    assert len(gone.labels) == 16
    assert not any("F8010" in path or "F9010" in path for path in gone.database)
    assert not any(name in path for path in gone.application for name in ("8.zip", "9.zip"))
    assert any("F7010" in path for path in gone.database) and any("7.zip" in path for path in gone.application)


def test_an_age_keeps_the_way_to_its_first_moments():
    """Two days and a half before the end only the log of day 7 follows the full one of that day, and the log of day 8
    goes on from it.
    """
    gone = surplus(weeks().sets, {"age": 2}, now=BEGIN + dt.timedelta(days=9, hours=12))
    assert gone.labels[-2:] == ("s144", "s145")
    assert not any("F7010" in path or "L7500" in path for path in gone.database)


def test_the_newest_healthy_set_stays_with_its_files_whatever_the_rules_say():
    gone = surplus(weeks(broken_from=4).sets, {"last": 1}, now=BEGIN + dt.timedelta(days=10))
    assert "s73" not in gone.labels  # day 3, the log
    assert not any("F3010" in path or "L3500" in path for path in gone.database)
    assert not any("3.zip" in path for path in gone.application)
    assert any("F2010" in path for path in gone.database)


def test_a_file_that_a_staying_set_needs_stays_though_its_own_set_goes():
    """The full of day 0 is the base of what came 4 hours later."""
    gone = surplus(night().sets, {"days": 1, "last": None}, now=BEGIN + dt.timedelta(days=40))
    assert "s1" in gone.labels
    assert not any("F110" in path or "D210" in path or "L250" in path for path in gone.database)
    assert any("L150" in path for path in gone.database)


def test_sets_taken_while_a_clock_was_ahead_push_nothing_out():
    rhythm = Rhythm()
    for day in (400, 401, 1, 2, 3):
        rhythm.take(taken("full", 1000 * day, 1000 * day + 10, hours=24 * day), hours=24 * day, archive=f"{day}.zip")
    gone = surplus(rhythm.sets, {"last": 2}, now=BEGIN + dt.timedelta(days=3))
    assert gone.labels == ("s24",)


def test_a_rule_of_nought_is_refused():
    with pytest.raises(RecoveryError, match="keeps nothing"):
        surplus(night().sets, {"last": 0}, now=BEGIN)


def test_a_copy_names_its_own_files():
    place = Place(sets="\\\\g\\v\\sets", database="\\\\g\\v\\database", application="\\\\g\\v\\application")
    moved = relocated(night().sets[4], place)
    named = [*moved.database_files, *moved.application_files, *moved.values["database"]["files"]]
    assert all(path.startswith("\\\\g\\v\\") for path in named)
    assert [path.rpartition("\\")[2] for path in moved.database_files] == ["F110.bak", "D210.bak", "L250.bak"]
    assert moved.values["copy_of"].startswith("\\\\f\\b\\")
