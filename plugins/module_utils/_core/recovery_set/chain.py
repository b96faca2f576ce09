# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of a backup: the backups that bring a database to its end, a full one first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..backup.backup_set import BackupKind

__all__ = ["BACKUP_FORMAT", "chain_of", "link_of"]

BACKUP_FORMAT = "prs.recovery sql backup 1"
"""Format of the manifest that sql_backup writes beside its files."""

_LINK = ("kind", "files", "sha256", "manifest_beside", "size", "copy_only")
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


def link_of(backup: Mapping[str, Any]) -> dict[str, Any]:
    """One backup of a chain, from what sql_backup returns (or wrote beside the files)."""
    [backup_set] = backup["sets"]
    values = {name: backup.get(name) for name in _LINK}
    values["kind"] = values["kind"] or backup.get("type")  # earlier versions called it so
    return {"set_guid": backup_set["guid"], **values, **{name: backup_set.get(name) for name in _OF_SET}}


def chain_of(own: Mapping[str, Any], known: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The backups that bring a database to the end of `own`, the full one first; empty when one of them is not among
    the `known`.
    """
    links = {link["set_guid"]: dict(link) for link in known}
    chain, current = [dict(own)], own
    while current["kind"] == BackupKind.LOG:
        before = _before(current, links.values())
        if before is None:
            return []
        chain.insert(0, before)
        current = before
    if current["kind"] == BackupKind.DIFFERENTIAL:
        base = links.get(current["differential_base_guid"])
        if base is None or not BackupKind(base["kind"]).begins_chain:
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
    bases = [link for link in fit if link["kind"] != BackupKind.LOG]
    if bases:
        return max(bases, key=lambda link: link["last_lsn"])
    logs = [
        link
        for link in fit
        if link["first_lsn"] < log["first_lsn"]
        or (link["last_lsn"] < log["last_lsn"] and link["first_lsn"] <= log["first_lsn"])
    ]
    return min(logs, key=lambda link: (link["first_lsn"], link["last_lsn"]), default=None)
