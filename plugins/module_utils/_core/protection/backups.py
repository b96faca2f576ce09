# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of an estate's backups: how old is what could be brought back, is it whole, do the keys fit, who may read
it, was it ever tried.
"""

from __future__ import annotations

import datetime as dt
import json
import ntpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..text import age, bytes_text, counted
from ..times import parse_stored_time
from .row import FAIL, OK, WARN, Objectives, Row, absent, row

__all__ = ["CHECKS", "KEY_FILE"]

KEY_FILE = "encryption.config"
DAY = 86400  # seconds

# Who reads everything anyway: SYSTEM, Administrators, Domain Admins, CREATOR OWNER and the owner's rights.
_TRUSTED = ("S-1-5-18", "S-1-5-32-544", "S-1-3-0", "S-1-3-4")
_TRUSTED_ENDING = ("-512", "-519", "-500")
# Everyone, Authenticated Users, Users, Guests, Domain Users, Domain Guests, anonymous.
_BROAD = ("S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546", "S-1-5-7", "S-1-5-2", "S-1-5-4")
_BROAD_ENDING = ("-513", "-514", "-515")


def recovery_sets(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """Per site: how old are the data of the set that a restore would take, is it whole, and what is wrong with a newer
    one.
    """
    limit = age(objectives.recovery_point_seconds)
    for place in facts["places"]:
        where, result = _where(place), place.get("sets") or {"problem": "they were not looked at"}
        chosen = result.get("chosen") or {}
        if not chosen:
            problem = result.get("problem") or "there is none"
            advice = result.get("advice") or "Run backup_prs now, and look why the nightly run does not come"
            yield row("recovery set", where, problem, limit=limit, next=advice)
            continue
        yield _chosen_row(place, chosen, objectives, now)
        yield from _newest_rows(where, result, chosen)


def _chosen_row(place: Mapping[str, Any], chosen: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Row:
    """The set that a restore would take."""
    label, seconds = chosen["label"], (now - parse_stored_time(chosen["recovery_point"])).total_seconds()
    damage = _damage(chosen, (place.get("saw") or {}).get("hashed", []))
    late = f"{label} is {age(seconds)} old" if seconds > objectives.recovery_point_seconds else ""
    look = "look into the disk that it lies on" if damage else "look why its schedule did not"
    return row(
        "recovery set",
        _where(place),
        f"{label}: {damage}" if damage else late,
        good=f"{label}, {age(seconds)} old",
        limit=age(objectives.recovery_point_seconds),
        next=f"Run backup_prs now, and {look}",
        metric="recovery_set_age_seconds",
        measure=seconds,
    )


def _newest_rows(where: str, result: Mapping[str, Any], chosen: Mapping[str, Any]) -> Iterator[Row]:
    """What is wrong with sets that are newer than the one that a restore would take, or with that one."""
    label, moment = chosen["label"], parse_stored_time(chosen["recovery_point"])
    newer = [
        entry
        for entry in result.get("sets", [])
        if entry["label"] != label and parse_stored_time(entry["recovery_point"]) > moment
    ]
    problem = ""
    if newer:
        reasons = "; ".join(newer[0]["problems"] or chosen["notes"]) or "files of it are missing"
        problem = f"{newer[0]['label']} cannot be used: {reasons}"
    elif not chosen["healthy"]:
        problem = f"{label} is not healthy: {'; '.join(chosen['notes'])}"
    if problem:
        advice = "Look what happened to it, and run backup_prs; until then an older one counts"
        yield row("newest set", where, problem, next=advice)
    strange = [f"{entry['label']}: {entry['problem']}" for entry in result.get("unusable", [])]
    if strange:
        advice = "Repair or remove it: nobody can restore from it"
        yield row("newest set", where, "; ".join(strange[:2]), state=WARN, next=advice)


def _damage(chosen: Mapping[str, Any], hashed: list[dict[str, Any]]) -> str:
    """What was found of a set's files by reading them; nothing when they were not read."""
    manifest = chosen.get("manifest") or {}
    sums = {
        path.lower(): sha256
        for link in manifest.get("database", {}).get("chain", [])
        for path, sha256 in (link.get("sha256") or {}).items()
    }
    application = manifest.get("application", {})
    sums[str(application.get("archive")).lower()] = application.get("sha256")
    for item in hashed:
        name, expected = ntpath.basename(item["path"]), sums.get(item["path"].lower())
        if item["error"] and expected:
            return f"{name} cannot be read: {item['message']}"
        if expected and item["sha256"] != expected.lower():
            return f"{name} is damaged: its SHA-256 is not the one that was written down"
    return ""


def chain(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """What SQL Server itself reads in the folder, or where it does not answer the files say: the recovery point, and
    what breaks the way to a newer one.
    """
    limit = age(objectives.recovery_point_seconds)
    for place in facts["places"]:
        backups = place.get("backups")
        if backups is None:
            continue
        by_files = bool(backups.get("problem")) and _sql_is_silent(facts) and backups["by_files"]
        # Encrypted backups say nothing of themselves: that none was read is no sign that there is none.
        by_files = by_files and bool(backups["databases"] or not backups["unreadable"])
        if backups.get("problem") and not by_files:
            yield _backups_not_read(place, backups, limit, silent=_sql_is_silent(facts))
            continue
        name = objectives.database.lower()
        databases = [database for database in backups["databases"] if database["database"].lower() == name]
        newest = max(databases, key=lambda entry: entry["recovery_point"] or "", default=None)
        if newest is None or not newest["recovery_point"]:
            why = f"there is no backup of {objectives.database}" if newest is None else "no chain of backups is whole"
            yield row(
                "recovery point",
                _where(place),
                why,
                limit=limit,
                next="Run backup_prs now; its schedule takes no backups, or elsewhere",
            )
            continue
        point = parse_stored_time(newest["recovery_point"])
        seconds = (now - point).total_seconds()
        old = f"{age(seconds)} old{', as the files say: SQL Server does not answer' if by_files else ''}"
        yield row(
            "recovery point",
            _where(place),
            old if seconds > objectives.recovery_point_seconds else "",
            good=old,
            limit=limit,
            metric="recovery_point_age_seconds",
            measure=seconds,
            next="Run backup_prs now, and look why its schedule did not",
        )
        yield _chain_health(place, newest, backups, point)


def _backups_not_read(place: Mapping[str, Any], backups: Mapping[str, Any], limit: str, *, silent: bool) -> Row:
    """Nobody read the backups. silent: since SQL Server does not answer at all."""
    if silent:
        return row(
            "recovery point",
            _where(place),
            "SQL Server does not answer, so it did not read the backups",
            limit=limit,
            next="See the row of the database; the rows of the recovery sets tell what there is",
        )
    return row(
        "recovery point",
        _where(place),
        f"SQL Server did not read the backups: {backups['problem']}",
        limit=limit,
        next=backups.get("advice")
        or "Give SQL Server's account (on a share: the server's computer account) rights there",
    )


def _sql_is_silent(facts: Mapping[str, Any]) -> bool:
    """Whether the instance that reads the backups cannot be asked anything, which has a row of its own."""
    return any(
        host["active"] and "sql" in host["roles"] and not (host.get("instance") or {"reached": True})["reached"]
        for host in facts["hosts"]
    )


def _chain_health(
    place: Mapping[str, Any], newest: Mapping[str, Any], backups: Mapping[str, Any], point: dt.datetime
) -> Row:
    """A fault that keeps the newest backups from being used fails; one that only history has is a warning."""
    finished = {backup_set["guid"]: backup_set["finished_at"] for backup_set in backups["sets"]}
    gaps = [gap for gap in newest["gaps"] if gap.get("until")]
    cutting = [gap for gap in gaps if parse_stored_time(gap["until"]) >= point]
    unusable = [(entry, finished.get(entry["guid"])) for entry in newest["unusable"]]
    recent = [entry for entry, when in unusable if when is None or parse_stored_time(when) >= point]
    faults = [f"{len(gaps)} gaps in the log" if len(gaps) > 1 else "a gap in the log"] if gaps else []
    faults += [
        f"{entry['kind']} backup: {entry['reason']} ({', '.join(map(ntpath.basename, entry['files'][:2]))})"
        for entry, _when in unusable[:2]
    ]
    faults += [
        f"{ntpath.basename(unreadable_file['path'])}: {unreadable_file['reason']}"
        for unreadable_file in backups["unreadable"][:2]
    ]
    state = FAIL if cutting or recent else WARN
    advice = "Take a full backup now" if state == FAIL else "Only older points in time are lost; remove what is damaged"
    number = len(backups["sets"])
    good = f"whole, {number} {'backup' if number == 1 else 'backups'}"
    return row("backup chain", _where(place), "; ".join(faults), good=good, state=state, next=advice)


def keys(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """The key in the newest archive is the one that the application uses now."""
    live = facts.get("key") or {}
    for place in facts["places"]:
        result = (place.get("saw") or {}).get("archived")
        if not result:
            continue
        inside = next((entry for entry in result["entries"] if entry["sha256"]), None)
        advice = "Run backup_prs now: with this archive the data cannot be decrypted"
        if result["error"] or not result["path"]:
            yield row(
                "keys",
                _where(place),
                f"no archive can be opened: {result['message'] or 'there is none'}",
                next="Run backup_prs now",
            )
        elif inside is None:
            yield row("keys", _where(place), f"{ntpath.basename(result['path'])} holds no {KEY_FILE}", next=advice)
        elif live.get("sha256") and inside["sha256"] != live["sha256"]:
            yield row(
                "keys",
                _where(place),
                f"{KEY_FILE} in {ntpath.basename(result['path'])} is another one than the application's",
                next=advice,
            )
        elif not live.get("sha256"):
            yield row(
                "keys",
                _where(place),
                f"the application's own {KEY_FILE} cannot be read: {live.get('message') or 'it was not looked at'}",
                next="Bring the application back with restore_prs",
            )
        else:
            yield row("keys", _where(place), "", good="those in use")


def offsite_keys(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """What the sets cannot be used without lies at the other place, and not everybody reads it. That an account may not
    read a key is no lack.
    """
    place = facts.get("kept")
    if not place:
        if any(manifest and _is_encrypted(manifest["database"]) for manifest in map(_manifest, facts["places"])):
            yield row(
                "kept keys",
                facts["site"],
                "the backups are encrypted, and the key is kept nowhere else: they are lost with the database server",
                next="Name a place in prs_backup_keys_path, and prs_backup_encryption_password, and run backup_prs",
            )
        return
    where, saw = f"{facts['site']} {place['path']}", place.get("saw")
    if not saw:
        yield row(
            "kept keys",
            where,
            f"the place was not looked at: {place.get('problem') or 'no answer'}",
            next="Correct prs_backup_keys_user",
        )
        return
    [folder] = saw["folders"]
    broad = _broad(folder["readers"])
    missing = [ntpath.basename(path["path"]) for path in absent(saw["paths"])]
    problem = (
        folder["message"]
        if folder["error"]
        else f"missing: {', '.join(missing)}"
        if missing
        else f"{broad} may read there"
        if broad
        else ""
    )
    advice = (
        "Take these rights away"
        if broad and not missing
        else "Run backup_prs, which puts there what is missing: a rebuild cannot do without it"
    )
    yield row("kept keys", where, problem, good=f"{len(saw['paths'])} present", next=advice)


def copies(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    sites = sorted({place["site"] for place in facts["places"]})
    alone = "" if len(sites) > 1 else "all backups lie in one place"
    yield row(
        "copies",
        facts["site"],
        alone,
        good=f"at {', '.join(sites)}",
        state=WARN,
        next="Name a place at the other site in prs_backup_copies",
    )


def free_space(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """On each share there must be room for what the last set took, twice."""
    for place in facts["places"]:
        known = [
            folder["free_bytes"] for folder in (place.get("saw") or {}).get("folders", []) if folder["free_bytes"] >= 0
        ]
        if not known:
            continue
        manifest = _manifest(place) or {"database": {"chain": []}, "application": {}}
        used = sum(link.get("size") or 0 for link in manifest["database"]["chain"]) + (
            manifest["application"].get("bytes") or 0
        )
        limit = max(objectives.free_bytes, 2 * used)
        problem = f"{bytes_text(min(known))} free" if min(known) < limit else ""
        yield row(
            "free space",
            _where(place),
            problem,
            good=f"{bytes_text(min(known))} free",
            limit=bytes_text(limit),
            next="Make room, or keep fewer backups (prs_backup_retention)",
            metric="free_bytes",
            measure=min(known),
        )


def permissions(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """Who reads the keys and an unencrypted database together holds what the application guards."""
    for place in facts["places"]:
        folders = {folder["path"].lower(): folder for folder in (place.get("saw") or {}).get("folders", [])}
        if place.get("look_problem"):
            advice = "Mend what the reason says on the active web server, which looks at this place"
            yield row("rights", _where(place), f"it was not looked at: {place['look_problem']}", next=advice)
        if not folders:
            continue  # nobody looked
        data, application = (
            folders.get(place["folders"].get(name, "").lower()) for name in ("database", "application")
        )
        unread = _unread(data) or _unread(application)
        if data is None or application is None or unread:
            yield row(
                "rights",
                _where(place),
                f"the folders' rights cannot be read: {unread or 'they were not looked at'}",
                state=WARN,
                next="Give the account that reads there the right to read permissions",
            )
            continue
        yield _separation(
            place,
            data["readers"],
            application["readers"],
            plain=_plain_files(place, objectives.database),
            accepted=objectives.shared_readers,
        )


def _unread(folder: Mapping[str, Any] | None) -> str:
    """Why nobody knows who may read in a folder; empty when that is known."""
    if folder is None or not (folder["error"] or folder["readers_error"]):
        return ""
    return (
        folder["message"] or folder["readers_message"] or f"Windows error {folder['error'] or folder['readers_error']}"
    )


def _plain_files(place: Mapping[str, Any], database: str) -> list[str]:
    """Files there that are not encrypted, whoever wrote them; empty where SQL Server did not read the folder, and where
    the files, which do not tell, were read without it.
    """
    databases = (place.get("backups") or {}).get("databases", [])
    return [
        path
        for report in databases
        if report["database"].lower() == database.lower()
        for path in report.get("unencrypted") or ()
    ]


def _separation(
    place: Mapping[str, Any],
    data: list[dict[str, str]],
    application: list[dict[str, str]],
    *,
    plain: list[str],
    accepted: bool,
) -> Row:
    of_keys = {reader["sid"] for reader in application}
    both = [reader for reader in data if reader["sid"] in of_keys and not _is(reader["sid"], _TRUSTED, _TRUSTED_ENDING)]
    broad = _broad(data + application)
    manifest = _manifest(place)
    in_sets = bool(manifest) and _is_encrypted(manifest["database"])
    encrypted = in_sets and not plain
    if broad:
        advice = "Take these rights away: the keys of all passwords lie there"
        return row("rights", _where(place), f"{broad} may read there", next=advice)
    if both and manifest and not encrypted:
        names = sorted(
            (reader["name"] for reader in both), key=lambda name: (name.endswith("$"), name)
        )  # people before computers
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if names[4:] else "")
        return row(
            "rights",
            _where(place),
            f"{shown} read keys and database, which is not encrypted"
            + (f" in {counted(len(plain), 'file')} beside the sets, the first is {plain[0]}" if in_sets else ""),
            state=WARN if accepted else FAIL,
            next="Encrypt the backups (prs_backup_encryption_certificate, with prs_backup_keys_path and "
            "prs_backup_encryption_password, which keep its "
            "key), put the database where others read (prs_backup_database_path, prs_backup_database_user), or "
            "accept it "
            "(prs_accept_shared_readers)",
        )
    good = (
        "backups are encrypted"
        if encrypted
        else "no set says whether the backups are encrypted"
        if both
        else "nobody else reads both"
    )
    return Row(what="rights", where=_where(place), state=OK, value=good)


def _manifest(place: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of the set that a restore from a place would take."""
    return ((place.get("sets") or {}).get("chosen") or {}).get("manifest")


def _is_encrypted(database: Mapping[str, Any]) -> bool:
    """Whether every backup of the set is: one that was taken before there was a certificate gives away what the others
    hide.
    """
    own = database.get("encryptor_thumbprint")
    return all(link.get("encryptor_thumbprint", own) for link in [*database["chain"], database])


def _broad(readers: list[dict[str, str]]) -> str:
    """The names of those among them that are everybody, or nearly."""
    return ", ".join(sorted({reader["name"] for reader in readers if _is(reader["sid"], _BROAD, _BROAD_ENDING)}))


def _is(sid: str, whole: tuple[str, ...], endings: tuple[str, ...]) -> bool:
    return sid in whole or (sid.startswith("S-1-5-21-") and sid.endswith(endings))


def drill(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """The newest record that a drill wrote. One that still says that it runs counts as failed a day later."""
    if facts.get("drills") is None:
        return  # nobody looked, which the rows of the servers say
    site, records = facts["site"], _drill_records(facts["drills"])
    damaged = len(facts["drills"]) - len(records)
    if damaged:
        yield row(
            "drill",
            site,
            f"{damaged} of {len(facts['drills'])} records of drills cannot be read",
            state=WARN,
            next="Look into prs_drills_path, and remove what is damaged there",
        )
    limit = "" if objectives.drill_days is None else f"{objectives.drill_days} d"
    failure = _drill_failure(records, now)
    passed = [(when, record) for when, record in records if record.get("state") == "passed"]
    if failure:
        yield row("drill", site, failure, limit=limit, next="Repair what it says and run drill_prs again")
    elif not passed:
        state = WARN if objectives.drill_days is None else FAIL
        problem = "there was none: nobody has ever restored these backups"
        yield row("drill", site, problem, limit=limit, state=state, next="Run drill_prs")
    else:
        yield _drill_passed(site, *passed[0], objectives, now, limit=limit)


def _drill_records(texts: Iterable[str]) -> list[tuple[dt.datetime, dict[str, Any]]]:
    """The records that can be read with the moment at which each drill began, newest first."""
    records = []
    for text in texts:
        try:
            record = json.loads(text)
            records.append((parse_stored_time(record["begun_at"]), record))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return sorted(records, key=lambda item: item[0], reverse=True)


def _drill_failure(records: Sequence[tuple[dt.datetime, dict[str, Any]]], now: dt.datetime) -> str:
    """What the newest drill came to where it did not pass; empty where it did, or runs."""
    if not records or records[0][1].get("state") == "passed":
        return ""
    when, record = records[0]
    running, seconds = record.get("state") == "running", (now - when).total_seconds()
    if running and seconds < DAY:
        return ""
    outcome = "did not end" if running else f"failed: {record.get('problem') or 'no reason was recorded'}"
    return f"the last one, {age(seconds)} ago, {outcome}"


def _drill_passed(
    site: str, when: dt.datetime, record: Mapping[str, Any], objectives: Objectives, now: dt.datetime, *, limit: str
) -> Row:
    seconds = (now - when).total_seconds()
    measured = {"limit": limit, "metric": "drill_age_seconds", "measure": seconds}
    late = objectives.drill_days is not None and seconds > objectives.drill_days * DAY
    if record.get("page", "ready") != "ready" and not late:
        return row(
            "drill",
            site,
            f"passed {age(seconds)} ago, but no page answered from the restored database",
            state=WARN,
            next="Name a database.config for it in prs_drill_database_config (README of the role drill)",
            **measured,
        )
    return row(
        "drill",
        site,
        f"{age(seconds)} ago" if late else "",
        good=f"passed {age(seconds)} ago",
        next="Run drill_prs, and schedule it",
        **measured,
    )


def _where(place: Mapping[str, Any]) -> str:
    return f"{place['site']} {place['path']}"


CHECKS = (chain, recovery_sets, keys, offsite_keys, copies, free_space, permissions, drill)
