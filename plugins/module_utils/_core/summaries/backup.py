# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role backup says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..text import bytes_text

__all__ = ["media_problems", "no_set", "problems", "shortcomings", "summary"]

Facts = Mapping[str, Any]


# ---- both halves of a set
def problems(facts: Facts) -> list[str]:
    """Why no set can be written; empty when both halves are there.

    facts: failed: sentences of the hosts whose half failed; databases, archives: the halves that were made;
    needs_archive: false for a log backup.
    """
    if facts["failed"]:
        return list(facts["failed"])
    lacking = []
    if not facts["databases"]:
        lacking.append(
            "No database server took part, so the database was not backed up. Is it switched off, or left out by "
            "--limit?"
        )
    if facts["needs_archive"] and not facts["archives"]:
        lacking.append(
            "No web server took part, so the application's folder was not archived. Is it switched off, or left out by "
            "--limit?"
        )
    return lacking


def no_set(facts: Facts) -> list[str]:
    """The lines that say why there is no set, and what of it is there all the same. facts as for `problems`."""
    return [
        "NO SET WAS WRITTEN. A recovery set needs both halves, and there is a problem:",
        *(f"- {sentence}" for sentence in problems(facts)),
        *(
            f"The backup of the database in {', '.join(backup['files'])} is whole and stays; the next set continues it."
            for backup in facts["databases"]
        ),
        *(f"The archive {archive['path']} is whole and stays." for archive in facts["archives"]),
        "Correct what is said above and run backup_prs again. Until then the newest set is an older one.",
    ]


# ---- the other places
def shortcomings(facts: Facts) -> list[str]:
    """Why the run fails, though the set was written; empty where nothing is wrong with it.

    facts: set: the set's manifest; sets_path: the folder of the manifests; copied: the results of recovery_set_copy,
    one for each place; accept_unhealthy: whether a set may be unhealthy.
    """
    return [*_of_copies(facts), *_of_health(facts)]


def _of_copies(facts: Facts) -> Iterator[str]:
    lacking = [_why_not_copied(result) for result in facts["copied"] if not _is_copied(result)]
    if lacking:
        yield (
            f"The recovery set {facts['set']['label']} is complete in {facts['sets_path']}, but not everywhere else: "
            f"{' '.join(lacking)} The next run brings what is missing."
        )


def _of_health(facts: Facts) -> Iterator[str]:
    if not facts["set"]["healthy"] and not facts["accept_unhealthy"]:
        yield (
            f"The recovery set {facts['set']['label']} was written, and is not healthy: "
            f"{'; '.join(facts['set']['problems'])}. A restore prefers the newest healthy one, which is older. Mend "
            "what is said and run backup_prs again; with -e prs_backup_accept_unhealthy=true such a run goes well."
        )


def _is_copied(result: Facts) -> bool:
    return "copied" in result


def _why_not_copied(result: Facts) -> str:
    return str(result.get("msg") or "no answer")


def media_problems(facts: Facts) -> list[str]:
    """What the other sites could not be set up without, each once.

    facts: copies: the other places {path, site}; sites: for each of them {servers: names, missing_certificates:
    [[server, path]]}; media: for each of them {paths: [{path, error, message}]}, or {} where nobody
    could look; empty where nobody did.
    """
    sentences: list[str] = []
    for index, (copy, site) in enumerate(zip(facts["copies"], facts["sites"], strict=True)):
        name = copy.get("site") or copy["path"]
        media = facts["media"][index].get("paths", []) if index < len(facts["media"]) else []
        sentences += [
            f"the media of {name}, {path['path']}, cannot be read ({path['message']})"
            for path in media
            if path["error"]
        ]
        sentences += [
            f"the certificate of {server}, {path}, is not on the control node"
            for server, path in site["missing_certificates"]
        ]
        if not site["servers"]:
            sentences.append(f"the inventory has no servers in the group {name}, so nothing can be rebuilt there")
    return list(dict.fromkeys(sentences))


# ---- the summary
def summary(facts: Facts) -> list[str]:
    """What became of the backup.

    facts: set: the set's manifest; path: the folder that holds all of it; sets_path: the folder of the manifests;
    removed, removed_files: what the retention took away; copies, copied, sites, media: as above;
    encryption_certificate, has_encryption_password, share_user, database_user, keys_path, site_pfx: as the role's
    options, empty where there is none.
    """
    return [
        *made(facts),
        *substituted(facts),
        *copies(facts),
        *removed(facts),
        *health(facts),
        *(f"WARNING: {sentence}." for sentence in media_problems(facts)),
        *readers(facts),
        *encryption_key(facts),
        *site_certificate(facts),
    ]


def made(facts: Facts) -> Iterator[str]:
    recovery_set = facts["set"]
    database = recovery_set["database"]
    sizes = f"database {database['kind']} {bytes_text(int(database['size']))}"
    archive = bytes_text(int(recovery_set["application"]["bytes"]))
    yield f"Recovery set {recovery_set['label']}: {sizes}, archive {archive}, in {facts['sets_path']}"
    yield f"Recovery point {database['finished_at']}"


def substituted(facts: Facts) -> Iterator[str]:
    asked = facts["set"]["database"].get("substitute_for")
    if asked:
        yield f"A full backup was taken instead of a {asked} one, which had nothing to continue"


def copies(facts: Facts) -> Iterator[str]:
    for copy, result in zip(facts["copies"], facts["copied"], strict=True):
        if not _is_copied(result):
            yield f"WARNING: not copied to {copy['path']}: {_why_not_copied(result)}"
            continue
        brought = ", ".join(result["copied"])
        what = f"{brought} ({bytes_text(int(result['bytes']))})" if brought else "nothing was missing"
        gone = f"; removed there: {', '.join(result['removed'])}" if result["removed"] else ""
        yield f"Copied to {copy['path']} and compared there: {what}{gone}"
    if not facts["copies"]:
        yield "WARNING: the sets lie at one place only. Name another in prs_backup_copies."


def removed(facts: Facts) -> Iterator[str]:
    labels, files = facts["removed"], facts["removed_files"]
    if labels:
        yield f"Removed: {len(labels)} old sets with {len(files)} files ({', '.join(labels)})"
    else:
        yield "Nothing was removed"


def health(facts: Facts) -> Iterator[str]:
    if not facts["set"]["healthy"]:
        reasons = "; ".join(facts["set"]["problems"])
        yield f"WARNING: the set is not healthy: {reasons}. A restore prefers the newest healthy one."


def readers(facts: Facts) -> Iterator[str]:
    """Whoever reads keys and database together holds the account that resets passwords."""
    other_account = facts["database_user"] and facts["database_user"].lower() != facts["share_user"].lower()
    if not facts["encryption_certificate"] and not other_account:
        yield (
            f"WARNING: whoever may read {facts['path']} reads the keys and the database together, and with them the "
            "account that resets passwords. Encrypt the backups (prs_backup_encryption_certificate; Standard and "
            "Enterprise can), or put the database where other accounts may read (prs_backup_database_path, "
            "prs_backup_database_user)."
        )


def encryption_key(facts: Facts) -> Iterator[str]:
    certificate = facts["encryption_certificate"]
    if certificate and not (facts["keys_path"] and facts["has_encryption_password"]):
        yield (
            f"WARNING: the key of the certificate {certificate} is kept nowhere else: with this database server "
            "everything that it encrypted is lost. Name a place (prs_backup_keys_path) and a password "
            "(prs_backup_encryption_password)."
        )


def site_certificate(facts: Facts) -> Iterator[str]:
    if facts["site_pfx"] and not facts["keys_path"]:
        yield (
            f"The site's certificate is named, not copied: {facts['site_pfx']} on the control node. Keep it, the "
            "inventory and the vault at another place too (prs_backup_keys_path copies it)."
        )
