# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery sets: an archive of the application and the database backups that fit it, told by one manifest that is
written last.

Every run makes a set, a differential or log backup too. Its `chain` names all backups that bring the database to its
point: a full one, then what follows. So each set can be restored by what it names, whatever else lies in the folder.
"""

from __future__ import annotations

import datetime as dt
import json
import ntpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..backup.backup_set import BackupKind
from ..errors import RecoveryError
from ..times import parse_stored_time

__all__ = [
    "FORMAT",
    "Place",
    "RecoverySet",
    "files_of_link",
    "lines_of",
    "parse_set",
    "relocated",
]

FORMAT = "prs.recovery set 2"


_OWN = frozenset(
    {
        "format",
        "label",
        "taken_at",
        "site",
        "healthy",
        "problems",
        "application_state",
        "database",
        "application",
        "copy_of",
    }
)
"""What a manifest says of the set itself; the rest is facts."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folders of one place where sets lie."""

    sets: str
    database: str
    application: str


@dataclass(frozen=True, kw_only=True)
class RecoverySet:
    """One set as its manifest tells it. taken_at: aware."""

    label: str
    taken_at: dt.datetime
    healthy: bool
    values: Mapping[str, Any]

    @property
    def kind(self) -> BackupKind:
        """Of the database's backup."""
        return BackupKind(self.values["database"]["kind"])

    @property
    def chain(self) -> list[dict[str, Any]]:
        """The database's backups in the order in which they are restored. Empty when one of them is not known."""
        return self.values["database"]["chain"]

    @property
    def recovery_point(self) -> dt.datetime:
        """The moment whose data it brings back: a log holds all until it began to be written, the others at least what
        was there then.
        """
        return parse_stored_time(self.values["database"]["finished_at"])

    @property
    def facts(self) -> dict[str, Any]:
        """What was told about the servers when it was taken: logins, certificates, site, pool, versions."""
        return {name: value for name, value in self.values.items() if name not in _OWN}

    @property
    def database_files(self) -> list[str]:
        """Every file of the database that it needs, manifests included."""
        return [path for link in self.chain or [self.values["database"]] for path in files_of_link(link)]

    @property
    def application_files(self) -> list[str]:
        archive = self.values["application"]
        return [archive["archive"], archive["manifest"]]


def files_of_link(link: Mapping[str, Any]) -> list[str]:
    """What a backup of a chain consists of, its manifest included."""
    beside = link.get("manifest_beside")
    return [*link["files"], *([beside] if beside else [])]


def lines_of(recovery_set: RecoverySet) -> list[str]:
    """The manifest's text."""
    return json.dumps(recovery_set.values, indent=1, sort_keys=True).split("\n")


def relocated(
    recovery_set: RecoverySet, place: Place, *, only: Callable[[str], bool] = lambda path: True
) -> RecoverySet:
    """The set as its copy at another place tells it: the same files in that place's folders. only: which of them lie
    there.
    """

    def database(path: str) -> str:
        return ntpath.join(place.database, ntpath.basename(path)) if only(path) else path

    def application(path: str) -> str:
        return ntpath.join(place.application, ntpath.basename(path)) if only(path) else path

    def moved(link: Mapping[str, Any]) -> dict[str, Any]:
        beside = link.get("manifest_beside")
        hashes = {database(path): value for path, value in (link.get("sha256") or {}).items()}
        return {
            **link,
            "files": [database(path) for path in link["files"]],
            "manifest_beside": database(beside) if beside else beside,
            "sha256": hashes or link.get("sha256"),
        }

    values = dict(recovery_set.values)
    values["database"] = {**moved(values["database"]), "chain": [moved(link) for link in recovery_set.chain]}
    values["application"] = {
        **values["application"],
        **{name: application(values["application"][name]) for name in ("archive", "manifest")},
    }
    values["copy_of"] = recovery_set.values.get("copy_of") or recovery_set.values["application"]["archive"]
    return RecoverySet(
        label=recovery_set.label, taken_at=recovery_set.taken_at, healthy=recovery_set.healthy, values=values
    )


def parse_set(text: str, *, where: str) -> RecoverySet:
    """where: how a message names the file. Raises RecoveryError when it is no set, or is not whole."""
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise RecoveryError(
                f"{where} has the format '{values['format']}', this collection reads '{FORMAT}'",
                code="unsupported",
                advice="Update the collection prs.recovery",
            )
        for link in [values["database"], *values["database"]["chain"]]:
            _needed = (
                link["set_guid"],
                BackupKind(link.setdefault("kind", link.pop("type", None))),  # earlier versions called it type
                link["last_lsn"] + 0,
                link["files"][0],
                dict(link.get("sha256") or {}),
            )
            _must_be_texts([*link["files"], link.get("manifest_beside") or ""])
        _needed = parse_stored_time(values["database"]["finished_at"])
        _must_be_texts([values["application"][name] for name in ("archive", "manifest")])
        return RecoverySet(
            label=str(values["label"]),
            taken_at=parse_stored_time(values["taken_at"]),
            healthy=values["healthy"] is True,
            values=values,
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise RecoveryError(
            f"{where} is no manifest of a recovery set, or is damaged", code="damaged", advice="Use another set"
        ) from None


def _must_be_texts(values: Iterable[Any]) -> None:
    """Raises TypeError: a manifest is a file that anybody may have written, or a disk."""
    if not all(isinstance(value, str) for value in values):
        raise TypeError
