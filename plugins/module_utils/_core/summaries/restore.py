# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role restore says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..text import counted

__all__ = ["choice_notes", "left_to_do", "other_set", "planned", "summary", "utc_text"]

Facts = Mapping[str, Any]

_HTTPS_NOT_FORCED = "UPDATE dbo.tbConfiguration SET ForceHttps = 0"


def utc_text(point: str) -> str:
    """A moment in ISO 8601 and UTC, as a person reads it."""
    return point.removesuffix("Z").removesuffix("+00:00") + " UTC"


# ---- before the restore
def choice_notes(facts: Facts) -> list[str]:
    """What has to be known of the choice: the notes of recovery_set_info, and backups that belong to no set.

    facts: notes; newer_files: of the database, oldest first; until: the moment that was asked for, or empty.
    """
    newer = facts["newer_files"]
    if not newer or facts["until"]:
        return list(facts["notes"])
    return [
        *facts["notes"],
        f"{len(newer)} newer backup files of the database belong to no set, such as {newer[-1]}; "
        "-e prs_restore_set=none takes the newest files instead of a set",
    ]


def other_set(facts: Facts) -> list[str]:
    """What to run where the backups of the chosen set turn out to be of no use.

    facts: label: of the chosen set, empty where none was chosen; labels: of all sets there, newest first.
    """
    older = [label for label in facts["labels"] if label < facts["label"]]
    if not older:
        return []
    return [
        f"The recovery set before {facts['label']} is {older[0]}: run again with -e prs_restore_set={older[0]} "
        "(sets_prs says what each one holds)."
    ]


def planned(facts: Facts) -> list[str]:
    """What a check run cannot try, because the instance is not there yet.

    facts: host, database, login; chosen: {label, files, folders}; attach: {data_files, log_files}, or empty.
    """
    chosen, attach = facts["chosen"], facts["attach"]
    if attach:
        source = f"copies of its data files ({', '.join([*attach['data_files'], *attach['log_files']])})"
    elif chosen["label"]:
        source = f"recovery set {chosen['label']}"
    else:
        source = f"the newest backup in {', '.join(chosen['files'] or chosen['folders'])}"
    return [
        f"{facts['host']}: would restore the database {facts['database']} from {source} and join the login "
        f"{facts['login']} to its user."
    ]


# ---- what is a person's afterwards
def left_to_do(facts: Facts) -> list[str]:
    """What a person has to look at after the restore.

    facts: host; fips: the value of FipsAlgorithmPolicy; site: its name; bindings: of the site, each with
    certificate_hash where it has one; database; archived_on: the host that the archive comes from, or empty.
    """
    return [*fips_mode(facts), *unbound_certificate(facts), *moved_licences(facts)]


def fips_mode(facts: Facts) -> Iterator[str]:
    if int(facts["fips"] or 0) == 1:
        yield (
            f"Windows on {facts['host']} is in FIPS mode, which Password Reset Server does not work with: switch it "
            "off (FipsAlgorithmPolicy), then iisreset."
        )


def unbound_certificate(facts: Facts) -> Iterator[str]:
    if not any(binding.get("certificate_hash") for binding in facts["bindings"]):
        yield (
            f"The site {facts['site']} has no certificate. If the application was set to force HTTPS, nobody gets in: "
            f"bind one, or let it go for now: {_HTTPS_NOT_FORCED} in {facts['database']}, then iisreset."
        )


def moved_licences(facts: Facts) -> Iterator[str]:
    before = facts["archived_on"]
    if before and _first_label(before) != _first_label(facts["host"]):
        yield (
            f"The application comes from {before}: its licences may need to be activated again "
            "(Administration > Licenses)."
        )


def _first_label(host: str) -> str:
    """By which Windows knows a host, however long its name in the inventory is: 15 letters without regard to case."""
    return host.partition(".")[0][:15].lower()


# ---- the summary
def summary(facts: Facts) -> list[str]:
    """What was brought back, or in check mode would be.

    facts: check_mode; database: its name; chosen: {label, site, version of the application, notes}; databases: for
    each host {host, restored, plan: of sql_restore, tail_log, branch_problem}; applications: for each host {host,
    restored, archive: {path, created}, reason, kept_old}; left_to_do: sentences; site: that it is restored at;
    public_name: of the application.
    """
    return [*databases(facts), *applications(facts), *afterwards(facts), *moved_service(facts)]


def databases(facts: Facts) -> Iterator[str]:
    check_mode = facts["check_mode"]
    for database in facts["databases"]:
        name = f"Database {facts['database']} on {database['host']}"
        if not database["restored"]:
            left = (
                "would be left as it is (prs_allow_data_loss=true replaces it)" if check_mode else "was left as it is"
            )
            yield f"{name}: it is healthy and {left}"
            continue
        would = "would be " if check_mode else ""
        if files := attached_files(database["plan"]):
            yield f"{name}: {would}brought back by attaching copies of its data files: {', '.join(files)}"
            yield "TO DO: Take a full backup now (backup_prs). The files that were found are as they were"
            yield from (f"NOTE: {sentence}" for sentence in database["plan"].get("notes", ()))
            continue
        source = f" from recovery set {facts['chosen']['label']}" if facts["chosen"]["label"] else ""
        yield f"{name}: {would}brought back{source}"
        yield recovery_point(database["plan"])
        yield from (f"NOTE: {sentence}" for sentence in database["plan"].get("notes", ()))
        if (database["tail_log"] or {}).get("file"):
            yield f"What was left of the old database's log: {database['tail_log']['file']}"


def attached_files(plan: Facts) -> list[str]:
    """The files that a plan attaches, none where it restores backups."""
    steps = plan.get("steps") or ()
    return [path for step in steps if step["action"] == "attach" for path in step["devices"]]


def recovery_point(plan: Facts) -> str:
    """The moment that the database is brought back to, and how much is lost with it."""
    point = plan.get("recovery_point") or {}
    time = utc_text(point["time"]) if point.get("time") else "not known"
    later = "" if point.get("certain", True) else " or somewhat later"
    seconds = plan.get("loss_seconds")
    minutes = "" if seconds is None else f" ({counted(int(seconds) // 60, 'minute')})"
    return f"RECOVERY POINT: {time}{later}; what was written after it is lost{minutes}"


def applications(facts: Facts) -> Iterator[str]:
    check_mode = facts["check_mode"]
    would = "would be " if check_mode else ""
    for application in facts["applications"]:
        name = f"Application on {application['host']}"
        if application["restored"]:
            archive = application["archive"]
            version = f", version {facts['chosen']['version']}" if facts["chosen"]["version"] else ""
            yield f"{name}: {would}brought back from {archive['path']}, archived {archive['created']}{version}"
        else:
            yield f"{name}: {would}left as it is, since it {application['reason']}"
        if application["kept_old"]:
            kept = "What is there now would be kept in" if check_mode else "What was there before is kept in"
            yield f"{kept} {application['kept_old']}: remove it when nobody needs it"


def afterwards(facts: Facts) -> Iterator[str]:
    """Notes on what was chosen, and what is left to a person; only where something was brought back."""
    if any(part["restored"] for part in (*facts["databases"], *facts["applications"])):
        yield from (f"NOTE: {sentence}" for sentence in facts["chosen"]["notes"])
        yield from (f"TO DO: {sentence}" for sentence in facts["left_to_do"])


def moved_service(facts: Facts) -> Iterator[str]:
    """What makes the other site the one that serves, where the database was brought back there. As long as something
    takes the old site for it, the old database may be backed up when it comes back.
    """
    restored = [database for database in facts["databases"] if database["restored"]]
    for database in restored:
        if database["branch_problem"]:
            yield (
                f"TO DO: Run backup_prs now. It could not be written down beside the recovery sets that the database "
                f"was restored ({database['branch_problem']}), so that sets of the old one could pass for newer ones."
            )
    site, old = facts["site"], facts["chosen"]["site"]
    if not restored or not site or not old or site == old:
        return
    would = "would be" if facts["check_mode"] else "is"
    yield (
        f"TO DO: The service {would} at {site} now, not at {old}. Set prs_active_site: {site} in the inventory (in "
        f"AWX, too): until then every backup, verification and rebuild without -e prs_active_site={site} works at "
        f"{old}."
    )
    yield (
        f"TO DO: Lead {facts['public_name'] or 'the public name'} to the web server of {site} (DNS, load balancer), "
        f"and keep the site and application pool at {old} stopped when its servers come back: their database was "
        "replaced."
    )
    yield "TO DO: Then run backup_prs, which makes the first set of the restored database, and verify_prs."
