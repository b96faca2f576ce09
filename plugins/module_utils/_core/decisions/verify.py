# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role verify looks at, and what it hands to the report: facts of the inventory and of hosts in, data out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..task_result import failure_message

__all__ = [
    "certificate_files",
    "folders",
    "key_file",
    "keys_files",
    "media_paths",
    "needs_another_look",
    "places_facts",
    "protection_facts",
    "shares_asked",
]

Facts = Mapping[str, Any]

KEYS = "encryption.config"
NOT_LOOKED_AT = "See the rows of the servers: one of the active site was not looked at"


# ---- what is looked at
def folders(facts: Facts) -> list[dict[str, str]]:
    """The folders of each place: sets, application, database. facts: places: each with a path, and those of its folders
    that lie elsewhere as sets_path, application_path, database_path.
    """
    return [
        {kind: place.get(f"{kind}_path", f"{place['path']}\\{kind}") for kind in ("sets", "application", "database")}
        for place in facts["places"]
    ]


def key_file(facts: Facts) -> str:
    """The file of keys that the newest archive must hold. facts: folder: of the application; plain_copies: what is
    archived instead of a file, by its name.
    """
    return facts["plain_copies"].get(KEYS, f"{facts['folder']}\\{KEYS}")


def keys_files(facts: Facts) -> list[str]:
    """Names of the files that must be kept apart from the backups. facts: site_pfx: on the control node;
    encryption_certificate: of the backups; both may be empty.
    """
    pfx, certificate = facts["site_pfx"], facts["encryption_certificate"]
    site = [pfx.rpartition("/")[2]] if pfx else []
    return site + ([f"{certificate}.cer", f"{certificate}.pvk"] if certificate else [])


def certificate_files(facts: Facts) -> list[str]:
    """The PFX files that a rebuild of this server imports. facts: groups: of the server; sql_pfx, site_pfx: may be
    empty.
    """
    wanted = {"prs_sql": facts["sql_pfx"], "prs_web": facts["site_pfx"]}
    return [pfx for group, pfx in wanted.items() if group in facts["groups"] and pfx]


def media_paths(facts: Facts) -> list[str]:
    """What this server must be able to read to be rebuilt. facts: roles: web, sql, witness; sql_media: a folder;
    package, dotnet_media: files; all may be empty.
    """
    roles = set(facts["roles"])
    sql = [f"{facts['sql_media']}\\setup.exe"] if facts["sql_media"] and roles & {"sql", "witness"} else []
    web = [facts["package"], facts["dotnet_media"]] if "web" in roles else []
    return [*sql, *(path for path in web if path)]


def shares_asked(facts: Facts) -> list[str]:
    """What of the parameters of inspect_protection.ps1 may lie on a share, and so is seen by an account of its own.
    facts: those parameters.
    """
    listed = [path for name in ("Folder", "Hashed", "Path", "Text") for path in facts.get(name, [])]
    return [*listed, facts["Archive"]] if facts.get("Archive") else listed


# ---- what was found
def needs_another_look(facts: Facts) -> bool:
    """Whether a server of another site is to look at the places. facts: active: what the active web servers recorded of
    themselves.
    """
    return not any(host["reached"] for host in facts["active"])


def places_facts(facts: Facts) -> list[dict[str, Any]]:
    """What is in each place of backups, without any account.

    facts: places, folders: of the same order; site: the active one; sets, seen, seen_apart: results of
    recovery_set_info, of inspect_protection.ps1, and of the same with the account of the database's backups, one for
    each place.
    """
    looks = zip(facts["places"], facts["folders"], facts["sets"], facts["seen"], facts["seen_apart"], strict=True)
    return [
        {
            "site": place.get("site", facts["site"]),
            "path": place["path"],
            "folders": place_folders,
            "sets": _sets(sets),
            "saw": _joined(seen.get("result") or {}, seen_apart.get("result") or {}),
            "look_problem": failure_message(seen, "") or failure_message(seen_apart, ""),
        }
        for place, place_folders, sets, seen, seen_apart in looks
    ]


def _sets(result: Facts) -> dict[str, Any]:
    if "chosen" not in result:
        return {"problem": result.get("msg", ""), "living": result.get("branches", [])}
    return {name: result[name] for name in ("chosen", "sets", "unusable", "living")}


def _joined(seen: Facts, seen_apart: Facts) -> dict[str, Any]:
    """Two accounts looked at different folders of one place."""
    lists = {name: [*seen.get(name, []), *seen_apart.get(name, [])] for name in ("folders", "hashed")}
    return {**seen, **lists}


def protection_facts(facts: Facts) -> dict[str, Any]:
    """What the report judges; its shape is in the role's README. What --limit left out is there as something that was
    not looked at.

    facts: site, mirrored, witness; missing_authorities; servers: names; played: those of this run; hosts: what each
    server recorded; url: of the page; looked: what the web servers recorded that looked at the places {places, page,
    key, kept, drills}, the active one first; backups: what the database servers said of them, and servers that looked
    instead; places: as the inventory has them.
    """
    looked = _look(facts["looked"])
    recorded = {host["name"]: host for host in facts["hosts"]}
    return {
        "site": facts["site"],
        "control_node": {"missing_authorities": list(facts["missing_authorities"])},
        "page": looked.get("page") or _page_not_read(facts["url"]),
        "mirrored": facts["mirrored"],
        "witness": facts["witness"],
        "hosts": [recorded.get(name) or _host_not_looked_at(name, facts["played"]) for name in facts["servers"]],
        "places": _places(facts, looked),
        "key": looked.get("key", {}),
        "kept": looked.get("kept", {}),
        "drills": looked.get("drills"),
    }


def _page_not_read(url: str) -> dict[str, str]:
    return {"url": url, "state": "", "problem": "it was not read", "advice": NOT_LOOKED_AT}


def _host_not_looked_at(name: str, played: Sequence[str]) -> dict[str, Any]:
    why = "an earlier step failed on it, see above" if name in played else "--limit leaves it out"
    return {"name": name, "site": "", "active": False, "roles": [], "reached": False, "problem": why}


def _look(looks: Sequence[Facts]) -> Facts:
    """What the active web server saw; what lies elsewhere as another one saw it, where that one could read no place."""
    first: Facts = looks[0] if looks else {}
    reader = next((look for look in looks if any("problem" not in place["sets"] for place in look["places"])), first)
    return first if reader is first else {**first, **{name: reader[name] for name in ("places", "kept", "drills")}}


def _backups(answers: Sequence[Facts]) -> Facts:
    """What SQL Server said; what is in the backups as another server read them, where it did not."""
    first: Facts = answers[0] if answers else {}
    reader = next((answer for answer in answers if answer["sets"]), first)
    return first if reader is first else {**reader, "problem": first["problem"]}


def _places(facts: Facts, looked: Facts) -> list[dict[str, Any]]:
    """Each place as it was seen; SQL Server reads the first one."""
    seen = looked.get("places") or [_place_not_looked_at(place, facts["site"]) for place in facts["places"]]
    nothing = {"by_files": False, "databases": [], "sets": [], "unreadable": []}
    not_asked = {"problem": "it was not asked", "advice": NOT_LOOKED_AT, **nothing}
    return [
        {**place, "backups": _backups(facts["backups"]) or not_asked} if place is seen[0] else dict(place)
        for place in seen
    ]


def _place_not_looked_at(place: Facts, site: str) -> dict[str, Any]:
    unknown = {"problem": "they were not looked at", "advice": NOT_LOOKED_AT}
    return {"site": place.get("site", site), "path": place["path"], "folders": {}, "sets": unknown, "saw": {}}
