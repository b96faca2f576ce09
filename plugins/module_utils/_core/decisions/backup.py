# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role backup writes into a recovery set beside the backups, and what the other places need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["copies_elsewhere", "copy_account", "kept_logins", "other_places", "other_sites", "places", "web_facts"]

Facts = Mapping[str, Any]

_OF_WINDOWS = ("0x0101000000000005", "0x010600000000000550", "0x010200000000000550")
"""How SIDs begin that every Windows has: of its own accounts (S-1-5 and one number), of its services (S-1-5-80), of all
of them (S-1-5-80-0).
"""


def copy_account(facts: Facts) -> dict[str, str]:
    """The account for places that name none: that of the copies, else that of the share, else none.

    facts: copies_user, copies_password, share_user, share_password; empty where they are not set.
    """
    for kind in ("copies", "share"):
        if facts[f"{kind}_user"]:
            return {"share_user": facts[f"{kind}_user"], "share_password": facts[f"{kind}_password"]}
    return {}


def places(facts: Facts) -> list[dict[str, Any]]:
    """The places of backups, the active site's own first, with their accounts.

    facts: first: the place of prs_share_path, whole; copies: prs_backup_copies; copies_account: share_user and
    share_password of copies that name none. A copy at the active site is the first place itself.
    """
    copies = copies_elsewhere({"copies": facts["copies"], "site": facts["first"]["site"]})
    return [dict(facts["first"]), *({**facts["copies_account"], **copy} for copy in copies)]


def other_places(facts: Facts) -> list[dict[str, Any]]:
    """Of all places but the first one what a module takes of a place. facts: as for `places`; options: their names."""
    return [{key: place[key] for key in facts["options"] if key in place} for place in places(facts)[1:]]


def copies_elsewhere(facts: Facts) -> list[Facts]:
    """The places that are not the active site's own.

    facts: copies: prs_backup_copies, whose entries need no site; site: the active one.
    """
    return [copy for copy in facts["copies"] if "site" not in copy or copy["site"] != facts["site"]]


def kept_logins(facts: Facts) -> list[Facts]:
    """Those of SQL Server that another server does not have by itself. facts: logins: as sql_info returns them.

    Windows' own accounts go by their SIDs: their names are in the language of Windows.
    """
    return [
        login
        for login in facts["logins"]
        if not login["name"].startswith("##") and not login["sid"].lower().startswith(_OF_WINDOWS)
    ]


def web_facts(facts: Facts) -> dict[str, Any]:
    """What a set says of the web server.

    facts: host, folder; versions: files of the application that know its version, the first one with a version counts;
    sites, pools: what website_info and web_app_pool_info returned; alias, alias_value: of SQL Server's client; pfx: the
    site's certificate on the control node. What is not there is empty.
    """
    versions = [file for file in facts["versions"] if file.get("version")]
    newest = versions[0] if versions else {"version": "", "path": ""}
    site = next(iter(facts["sites"]), {})
    thumbprints = [binding.get("certificate_hash") for binding in site.get("bindings", [])]
    return {
        "web": {
            "host": facts["host"],
            "folder": facts["folder"],
            "version": newest["version"],
            "version_of": newest["path"],
            "site": site,
            "pool": next(iter(facts["pools"]), {}).get("attributes", {}),
            "alias": {facts["alias"]: facts["alias_value"]} if facts["alias"] else {},
        },
        "site_certificate": {
            "pfx": facts["pfx"],
            "thumbprint": next((thumbprint for thumbprint in thumbprints if thumbprint), ""),
        },
    }


def other_sites(facts: Facts) -> list[dict[str, Any]]:
    """What a rebuild at the site of each other place needs.

    facts: sites: for each place its servers {name, groups, sql_media, media_path, app_media, dotnet_media, sql_pfx,
    sql_pfx_present, app_pfx, app_pfx_present}; empty where the inventory does not say.

    Returns for each {servers: names; media: what is installed from; missing_certificates: [server, path] of those that
    are not on the control node}.
    """
    return [_other_site(servers) for servers in facts["sites"]]


def _other_site(servers: list[Facts]) -> dict[str, Any]:
    sql, web = ([server for server in servers if group in server["groups"]] for group in ("prs_sql", "prs_web"))
    media = [
        *(f"{server['sql_media']}\\setup.exe" for server in sql if server["sql_media"]),
        *(f"{server['media_path']}\\{server['app_media']}" for server in web if server["media_path"]),
        *(server["dotnet_media"] for server in web if server["dotnet_media"]),
    ]
    certificates = [(server, kind) for kind, of_kind in (("sql", sql), ("app", web)) for server in of_kind]
    return {
        "servers": [server["name"] for server in servers],
        "media": list(dict.fromkeys(media)),
        "missing_certificates": [
            [server["name"], server[f"{kind}_pfx"]]
            for server, kind in certificates
            if server[f"{kind}_pfx"] and not server[f"{kind}_pfx_present"]
        ],
    }
