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
import difflib
import json
import ntpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError

__all__ = [
    "BACKUP_FORMAT",
    "FORMAT",
    "RULES",
    "Choice",
    "Place",
    "RecoverySet",
    "Surplus",
    "by_label",
    "chain_of",
    "choose",
    "compose",
    "files_of_link",
    "lines_of",
    "link_of",
    "moment",
    "parse_set",
    "relocated",
    "surplus",
    "written",
]

FORMAT = "prs.recovery set 2"
BACKUP_FORMAT = "prs.recovery sql backup 1"
"""Format of the manifest that sql_backup writes beside its files."""

RULES = ("last", "age", "days", "weeks", "months", "years")
"""What a retention may say, as sql_backup's does."""

_LINK = ("type", "files", "sha256", "manifest_beside", "size", "copy_only")
_OF_SET = (
    "first_lsn",
    "last_lsn",
    "first_fork",
    "last_fork",
    "differential_base_guid",
    "started_at",
    "finished_at",
    "encryptor_thumbprint",
)

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
    def type(self) -> str:
        return self.values["database"]["type"]

    @property
    def chain(self) -> list[dict[str, Any]]:
        """The database's backups in the order in which they are restored. Empty when one of them is not known."""
        return self.values["database"]["chain"]

    @property
    def recovery_point(self) -> dt.datetime:
        """The moment whose data it brings back: a log holds all until it began to be written, the others at least what
        was there then.
        """
        return moment(self.values["database"]["finished_at"])

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


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What to restore. files: backups of the database, target: how far, as sql_restore takes it. notes: what the person
    who restores should know.
    """

    set: RecoverySet
    files: tuple[str, ...]
    target: str = "latest"
    notes: tuple[str, ...] = ()


def moment(text: str) -> dt.datetime:
    """A moment as manifests have it, aware; without a zone it is UTC. Raises ValueError."""
    found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)


def written(when: dt.datetime) -> str:
    return when.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def files_of_link(link: Mapping[str, Any]) -> list[str]:
    """What a backup of a chain consists of, its manifest included."""
    beside = link.get("manifest_beside")
    return [*link["files"], *([beside] if beside else [])]


# Making one


def link_of(backup: Mapping[str, Any]) -> dict[str, Any]:
    """One backup of a chain, from what sql_backup returns (or wrote beside the files)."""
    [one] = backup["sets"]
    values = {name: backup.get(name) for name in _LINK}
    return {"set_guid": one["guid"], **values, **{name: one.get(name) for name in _OF_SET}}


def chain_of(own: Mapping[str, Any], known: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The backups that bring a database to the end of `own`, the full one first; empty when one of them is not among
    the `known`.
    """
    links = {link["set_guid"]: dict(link) for link in known}
    chain, current = [dict(own)], own
    while current["type"] == "log":
        before = _before(current, links.values())
        if before is None:
            return []
        chain.insert(0, before)
        current = before
    if current["type"] == "differential":
        base = links.get(current["differential_base_guid"])
        if base is None or base["type"] != "full":
            return []
        chain.insert(0, base)
    return chain


def _before(log: Mapping[str, Any], links: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The backup after which a log backup is restored: the newest full or differential one that it continues, else the
    log that reaches back farthest.
    """
    fit = [
        link
        for link in links
        if link["set_guid"] != log["set_guid"]
        and link["last_fork"] == log["first_fork"]
        and log["first_lsn"] <= link["last_lsn"] <= log["last_lsn"]
    ]
    bases = [link for link in fit if link["type"] != "log"]
    if bases:
        return max(bases, key=lambda link: link["last_lsn"])
    logs = [
        link
        for link in fit
        if link["first_lsn"] < log["first_lsn"]
        or (link["last_lsn"] < log["last_lsn"] and link["first_lsn"] <= log["first_lsn"])
    ]
    return min(logs, key=lambda link: (link["first_lsn"], link["last_lsn"]), default=None)


def compose(
    *,
    label: str,
    site: str,
    now: dt.datetime,
    backup: Mapping[str, Any],
    archive: Mapping[str, Any],
    application_state: str,
    chain: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    elsewhere: Sequence[str] = (),
) -> RecoverySet:
    """A set of a backup (as sql_backup returns it) and an archive (as app_backup returns it, or as an earlier set has
    it).

    elsewhere: files of these that no restore from this place will take, since another file server has them.
    """
    [one] = backup["sets"]
    problems = [sentence for sentence in (
        "" if application_state == "answered" else ("the application did not work when the set was taken "
                                                    f"({application_state})"),
        "" if backup["verified"] else "the backup of the database was not read back",
        "" if archive["verified"] else "the archive was not read back",
        "" if chain else "a backup that it continues is in no set and not in the folder, so that it cannot be "
                         "restored by itself; take a full backup "
        "(backup_prs), which the next ones continue",
        (f"{elsewhere[0]} lies on another server than the sets, from which no restore takes it; take a full backup "
         "(backup_prs)") if elsewhere else "",
    ) if sentence]  # fmt: skip
    database = {
        **link_of(backup),
        **{
            name: backup.get(name)
            for name in ("substitute_for", "server", "family_guid", "encryption", "verified")
            if name in backup
        },
        "name": backup["database"],
        **{
            name: one.get(name)
            for name in ("server_version", "database_version", "recovery_model", "encryptor_thumbprint", "collation")
        },
        "chain": [dict(link) for link in chain],
    }
    application = {
        "archive": archive.get("archive") or archive["path"],
        **{name: archive.get(name) for name in ("manifest", "sha256", "bytes", "files", "created", "verified")},
    }
    values = {
        **facts,
        "format": FORMAT,
        "label": label,
        "taken_at": written(now),
        "site": site,
        "healthy": not problems,
        "problems": problems,
        "application_state": application_state,
        "database": database,
        "application": application,
    }
    return RecoverySet(label=label, taken_at=now, healthy=not problems, values=values)


def lines_of(one: RecoverySet) -> list[str]:
    """The manifest's text."""
    return json.dumps(one.values, indent=1, sort_keys=True).split("\n")


def relocated(one: RecoverySet, place: Place, *, only: Callable[[str], bool] = lambda path: True) -> RecoverySet:
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

    values = dict(one.values)
    values["database"] = {**moved(values["database"]), "chain": [moved(link) for link in one.chain]}
    values["application"] = {
        **values["application"],
        **{name: application(values["application"][name]) for name in ("archive", "manifest")},
    }
    values["copy_of"] = one.values.get("copy_of") or one.values["application"]["archive"]
    return RecoverySet(label=one.label, taken_at=one.taken_at, healthy=one.healthy, values=values)


# Reading one


def parse_set(text: str, *, where: str) -> RecoverySet:
    """where: how a message names the file. Raises RecoveryError when it is no set, or is not whole."""
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise RecoveryError(
                f"{where} has the format '{values['format']}', this collection reads '{FORMAT}'",
                advice="Update the collection prs.recovery",
            )
        for link in [values["database"], *values["database"]["chain"]]:
            _needed = (
                link["set_guid"],
                link["type"],
                link["last_lsn"] + 0,
                link["files"][0],
                dict(link.get("sha256") or {}),
            )
            _must_be_texts([*link["files"], link.get("manifest_beside") or ""])
        _needed = moment(values["database"]["finished_at"])
        _must_be_texts([values["application"][name] for name in ("archive", "manifest")])
        return RecoverySet(
            label=str(values["label"]),
            taken_at=moment(values["taken_at"]),
            healthy=values["healthy"] is True,
            values=values,
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise RecoveryError(
            f"{where} is no manifest of a recovery set, or is damaged", advice="Use another set"
        ) from None


def _must_be_texts(values: Iterable[Any]) -> None:
    """Raises TypeError: a manifest is a file that anybody may have written, or a disk."""
    if not all(isinstance(value, str) for value in values):
        raise TypeError


# SelectionRun one


def by_label(labels: Sequence[str], wanted: str) -> str:
    """A label as it is written. labels: newest first. Raises RecoveryError that names the near ones."""
    for label in labels:
        if label.lower() == wanted.lower():
            return label
    near = difflib.get_close_matches(wanted, labels, n=3, cutoff=0.7) or list(labels[:5])
    raise RecoveryError(
        f"There is no recovery set '{wanted}'",
        advice=f"There are {', '.join(near)}" if near else "There is none at all",
    )


_NO_SET = "Run backup_prs, which makes one; to restore the newest files without a set: -e prs_restore_set=none"


def choose(sets: Iterable[RecoverySet], *, until: dt.datetime | None = None, healthy: bool = True) -> Choice:
    """The newest healthy set, or what leads to a moment. Sets come newest first and are asked for only as far as is
    needed.

    until: the database goes to that very moment where a log backup reaches it, and the archive is the newest healthy
    one from before it. healthy: False takes the newest one, whatever it is.
    """
    passed: list[RecoverySet] = []
    later: list[RecoverySet] = []
    for one in sets:
        if until is not None and one.recovery_point > until:
            later.append(one)
        elif one.chain and (one.healthy or not healthy):
            return _choice(one, until=until, later=later, passed=passed)
        else:
            passed.append(one)
    usable = [one for one in passed if one.chain]
    if not usable:
        when = f" from before {written(until)}" if until else ""
        # Newest first, so the last of them is where the known past begins.
        begins = (
            f"The oldest is {later[-1].label}, whose data are of {written(later[-1].recovery_point)}"
            if later and not passed
            else ""
        )
        raise RecoveryError(
            f"There is no recovery set{when} that can be restored by itself",
            advice=begins or _NO_SET,
            passed=_named(passed),
        )
    note = (
        f"no set is healthy, so this is the newest one that can be restored ({'; '.join(usable[0].values['problems'])})"
    )
    chosen = _choice(usable[0], until=until, later=later, passed=[])
    return Choice(set=chosen.set, files=chosen.files, target=chosen.target, notes=(note, *chosen.notes))


def _choice(
    one: RecoverySet, *, until: dt.datetime | None, later: Sequence[RecoverySet], passed: Sequence[RecoverySet]
) -> Choice:
    """later: sets from after the moment. passed: newer ones that were not taken."""
    notes = [
        (
            f"newer, but not taken because {'; '.join(other.values['problems'])}: {other.label} "
            f"({written(other.recovery_point)})"
        )
        for other in passed[:3]
    ]
    chain, target = one.chain, "latest"
    if until is not None and one.recovery_point < until:
        beyond = _chain_beyond(until, [one, *passed, *later])
        if beyond:
            chain, target = beyond, until.isoformat()
        else:
            notes.append(
                f"no log backup reaches {written(until)}, so the database goes back to {written(one.recovery_point)}"
            )
    return Choice(
        set=one, files=tuple(path for link in chain for path in link["files"]), target=target, notes=tuple(notes)
    )


def _chain_beyond(until: dt.datetime, sets: Iterable[RecoverySet]) -> list[dict[str, Any]]:
    """The backups that lead to the first log which was begun after a moment, over no full or differential one from
    after it; else empty.

    One that was begun before and ended after it need not hold the moment: what it reads last was written when it began.
    """
    links = {link["set_guid"]: link for one in sets for link in one.chain}.values()
    logs = [
        link
        for link in links
        if link["type"] == "log" and moment(link.get("started_at") or link["finished_at"]) > until
    ]
    before = [link for link in links if link["type"] == "log" or moment(link["finished_at"]) <= until]
    first = min(logs, key=lambda link: (moment(link["finished_at"]), link["last_lsn"]), default=None)
    return chain_of(first, before) if first else []


def _named(sets: Iterable[RecoverySet]) -> list[dict[str, Any]]:
    return [{"label": one.label, "problems": list(one.values["problems"])} for one in sets]


# Pruning

_PERIODS: dict[str, Callable[[dt.datetime], tuple[int, ...]]] = {
    "days": lambda when: (when.year, when.month, when.day),
    "weeks": lambda when: tuple(when.isocalendar()[:2]),
    "months": lambda when: (when.year, when.month),
    "years": lambda when: (when.year,),
}


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """What may go: labels of sets, oldest first, and the files that no set which stays needs."""

    labels: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    application: tuple[str, ...] = ()


def surplus(sets: Iterable[RecoverySet], rules: Mapping[str, int | None], *, now: dt.datetime) -> Surplus:
    """What no rule keeps (the rules of sql_backup's retention; none keeps everything).

    The newest set stays, and the newest healthy one, whatever the rules say; and no file goes that a set which stays
    names. now: a set that is dated later was taken while a clock was ahead. It stays, and counts for no rule: beside it
    all that is taken now would be surplus at once.
    """
    wrong = [rule for rule, number in rules.items() if number is not None and number < 1]
    if wrong:
        raise RecoveryError(
            f"The retention says {wrong[0]}: {rules[wrong[0]]}, which keeps nothing",
            advice="Give a number of at least 1, or leave the rule out",
        )
    ordered = sorted(sets, key=lambda one: (one.taken_at, one.label))
    given = {rule: number for rule, number in rules.items() if number}
    if not given or not ordered:
        return Surplus()
    dated = [one for one in ordered if one.taken_at <= now]
    kept = {one.label for one in ordered if one.taken_at > now}
    kept |= {one.label for one in (*dated[-1:], *[one for one in dated if one.healthy][-1:])}
    fulls = [one for one in dated if one.type == "full"]
    if "last" in given and fulls:
        begin = fulls[-given["last"] :][0].taken_at
        kept |= {one.label for one in ordered if one.taken_at >= begin}
    if "age" in given:
        begin = now - dt.timedelta(days=given["age"])
        # To go back to its first moments, what came before is needed too; the logs in between as well, for no chain
        # names them all.
        begin = max((one.taken_at for one in ordered if one.taken_at < begin and one.type != "log"), default=begin)
        kept |= {one.label for one in ordered if one.taken_at >= begin}
    for rule, period in _PERIODS.items():
        last = {period(one.taken_at.astimezone(dt.timezone.utc)): one.label for one in fulls}
        kept |= {last[key] for key in sorted(last, reverse=True)[: given.get(rule, 0)]}
    staying = [one for one in ordered if one.label in kept]
    leaving = [one for one in ordered if one.label not in kept]

    def only(files: Callable[[RecoverySet], list[str]]) -> tuple[str, ...]:
        needed = {path.lower() for one in staying for path in files(one)}
        return tuple(dict.fromkeys(path for one in leaving for path in files(one) if path.lower() not in needed))

    return Surplus(
        labels=tuple(one.label for one in leaving),
        database=only(lambda one: one.database_files),
        application=only(lambda one: one.application_files),
    )
