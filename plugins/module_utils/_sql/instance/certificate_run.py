# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_certificate: compares a certificate of master with what is wanted, and changes what differs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.mirroring.certificates import (
    Known,
    current,
    decoded,
    imported_name,
    key_files,
    missing_successors,
    successor_name,
    thumbprint,
)
from ..._core.times import parse_stored_time
from ..._core.windows_paths import parent
from ..connection.errors import SqlError
from ..connection.session import Session
from . import certificates
from .folders import is_file, list_files
from .server import utc_now

__all__ = ["apply"]


YEARS = 10
SOON = 30
"""Days before its end from which on every run warns."""


def apply(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    params, connection = session.params, session.connection
    now = utc_now(connection)
    before = certificates.read_known(connection)
    if params["state"] == "absent":
        name = _remove(session, before)
    else:
        name = _import(session, before) if params["public"] else _provide(session, before, now)
        if params["key_backup"]:
            _back_up_key(session, name)
    after = certificates.read_certificate(connection, name)
    if after:
        after["days_left"] = (parse_stored_time(after["expires"]) - now).days
        _warn_of_end(session, after)
    known = certificates.read_known(connection)
    superseded = (
        current(known, name=params["name"], own=not params["public"])[1] if params["state"] == "present" else []
    )
    return {
        "changed": session.changed,
        "certificate": after or {},
        "superseded": [entry.name for entry in superseded],
        "statements": session.statements,
        "diff": {
            "before": {"certificates": sorted(entry.name for entry in before)},
            "after": {"certificates": _expected(session, before, name)},
        },
    }


def _expected(session: Session, before: list[Known], name: str) -> list[str]:
    names = {known.name for known in before}
    return sorted(names - {name} if session.params["state"] == "absent" else names | {name})


def _remove(session: Session, before: list[Known]) -> str:
    name = session.params["name"]
    if any(known.name.lower() == name.lower() for known in before):
        certificates.drop_certificate(session, name)
    kept = [known.name for known in before if known.private_key and known.name.lower() != name.lower()]
    if session.params["drop_master_key"] and not kept and certificates.has_master_key(session.connection):
        certificates.drop_master_key(session)
    return name


def _provide(session: Session, before: list[Known], now: datetime) -> str:
    """A certificate of this server's own; returns the name of the one that counts."""
    params = session.params
    result, _superseded = current(before, name=params["name"], own=True)
    if result and not params["create"]:  # a restore: it may need what this server never had
        return _restored_successor(session, before) or result.name
    if result and result.days_left(now) >= params["renew_before"]:
        return result.name
    if result and not params["renew_before"]:
        return result.name
    if not result and _restored(session):
        return _restored_successor(session, before) or params["name"]
    if not params["create"]:
        raise RecoveryError(
            f"There is no certificate {params['name']} in master of {session.connection.target.server}, and none to "
            "take it from",
            code="not_found",
            advice="Name its files and their password in 'key_backup', where the SQL Server service account can "
            "read them",
        )
    expires = _last_day(params["expires"], now)
    if not result and any(known.name.lower() == params["name"].lower() for known in before):
        raise RecoveryError(
            f"There is a certificate {params['name']} without a private key on {session.connection.target.server}",
            code="already_exists",
            advice="It is another server's: choose another name, or give 'public' where that one is meant",
        )
    name = (
        successor_name(params["name"], expires=expires, taken=[known.name for known in before])
        if result
        else params["name"]
    )
    _provide_master_key(session)
    # From yesterday on: the clocks of servers differ, and one who is behind would refuse it.
    certificates.create_certificate(
        session, name, subject=params["subject"] or params["name"], starts=now - timedelta(days=1), expires=expires
    )
    return name


def _restored(session: Session) -> bool:
    """Whether the certificate was brought back from the files of its backup."""
    wanted, name = session.params["key_backup"], session.params["name"]
    if not wanted or not all(is_file(session.connection, wanted[file]) for file in ("certificate_file", "key_file")):
        return False
    _provide_master_key(session)
    certificates.restore_key(session, name, **wanted)
    return True


def _restored_successor(session: Session, before: list[Known]) -> str:
    """Bring back the successors whose keys lie beside that of the certificate; the name of the newest, or nothing."""
    wanted, name = session.params["key_backup"], session.params["name"]
    if not wanted:
        return ""
    try:
        files = list_files(session.connection, parent(wanted["certificate_file"]))
    except RecoveryError:  # the folder cannot be listed: what can be had is the certificate that the files name
        return ""
    missing = missing_successors(name, files, wanted=wanted, taken=[known.name for known in before])
    for successor in missing:
        restore_files = key_files(wanted, added=successor[len(name) :])
        certificates.restore_key(session, successor, **restore_files)
    return missing[-1] if missing else ""


def _provide_master_key(session: Session) -> None:
    if certificates.has_master_key(session.connection):
        return
    if not session.params["master_key_password"]:
        raise RecoveryError(
            f"master on {session.connection.target.server} has no master key, which protects private keys",
            code="option_invalid",
            advice="Give a password for it in 'master_key_password', and keep it in the vault",
        )
    certificates.create_master_key(session, session.params["master_key_password"])


def _last_day(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now.replace(year=now.year + YEARS, day=min(now.day, 28))
    try:
        day = parse_stored_time(text)
    except ValueError:
        raise RecoveryError(
            f"'{text}' in 'expires' is no day", code="option_invalid", advice="Write it as 2031-12-31"
        ) from None
    if day <= now:
        raise RecoveryError(f"'{text}' in 'expires' is over already", code="option_invalid")
    return day


def _import(session: Session, before: list[Known]) -> str:
    """Another server's certificate, known by its thumbprint."""
    params, der = session.params, decoded(session.params["public"])
    mark = thumbprint(der)
    user = certificates.provide_identity(session, params["identity"]) if params["identity"] else None
    known = next((entry for entry in before if entry.thumbprint == mark), None)
    if known is None:
        name = imported_name(params["name"], mark=mark, taken=[entry.name for entry in before])
        certificates.import_certificate(session, name, der, user=user)
        return name
    owner = (certificates.read_certificate(session.connection, known.name) or {}).get("user")
    if user and (owner or "").lower() != user.lower():
        certificates.give_certificate(session, known.name, user)
    return known.name


def _back_up_key(session: Session, name: str) -> None:
    wanted = key_files(session.params["key_backup"], added=name[len(session.params["name"]) :])
    there = [is_file(session.connection, wanted[file]) for file in ("certificate_file", "key_file")]
    if all(there):
        _require_own_file(session, name, wanted["certificate_file"])
        return
    if any(there):
        raise RecoveryError(
            f"Of {wanted['certificate_file']} and {wanted['key_file']} one is there and the other is not",
            code="wrong_state",
            advice="Both belong together: remove the one that is left, or give other paths in 'key_backup'",
        )
    certificates.back_up_key(session, name, **wanted)


def _require_own_file(session: Session, name: str, path: str) -> None:
    """Raises RecoveryError when another certificate is saved there, for then this one is saved nowhere.

    What makes none is a restore, which may need either: there it is a warning.
    """
    own = next(
        (known for known in certificates.read_known(session.connection) if known.name.lower() == name.lower()), None
    )
    if own is None:  # check mode
        return
    try:
        saved = certificates.file_thumbprint(session.connection, path)
    except SqlError as problem:
        if problem.lost:
            raise
        session.warnings.append(f"Whether {path} holds the certificate {name} could not be seen: {problem.message}")
        return
    if saved == own.thumbprint:
        return
    problem = RecoveryError(
        f"{path} does not hold the certificate {name} of {session.connection.target.server} but another one, so "
        "that its key is saved nowhere",
        code="already_exists",
        advice="Name other files in 'key_backup', and keep those that are there: backups may be encrypted with what "
        "they hold",
        thumbprint=own.thumbprint,
        saved_thumbprint=saved,
    )
    if session.params["create"]:
        raise problem
    session.warnings.append(str(problem))


def _warn_of_end(session: Session, certificate: dict[str, Any]) -> None:
    days, host = certificate["days_left"], session.connection.target.server
    if days < 0:
        session.warnings.append(
            f"The certificate {certificate['name']} on {host} expired on {certificate['expires']}: new connections "
            "by it fail"
        )
    elif days < SOON:
        session.warnings.append(
            f"The certificate {certificate['name']} on {host} expires in {days} days: replace it, 'renew_before' "
            "does it in time"
        )
