# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of what is restored from: the recovery set, the archive of the application, the backups of the database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..windows_files import NOTHING_THERE
from .backup_files import backup_build
from .facts import FAILED, HostFacts
from .share_error import advice_about
from .versions import major_version

__all__ = ["CHECKS", "no_recovery_set", "only_the_computer_account_counts"]

_NO_SET = "no_recovery_set"
"""Error code of recovery_set_info when no set fits what was asked for."""
_FIRST_DAY = " A new installation, which has no backup yet, is made by provision_prs."
_COMPUTER_ACCOUNTS = re.compile("NT (SERVICE|AUTHORITY)|LocalSystem", re.IGNORECASE)


def no_recovery_set(facts: HostFacts) -> Iterator[str]:
    """That there is none is no matter of one host."""
    if facts.need_backup and facts.choice.value.code == _NO_SET:
        yield facts.choice.value.problem


def nothing_chosen(facts: HostFacts) -> Iterator[str]:
    if facts.need_backup and facts.choice.value.problem and facts.choice.value.code != _NO_SET:
        yield facts.choice.value.problem


def archives_unreadable(facts: HostFacts) -> Iterator[str]:
    if _needs_archive_folder(facts) and facts.archive.error:
        reason = advice_about(facts.archive.error, facts) or facts.archive.message
        first_day = _FIRST_DAY if facts.archive.error in NOTHING_THERE else ""
        yield f"{facts.settings.application_path} cannot be read as {facts.settings.share_user}: {reason}{first_day}"


def no_archive(facts: HostFacts) -> Iterator[str]:
    if _needs_archive_folder(facts) and not facts.archive.error and not facts.archive.count:
        yield (
            f"no archive of the application in {facts.settings.application_path}. Without it the database is useless "
            f"(the keys lie in it). Name the folder of another copy in prs_backup_application_path.{_FIRST_DAY}"
        )


def restore_not_planned(facts: HostFacts) -> Iterator[str]:
    if _needs_database(facts) and facts.restore.state == FAILED:
        yield facts.restore.problem


def backups_not_inspected(facts: HostFacts) -> Iterator[str]:
    if _asks_windows(facts) and facts.backups.state == FAILED:
        yield f"the backups cannot be looked at: {facts.backups.problem}"


def backups_unreadable(facts: HostFacts) -> Iterator[str]:
    """Of the first path: the others are unreadable for the same reason."""
    if not _reader_was_tried(facts):
        return
    for path in [path for path in facts.backups.value.paths if path.error][:1]:
        reason = advice_about(path.error, facts) or path.message
        windows = facts.windows.value
        account = f"the account of SQL Server ({windows.domain}\\{windows.name}$ on the network)"
        if facts.settings.staged_by:
            account = f"{facts.settings.staged_by}, which brings the backups to SQL Server (prs_backup_stage_path)"
        yield f"{path.path} cannot be read by {account}: {reason}"


def no_backup(facts: HostFacts) -> Iterator[str]:
    if not _reader_was_tried(facts) or any(path.error for path in facts.backups.value.paths):
        return
    for pattern in facts.backups.value.newest[:1]:
        if not pattern.count:
            unseen = ", ".join(pattern.unreadable)
            yield (
                f"no backup of the database (*.bak) in {facts.settings.database_path}. "
                f"{f'Nobody could look into {unseen}. ' if unseen else ''}Name the folder of another copy in "
                "prs_backup_database_path."
            )


def backup_of_newer_server(facts: HostFacts) -> Iterator[str]:
    """Updates do not count: a backup restores on each build of its major version. An unknown build is no newer one."""
    if not facts.need_backup:
        return
    made_by, target = backup_build(facts), facts.target_build
    if target and major_version(made_by) > major_version(target):
        which = "chosen" if facts.choice.value.named else "newest"
        present = "the media install" if facts.install_sql else "the instance is"
        yield (
            f"the {which} backup was made by SQL Server {made_by}, and {present} {target}: a newer server's backup "
            "does not restore on an older one. Provide newer media or their update (prs_sql_updates, prs_sql_build)."
        )


def only_the_computer_account_counts(facts: HostFacts) -> bool:
    """SYSTEM, services and virtual accounts are the server's computer account on a share."""
    return not facts.sql_account or bool(_COMPUTER_ACCOUNTS.match(facts.sql_account))


def _needs_archive_folder(facts: HostFacts) -> bool:
    return _chosen(facts) and facts.web and facts.shares.ok and not facts.chosen.is_archive


def _needs_database(facts: HostFacts) -> bool:
    return _chosen(facts) and facts.sql


def _asks_windows(facts: HostFacts) -> bool:
    """Whether SQL Server could not be asked itself to plan the restore."""
    return _needs_database(facts) and not facts.restore.ok and facts.restore.state != FAILED


def _reader_was_tried(facts: HostFacts) -> bool:
    """Whether what was seen of the backups is what will be seen: by the account that stages them, or else by SYSTEM, if
    SQL Server is on the network who that is.
    """
    tried = _asks_windows(facts) and facts.backups.state != FAILED
    return tried and (bool(facts.settings.staged_by) or only_the_computer_account_counts(facts))


def _chosen(facts: HostFacts) -> bool:
    return facts.need_backup and not facts.choice.value.problem


CHECKS = (
    nothing_chosen,
    archives_unreadable,
    no_archive,
    restore_not_planned,
    backups_not_inspected,
    backups_unreadable,
    no_backup,
    backup_of_newer_server,
)
