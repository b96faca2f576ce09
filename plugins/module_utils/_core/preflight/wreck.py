# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host says of the wreck, as fields of the facts that recovery_plan takes. Those of all hosts make the
whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..advice.unreachable import is_silence, reason_of
from . import backup_files, backups, iis, media
from .data_files import surviving_files
from .facts import FAILED, OK, UNREACHABLE, Answer, HostFacts, OtherSite

__all__ = ["sites_at_hand", "whole_wreck", "wreck_of"]

_STATES = {"ONLINE": "healthy", "OFFLINE": "closed", "RESTORING": "restoring", "RECOVERING": "unknown"}
"""In any other state nobody can work with it. Whether the files of one that is RECOVERY_PENDING are there again the
server only tells when it tries: what is told before is what would be lost if they are not.
"""
_MIRROR = "MIRROR"


_SEEN_FROM_WEB = "backups_seen_from_web"
"""What the web server's account saw of the sets, for where the database server cannot be asked."""


def wreck_of(facts: HostFacts) -> dict[str, Any]:
    return {**(_of_sql_server(facts) if facts.sql else {}), **(_of_web_server(facts) if facts.web else {})}


def sites_at_hand(groups: Mapping[str, Sequence[str]], active: str, answering: Collection[str]) -> list[str]:
    """Other sites whose web and database servers all answered. groups: of the inventory; answering: hosts."""
    at_home, serving = set(groups.get(active, ())), {*groups.get("prs_web", ()), *groups.get("prs_sql", ())}
    return [
        group
        for group, hosts in groups.items()
        if group not in ("all", "ungrouped")
        and not group.startswith("prs_")
        and at_home.isdisjoint(hosts)
        and all(serving.intersection(hosts, groups.get(part, ())) for part in ("prs_web", "prs_sql"))
        and serving.intersection(hosts) <= set(answering)
    ]


def whole_wreck(
    site: str,
    parts: Iterable[Mapping[str, Any]],
    others: Sequence[str] = (),
    copies: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Of what each host says, as C(wreck_of) returns it, the facts of recovery_plan; those that no host says lack.
    others: sites at hand. copies: of recovery sets at other places {place, name, point, archive}.
    """
    whole: dict[str, Any] = {"site": site, "consents": {}}
    for part in parts:
        whole |= {**part, "consents": {**whole["consents"], **part.get("consents", {})}}
    seen = whole.pop(_SEEN_FROM_WEB, [])
    if "sql" in whole:
        whole["backups"] = [*(whole.get("backups") or seen), *(_copied_set(copy) for copy in copies)]
    if "web" in whole:
        own = whole.get("archives", [])
        whole["archives"] = [*own, *({"name": copy["archive"], "point": copy["point"]} for copy in copies)]
    return {**whole, "other_sites": list(others)}


def _copied_set(copy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{copy['name']} in {copy['place']}",
        "kind": "set",
        "elsewhere": True,
        "place": copy["place"],
        "point": copy["point"],
    }


def _of_web_server(facts: HostFacts) -> dict[str, Any]:
    return {
        "web": _server(facts.host, facts.windows),
        "application": {"state": _application_state(facts)},
        "archives": _archives(facts),
        _SEEN_FROM_WEB: _sets_seen(facts),
        "replace_application": facts.overwrite_application,
        "consents": {"application": facts.overwrite_application},
        "package": "rebuild_prs makes no empty product; provision_prs does",
    }


def _of_sql_server(facts: HostFacts) -> dict[str, Any]:
    return {
        "sql": _server(facts.host, facts.windows),
        **_database(facts),
        "backups": _backups(facts),
        "copies": _copies(facts),
        "files": surviving_files(facts),
        "consents": {"database": facts.overwrite_database},
        "replace_database": facts.overwrite_database,
        "sql_media": "; ".join(sentence for check in media.CHECKS for sentence in check(facts))
        if facts.shares.ok
        else "",
    }


# ---- servers
def _server(host: str, answer: Answer[Any]) -> dict[str, str]:
    """One that answers in any way, and be it by refusing, is not lost."""
    if answer.state == UNREACHABLE and is_silence(answer.problem):
        return {"host": host, "reach": "silent", "problem": reason_of(answer.problem)}
    if answer.state in (UNREACHABLE, FAILED):
        return {"host": host, "reach": "refuses", "problem": reason_of(answer.problem)}
    return {"host": host}


# ---- the database
def _database(facts: HostFacts) -> dict[str, Any]:
    """Nothing of an instance that runs and does not know the playbooks' login yet, as somebody else has just installed
    it: the role sql_server sees to the login, and only then anybody can tell.
    """
    instance = _instance(facts)
    if instance == "refuses" and facts.instance.ok:
        return {}
    return {"instance": instance, "database": {"state": _database_state(facts)}}


def _instance(facts: HostFacts) -> str:
    if not facts.instance.ok:
        return "refuses"
    if facts.instance.value.partly_installed:
        return "broken"
    if not facts.instance.value.installed:
        return "absent"
    if facts.instance.value.service_state != "Running":
        return "stopped"
    return "running" if facts.answers.ok else "refuses"


def _database_state(facts: HostFacts) -> str:
    if _instance(facts) == "absent":
        return "missing"
    if not facts.answers.ok:
        return "unknown"
    database = next((entry for entry in facts.answers.value if entry.is_named(facts.settings.database)), None)
    if database is None:
        return "missing"
    if database.standby:
        return "restoring"
    return "waiting" if database.mirroring_role == _MIRROR else _STATES.get(database.state, "suspect")


def _backups(facts: HostFacts) -> list[dict[str, Any]]:
    """What the role restore chose. Nothing where nobody chose, as on a host that was not reached."""
    if facts.choice.state != OK or not facts.windows.ok:
        return []
    chosen = facts.chosen
    planned = facts.restore.value.recovery_point if facts.restore.ok else ""
    read = facts.backup_files.value if facts.backup_files.ok else None
    of_set = bool(chosen.label and chosen.recovery_point)  # somebody may have named files instead of the set's
    problem = facts.choice.value.problem or "; ".join(
        sentence for check in (backups.restore_not_planned, backups.no_backup) for sentence in check(facts)
    )
    return [
        {
            "name": chosen.label if of_set else ", ".join(chosen.files or chosen.folders),
            "kind": "set" if of_set else "files",
            "point": planned or backup_files.recovery_point(facts) or chosen.recovery_point or None,
            "problem": problem or (read.refusal if read and not read.unclear else ""),
            "size": read.read_bytes if read else 0,
        }
    ]


def _sets_seen(facts: HostFacts) -> list[dict[str, Any]]:
    """The set that would be restored, of which nobody has read the backups yet."""
    if facts.choice.state != OK or not facts.chosen.label:
        return []
    problem, point = facts.choice.value.problem, facts.chosen.recovery_point or None
    return [{"name": facts.chosen.label, "kind": "set", "point": point, "problem": problem}]


def _copies(facts: HostFacts) -> list[dict[str, Any]]:
    """While the database is healthy here, one elsewhere is its mirror, or an old one that somebody forgot."""
    return [] if _database_state(facts) == "healthy" else [_copy(other) for other in facts.other_sites]


def _copy(other: OtherSite) -> dict[str, Any]:
    """complete: it serves, so that it has every commit."""
    database = other.databases[0] if other.databases else None
    reach = "reached" if other.answer == OK else "refuses" if other.answer == FAILED else "silent"
    server = {"host": other.host, "reach": reach, "problem": reason_of(other.problem)}
    if other.standby is not None:
        return {
            "site": other.site,
            "server": server,
            "kind": "standby",
            "point": other.standby.since or None,
            "complete": other.standby.complete,
            "application": other.standby.problem if reach == "reached" else "",
        }
    serves = bool(database and database.state == "ONLINE")
    return {
        "site": other.site,
        "server": server,
        "kind": "principal" if serves else "mirror",
        "complete": serves,
        "application": "" if database or reach != "reached" else f"{other.host} has no copy of the database",
    }


# ---- the application
def _application_state(facts: HostFacts) -> str:
    if not facts.shares.ok:
        return "unknown"
    web_config = facts.path(facts.settings.web_config)
    if not web_config.exists:
        return "unknown" if web_config.is_hidden else "missing"
    if iis.unseen(facts):
        return "unknown"
    return "running" if iis.runs_site(facts) and iis.runs_pool(facts) else "stopped"


def _archives(facts: HostFacts) -> list[dict[str, Any]]:
    if facts.choice.state != OK or facts.choice.value.problem or (facts.windows.ok and not facts.shares.ok):
        return []
    chosen = facts.chosen
    if chosen.is_archive:
        return [{"name": chosen.archive, "point": chosen.recovery_point or None}]
    if not facts.shares.ok or facts.archive.error or not facts.archive.count:
        return []
    return [{"name": facts.archive.path, "point": facts.archive.modified or None}]
