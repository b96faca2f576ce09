# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role verify looks at, and what it hands to the report: facts of the inventory and of hosts in, data out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..task_result import failure_message

__all__ = [
    "backup_places",
    "certificate_files",
    "folders",
    "key_file",
    "keys_files",
    "media_paths",
    "places_facts",
    "protection_facts",
]

Facts = Mapping[str, Any]

KEYS = "encryption.config"
NOT_LOOKED_AT = "See the rows of the servers: one of the active site was not looked at"


# ---- what is looked at
def backup_places(facts: Facts) -> list[dict[str, Any]]:
    """The places of backups, the active site's own first, with their accounts.

    facts: first: the place of prs_share_path, whole; copies: prs_backup_copies; copies_account: share_user and
    share_password of copies that name none. A copy at the active site is the first place itself.
    """
    site = facts["first"]["site"]
    copies = [copy for copy in facts["copies"] if "site" not in copy or copy["site"] != site]
    return [dict(facts["first"]), *({**facts["copies_account"], **copy} for copy in copies)]


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


# ---- what was found
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
    server recorded; url: of the page; looked: what the web server recorded that looked at the places {places, page,
    key, kept, drills}, or empty; backups: what SQL Server said of them, or empty; places: as the inventory has them.
    """
    looked = facts["looked"]
    recorded = {host["name"]: host for host in facts["hosts"]}
    return {
        "site": facts["site"],
        "control_node": {"missing_authorities": list(facts["missing_authorities"])},
        "page": looked.get("page") or _page_not_read(facts["url"]),
        "mirrored": facts["mirrored"],
        "witness": facts["witness"],
        "hosts": [recorded.get(name) or _host_not_looked_at(name, facts["played"]) for name in facts["servers"]],
        "places": _places(facts),
        "key": looked.get("key", {}),
        "kept": looked.get("kept", {}),
        "drills": looked.get("drills"),
    }


def _page_not_read(url: str) -> dict[str, str]:
    return {"url": url, "state": "", "problem": "it was not read", "advice": NOT_LOOKED_AT}


def _host_not_looked_at(name: str, played: Sequence[str]) -> dict[str, Any]:
    why = "an earlier step failed on it, see above" if name in played else "--limit leaves it out"
    return {"name": name, "site": "", "active": False, "roles": [], "reached": False, "problem": why}


def _places(facts: Facts) -> list[dict[str, Any]]:
    """Each place as it was seen; SQL Server reads the first one."""
    seen = facts["looked"].get("places") or [_place_not_looked_at(place, facts["site"]) for place in facts["places"]]
    nothing = {"by_files": False, "databases": [], "sets": [], "unreadable": []}
    not_asked = {"problem": "it was not asked", "advice": NOT_LOOKED_AT, **nothing}
    return [{**place, "backups": facts["backups"] or not_asked} if place is seen[0] else dict(place) for place in seen]


def _place_not_looked_at(place: Facts, site: str) -> dict[str, Any]:
    unknown = {"problem": "they were not looked at", "advice": NOT_LOOKED_AT}
    return {"site": place.get("site", site), "path": place["path"], "folders": {}, "sets": unknown, "saw": {}}
