# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a server can hold the standby of a database, and whether what it has of that name may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..restore.file_placement import express_limit
from ..text import bytes_text

__all__ = ["Server", "is_astray", "unfit"]


@dataclass(frozen=True, kw_only=True)
class Server:
    """A database server and its database, as far as it was asked. version: of SQL Server, (0,) where it is not known.
    state: of sys.databases, empty without the database. data_bytes: of its data files.
    """

    host: str
    answers: bool
    version: tuple[int, ...]
    edition: str
    state: str
    is_in_standby: bool
    family_guid: str
    recovery_model: str
    mirroring_role: str
    data_bytes: int

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Server:
        """facts: host, answers; server and database as sql_info returns them, or empty."""
        server, database = facts["server"], facts["database"]
        files = database.get("files", [])
        return cls(
            host=facts["host"],
            answers=facts["answers"],
            version=tuple(int(part) for part in (server.get("version") or "0").split(".")[:2]),
            edition=server.get("edition", ""),
            state=database.get("state", ""),
            is_in_standby=bool(database.get("standby")),
            family_guid=(database.get("family_guid") or "").lower(),
            recovery_model=database.get("recovery_model", ""),
            mirroring_role=(database.get("mirroring") or {}).get("role") or "",
            data_bytes=sum(file["size_bytes"] for file in files if file["type"] == "ROWS"),
        )

    @property
    def is_mirrored(self) -> bool:
        return bool(self.mirroring_role)

    @property
    def is_open(self) -> bool:
        """Whether people may write in it."""
        return self.state == "ONLINE" and not self.is_in_standby


def is_astray(standby: Mapping[str, Any], principal: Mapping[str, Any]) -> bool:
    """Whether a database that waits for logs stands past the point at which the principal's was opened on a recovery
    fork of its own, so that no log of that one continues it: an old principal that came back, say. Both as sql_info
    returns them, or empty.
    """
    parent, point = principal.get("first_recovery_fork_guid"), principal.get("fork_point_lsn")
    if not parent or not point or parent.lower() == (principal.get("recovery_fork_guid") or "").lower():
        return False
    stands = [
        int(file["redo_start_lsn"])
        for file in standby.get("files", [])
        if file["redo_start_lsn"] and (file["redo_start_fork_guid"] or "").lower() == parent.lower()
    ]
    return bool(stands) and min(stands) > int(point)


def unfit(standby: Server, principal: Server, *, name: str, readable: bool, may_replace: bool) -> Iterator[str]:
    """Why there can be no standby on that server. name: of the database. readable: it shall be read between two logs.
    may_replace: somebody said that what is there may be lost.
    """
    yield from _server(standby, principal, name=name, readable=readable)
    if standby.is_mirrored:
        yield (
            f"{name} on {standby.host} belongs to a mirroring session. End that first (sql_mirror with state: absent), "
            "or say prs_ha: mirror."
        )
    elif standby.is_open and not may_replace:
        yield _open(standby, principal, name=name)


def _server(standby: Server, principal: Server, *, name: str, readable: bool) -> Iterator[str]:
    here, there = (".".join(map(str, server.version)) for server in (principal, standby))
    if standby.version[0] and standby.version[0] < principal.version[0]:
        yield (
            f"SQL Server on {standby.host} is {there}, older than that on {principal.host} ({here}): it cannot restore "
            "backups of it. Install the same version there, or a newer one."
        )
    elif readable and standby.version[0] > principal.version[0] > 0:
        yield (
            f"SQL Server on {standby.host} is {there}, newer than that on {principal.host} ({here}): it would have to "
            "upgrade the database before anybody could read it. Say prs_standby_readable: false."
        )
    limit = express_limit(standby.version[0]) if "Express" in standby.edition else None
    if limit is not None and principal.data_bytes > limit:
        yield (
            f"{name} on {principal.host} has {bytes_text(principal.data_bytes)} of data, and {standby.host} has an "
            f"{standby.edition}, which opens no more than {bytes_text(limit)}. Install Standard or a newer Express "
            "there."
        )


def _open(standby: Server, principal: Server, *, name: str) -> str:
    if standby.family_guid and principal.family_guid and standby.family_guid != principal.family_guid:
        return (
            f"{standby.host} has another database named {name} (family {standby.family_guid}; on {principal.host} it "
            f"is {principal.family_guid}). Rename or remove it, or let the standby take its place: standby_prs -e "
            "prs_allow_data_loss=true, which keeps a full backup of it in prs_mirror_replaced_path."
        )
    return (
        f"{name} is open on {standby.host} as well as on {principal.host}: somebody opened the standby, or it served "
        "once, and may hold what nobody else has. If that site serves, set prs_active_site to it. If what it holds may "
        "be replaced: standby_prs -e prs_allow_data_loss=true, which keeps a full backup of it in "
        "prs_mirror_replaced_path."
    )
