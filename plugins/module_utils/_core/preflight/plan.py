# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be done on one host, as sentences. Only for a host of which everything is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from ntpath import basename

from ..sql_server_settings import start_settings
from . import backup_files
from .backups import only_the_computer_account_counts
from .data_files import surviving_files
from .facts import SKIPPED, Chosen, HostFacts
from .problems import problems_of_backups
from .versions import version_numbers

__all__ = ["plan"]

_REFUSES_FEATURES = frozenset({"component servicing", "Windows update"})
_CHANGES = {
    "LoginMode": "logins of SQL Server beside those of Windows",
    "Certificate": "its certificate",
    "Enabled": "TCP",
    "TcpPort": "TCP port {wanted} (now {found})",
    "TcpDynamicPorts": "no dynamic TCP port (now {found})",
}
"""What an administrator calls a setting that takes effect when the service starts."""


def plan(facts: HostFacts) -> list[str]:
    """Raises RecoveryError where a fact is missing that the plan depends on."""
    sentences = [sentence for part in (sql_server, database, web_server, application) for sentence in part(facts)]
    return [f"{facts.host}: {sentence}" for sentence in sentences]


def sql_server(facts: HostFacts) -> Iterator[str]:
    if not facts.sql:
        return
    instance = facts.settings.sql_instance
    if not facts.instance.value.installed:
        yield f"install SQL Server {facts.target_build} ({instance}){restarted_before(facts)}"
        return
    yield f"keep SQL Server {facts.instance.value.version} ({instance})"
    if changes := ", ".join(changed_settings(facts)):
        yield f"RESTART SQL Server ({instance}), and all databases with it, for {changes}"


def restarted_before(facts: HostFacts) -> str:
    """SQL Server's setup refuses to run where a restart is due."""
    reasons = facts.windows.value.pending_restart
    return f", after a RESTART of Windows, which waits for one ({', '.join(reasons)})" if reasons else ""


def changed_settings(facts: HostFacts) -> Iterator[str]:
    """What an instance that is there reads anew when it starts. Of a certificate that could not be read nothing is
    known.
    """
    if not facts.provision:
        return
    instance = facts.instance.value
    read = [entry.answer.value for entry in facts.certificates if entry.part == "sql" and entry.answer.ok]
    settings = start_settings(
        asdict(instance),
        mixed_mode=facts.settings.sql_mixed_mode,
        certificate=read[0].thumbprint if read else instance.certificate,
        port=facts.settings.sql_port,
        keeps_ports=True,
    )
    for setting in settings:
        if setting.differs:
            yield _CHANGES[setting.name].format(wanted=setting.wanted, found=setting.found or "none")


def database(facts: HostFacts) -> Iterator[str]:
    if not (facts.sql and facts.need_backup) or problems_of_backups(facts) or surviving_files(facts):
        return  # the roads tell what the database comes from
    yield restored_database(facts)
    if facts.restore.ok and facts.restore.value.ends_mirroring:
        yield "END the mirroring of the database before that, and mirror the restored one anew afterwards"
    yield from untried_account(facts)
    yield from newer_build(facts)
    yield from backup_files.notes(facts)
    yield from unseen_folders(facts)
    for note in facts.chosen.notes:
        yield f"NOTE: {note}"


def unseen_folders(facts: HostFacts) -> Iterator[str]:
    """Snapshots of a filer, for instance."""
    for pattern in facts.backups.value.newest if facts.backups.ok else ():
        for folder in pattern.unreadable:
            yield f"NOTE: {folder} cannot be looked into, so backups in it do not count"


def newer_build(facts: HostFacts) -> Iterator[str]:
    made_by, target = backup_files.backup_build(facts), facts.target_build
    if made_by and target and version_numbers(made_by) > version_numbers(target):
        yield (
            f"NOTE: the backup was made by SQL Server {made_by}, which has more updates than {target}; it restores "
            "there all the same"
        )


def restored_database(facts: HostFacts) -> str:
    done = (
        "OVERWRITE the database, also a healthy one (prs_allow_data_loss); what was written after the backup is lost"
        if facts.overwrite_database
        else "bring back the database unless a healthy one is there"
    )
    planned = facts.restore.value.recovery_point if facts.restore.ok else ""
    point = planned or backup_files.recovery_point(facts) or facts.chosen.recovery_point
    until = f"; recovery point {re.sub(r'([+]00:00|Z)$', '', point)} UTC" if point else ""
    return f"{done}; from {source_of(facts.chosen)}{until}"


def source_of(chosen: Chosen) -> str:
    """What the database is restored from, in words."""
    if chosen.label:
        site = f" of the site {chosen.site}" if chosen.site else ""
        server = f", taken on {chosen.server}" if chosen.server else ""
        return f"recovery set {chosen.label}{site}{server}{'' if chosen.healthy else ' (NOT HEALTHY)'}"
    return ", ".join(chosen.files) or f"the newest backup in {', '.join(chosen.folders)}"


def untried_account(facts: HostFacts) -> Iterator[str]:
    """The password of a domain account is not known here, and a gMSA has none."""
    if only_the_computer_account_counts(facts) or facts.backups.state == SKIPPED:
        return
    windows = facts.windows.value
    may = "may not" if any(path.error for path in facts.backups.value.paths) else "may"
    yield (
        f"whether {facts.sql_account}, the account of SQL Server, may read {facts.settings.database_path} could not be "
        f"tried; {windows.domain}\\{windows.name}$ was, and {may}"
    )


def web_server(facts: HostFacts) -> Iterator[str]:
    if not facts.web:
        return
    if not _application_present(facts):
        yield f"set up IIS and the application in {facts.settings.application_folder}"
        yield from waits_for_restart(facts)
    elif _overwrites(facts):
        yield ("keep IIS, OVERWRITE the application with the archive (prs_allow_data_loss), and correct what differs")
    else:
        yield f"keep IIS and the application{_repair(facts)}, and correct what differs"


def waits_for_restart(facts: HostFacts) -> Iterator[str]:
    """Windows refuses features while it waits for a restart; files that are to be renamed do not count."""
    reasons = sorted(_REFUSES_FEATURES.intersection(facts.windows.value.pending_restart))
    if facts.provision and reasons:
        yield f"RESTART Windows before IIS is installed, since it waits for one ({', '.join(reasons)})"


def application(facts: HostFacts) -> Iterator[str]:
    if not (facts.web and facts.need_backup and (_overwrites(facts) or not _application_present(facts))):
        return
    if facts.chosen.is_archive:
        source = facts.chosen.archive
    else:
        source = f"{facts.archive.path}, written {facts.archive.modified}"
    version = facts.chosen.web.get("version")
    yield f"bring back the application from {source}{f', version {version}' if version else ''}"


def _repair(facts: HostFacts) -> str:
    """What the archive is good for, where the application stays."""
    if not facts.need_backup:
        return ""
    archive = facts.chosen.archive if facts.chosen.is_archive else facts.archive.path
    return f" unless files of it are missing or damaged, which {basename(archive)} then brings back" if archive else ""


def _overwrites(facts: HostFacts) -> bool:
    return facts.need_backup and facts.overwrite_application


def _application_present(facts: HostFacts) -> bool:
    return facts.path(facts.settings.web_config).exists
