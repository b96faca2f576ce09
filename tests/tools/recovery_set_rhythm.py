"""Recovery sets made one after the other, as nights and weeks make them."""

from __future__ import annotations

import datetime as dt

from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.chain import chain_of, link_of
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.creation import compose
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.recovery_set import RecoverySet

__all__ = ["BEGIN", "Rhythm", "archived", "guids", "made_at", "night", "taken", "weeks"]


BEGIN = dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.timezone.utc)


def taken(kind: str, first: int, last: int, *, base: str = "", hours: float = 0, fork: str = "a") -> dict:
    """What sql_backup returns; its GUID is its kind and end."""
    name = f"{kind[0].upper()}{last}{'idle' if first == last else ''}"
    finished = (BEGIN + dt.timedelta(hours=hours)).isoformat()
    one = {
        "guid": name,
        "kind": kind,
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
        "kind": kind,
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


def made_at(site: str, hours: float, *, fork: str, lsn: int, parent: str = "") -> RecoverySet:
    """The set of a full backup. lsn: its end."""
    backup = {**taken("full", lsn, lsn, hours=hours, fork=fork.lower()), "parent_fork": parent or None}
    return compose(
        label=f"{site}{hours:g}",
        site=site,
        now=BEGIN + dt.timedelta(hours=hours),
        backup=backup,
        archive=archived(),
        application_state="answered",
        chain=[link_of(backup)],
        facts={},
    )


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


def guids(links: list[dict]) -> str:
    return " ".join(link["set_guid"] for link in links)
