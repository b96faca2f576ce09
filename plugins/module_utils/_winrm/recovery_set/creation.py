# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates a recovery set of a backup and an archive, and removes what the retention lets go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.recovery_set.branches import Branch, Lineage
from ..._core.recovery_set.chain import chain_of, link_of
from ..._core.recovery_set.creation import compose
from ..._core.recovery_set.recovery_set import RecoverySet, files_of_link
from ..._core.recovery_set.retention import Surplus, surplus
from ..._core.retention_rules import Rules
from ..._core.times import parse_stored_time
from ..host.files import WindowsFiles
from .repository import RecoverySetRepository, links_beside

__all__ = ["make_set"]


def make_set(files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    """Look, write, prune.

    now: the control node's clock, aware. A set is as old as the database server says; where the two clocks differ, the
    one by which less goes counts.
    """
    rules = Rules.from_options(params["retention"])
    folders = RecoverySetRepository.from_params(files, params)
    backup = params["database"]
    refuse_no_backup(backup)
    branches = branches_elsewhere(files, params["other_places"])
    with folders.archive_access():
        labels = folders.labels()  # once: whoever runs this holds the place's lease
        refuse_taken_label(folders, params["label"], labels)
        lineage = lineage_with(folders, branches)
        unusable: list[dict[str, str]] = []
        source = folders.newest_first(unusable=unusable, labels=labels)
        earlier = earlier_sets(source, backup)
        archive = params["application"] or archive_of(earlier)
    archived = named_files(archive, [])
    refuse_elsewhere(folders, archived)
    refuse_missing(files, folders, database=backup["files"], application=archived)
    chain = chain_to(files, folders, backup, earlier)
    with folders.archive_access():
        taken_at = parse_stored_time(link_of(backup)["finished_at"])
        made = compose(
            label=params["label"],
            site=params["site"],
            now=taken_at,
            backup=backup,
            archive=archive,
            application_state=params["application_state"],
            chain=chain,
            facts=params["facts"] or facts_of(earlier),
            elsewhere=folders.elsewhere(named_files(archive, chain)),
        )
        branches = new_branches(lineage, made, end_others=params["end_other_branches"])
        manifest = folders.write(made)
        folders.branches.write(branches)
        sets = [made, *earlier, *source] if rules else []
        gone = surplus(sets, rules, now=min(now, taken_at)) if rules else Surplus()
    if rules and not unusable and not files.check_mode:  # a set that cannot be read may need what seems to be nobody's
        left = folders.strays(
            [recovery_set for recovery_set in sets if recovery_set.label not in gone.labels],
            database=backup["database"],
        )
        gone = replace(
            gone, database=(*gone.database, *left.database), application=(*gone.application, *left.application)
        )
    gone = folders.remove(gone)
    return {
        "changed": True,
        "set": dict(made.values),
        "manifest": manifest,
        "removed": list(gone.labels),
        "removed_files": [*gone.application, *gone.database],
    }


def refuse_no_backup(backup: dict[str, Any]) -> None:
    if not backup.get("sets"):
        raise RecoveryError(
            "'database' is no result of a backup that was taken",
            code="option_invalid",
            advice="Give what sql_backup returned as 'backup', not in check mode",
        )


def branches_elsewhere(files: WindowsFiles, places: Iterable[dict[str, Any]]) -> list[Branch]:
    """Restores that other places know of: this one may have been lost with its site, and be back. Nobody waits for a
    place that cannot be asked; who copies sets there says why.
    """
    branches: list[Branch] = []
    for params in places:
        other = RecoverySetRepository.from_params(files, params)
        try:
            with other.archive_access():
                branches += other.branches.lineage().branches
        except RecoveryError:
            continue
    return branches


def lineage_with(folders: RecoverySetRepository, branches: Iterable[Branch]) -> Lineage:
    """What is known here and elsewhere. It is written down before anything is refused because of it: the next run may
    not reach the other place.
    """
    own = folders.branches.lineage()
    unknown = [branch for branch in dict.fromkeys(branches) if branch not in own.branches]
    folders.branches.write(unknown)
    return Lineage([*own.branches, *unknown])


def new_branches(lineage: Lineage, made: RecoverySet, *, end_others: bool) -> list[Branch]:
    """What the new set tells that was not known. Raises RecoveryError when its database is one that was replaced."""
    after = lineage.after(made, just_taken=True, end_others=end_others)
    after.refuse_rivals()
    return [branch for branch in after.branches if branch not in lineage.branches]


def named_files(archive: dict[str, Any], chain: Iterable[dict[str, Any]]) -> list[str]:
    return [
        archive.get("archive") or archive["path"],
        archive["manifest"],
        *(path for link in chain for path in files_of_link(link)),
    ]


def refuse_elsewhere(folders: RecoverySetRepository, paths: list[str]) -> None:
    """Not asked there at all: an earlier manifest may name any server."""
    elsewhere = folders.elsewhere(paths)
    if elsewhere:
        raise RecoveryError(
            f"{elsewhere[0]}, the archive of the set before this one, lies on another server than the sets, from which "
            "no restore takes it",
            code="wrong_state",
            advice="Take a full backup (backup_prs)",
        )


def refuse_taken_label(folders: RecoverySetRepository, label: str, labels: Iterable[str]) -> None:
    if label.lower() in map(str.lower, labels):
        raise RecoveryError(
            f"There is a recovery set {label} already in {folders.place.sets}",
            code="already_exists",
            advice="Choose another label, or leave it out",
        )


def earlier_sets(newest_first: Iterable[RecoverySet], backup: dict[str, Any]) -> list[RecoverySet]:
    """As many as are needed to know the chain, mostly the newest alone; nothing from before the newest full one is part
    of it.
    """
    sets: list[RecoverySet] = []
    for recovery_set in newest_first:
        sets.append(recovery_set)
        if recovery_set.kind.begins_chain or chain_of(
            link_of(backup), [link for known in sets for link in known.chain]
        ):
            break
    return sets


def archive_of(earlier: Iterable[RecoverySet]) -> dict[str, Any]:
    for recovery_set in earlier:
        return dict(recovery_set.values["application"])
    raise RecoveryError(
        "There is no earlier set whose archive of the application this backup could belong to",
        code="not_found",
        advice="Take a full backup first",
    )


def facts_of(earlier: Iterable[RecoverySet]) -> dict[str, Any]:
    """What the newest set of which somebody looked tells: a log backup every quarter of an hour asks nobody again."""
    return next((recovery_set.facts for recovery_set in earlier if recovery_set.facts), {})


def chain_to(
    files: WindowsFiles, folders: RecoverySetRepository, backup: dict[str, Any], earlier: Iterable[RecoverySet]
) -> list[dict[str, Any]]:
    """From the sets; where these have a gap, also from what failed runs left beside their files."""
    own, known = link_of(backup), [link for recovery_set in earlier for link in recovery_set.chain]
    chain = chain_of(own, known)
    if not chain:
        in_sets = {path for link in known for path in (link.get("manifest_beside"), *link["files"]) if path}
        with folders.database_access():
            beside = [path for path in folders.database_listing() if path not in in_sets]
            chain = chain_of(own, [*known, *links_beside(files, beside, database=backup["database"])])
    return chain


def refuse_missing(
    files: WindowsFiles, folders: RecoverySetRepository, *, database: list[str], application: list[str]
) -> None:
    sizes = folders.sizes(database=database, application=application)
    gone = [path for path in (*database, *application) if sizes[path.lower()] is None]
    if gone and not files.check_mode:
        raise RecoveryError(
            f"{gone[0]} is not there, seen from {files.host}",
            code="not_found",
            advice="No set was written. Look who removed it, and run the backup again",
        )
