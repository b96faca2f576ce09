#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_certificate
short_description: Make, exchange, back up and replace certificates in master
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Makes a certificate in C(master), by which mirroring servers know each other, or backups are encrypted.
  - Returns its public part. Given to the same module on another server in O(public), that server knows the certificate.
    No file has to travel.
  - Brings a certificate with its private key back from the files that O(key_backup) names.
  - Replaces a certificate before it expires, by a successor that lives beside it until nobody needs the old one.
options:
  name:
    description:
      - Name of the certificate.
      - A successor is called like it, with the day on which it ends (C(NAME_20271231)), because SQL Server cannot
        rename certificates. An imported one, where an older one has the name, gets the first digits of its thumbprint.
        RV(certificate.name) says which one counts.
    type: str
    required: true
  state:
    description:
      - V(present) makes or imports the certificate. V(absent) removes exactly the one of this name.
    type: str
    choices: [present, absent]
    default: present
  subject:
    description:
      - Subject of a new certificate, by default its name.
    type: str
  expires:
    description:
      - Last day of a new certificate, V(2031-12-31). By default ten years from now. SQL Server's own default is one
        year.
    type: str
  renew_before:
    description:
      - Days before its end from which on a certificate with a private key gets a successor. V(0) never makes one.
    type: int
    default: 0
  master_key_password:
    description:
      - Password of the master key of C(master), which protects private keys. Needed only where there is no master key
        yet.
    type: str
  drop_master_key:
    description:
      - Whether O(state=absent) removes the master key of C(master) as well, where no certificate has a private key
        under it any more. Fits a master key that was made for this certificate alone.
    type: bool
    default: false
  public:
    description:
      - Public part of another server's certificate, as RV(certificate.public) has it there (base64), or PEM.
    type: str
  identity:
    description:
      - Login that the certificate in O(public) stands for. It is made with a password that nobody knows, with a user in
        C(master), who becomes the owner of the certificate. Let it connect with
        O(prs.recovery.sql_endpoint#module:connect).
    type: str
  create:
    description:
      - Whether a certificate that is neither there nor in O(key_backup) is made. V(false) fits a restore, which a new
        one would not help.
    type: bool
    default: true
  key_backup:
    description:
      - Where certificate and private key are backed up, as the SQL Server service account sees it. Without them nobody
        can restore what the certificate encrypted once the server is lost.
      - Files that are there already are left as they are, and the module fails where they hold another certificate than
        the server has under this name (with O(create=false) it only warns). A server that has none takes the one in
        them.
      - A successor gets files of its own, with its day in their names as well (C(NAME_20271231.cer)).
    type: dict
    suboptions:
      certificate_file:
        description: Path of the certificate.
        type: str
        required: true
      key_file:
        description: Path of the private key.
        type: str
        required: true
      password:
        description: Password that protects the private key. Keep it away from the files.
        type: str
        required: true
extends_documentation_fragment:
  - prs.recovery.sql_connection
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
notes:
  - Needs the server role C(sysadmin).
  - SQL Server looks at the dates of a certificate when servers connect, not while they are connected. One that has
    expired shows after the next restart or break of the network.
  - To replace a mirroring server's certificate without interruption, first make the successor there, then import it on
    partner and witness with the same O(identity), then give its name to M(prs.recovery.sql_endpoint) and remove
    RV(superseded).
seealso:
  - module: prs.recovery.sql_endpoint
  - module: prs.recovery.sql_mirror
  - module: prs.recovery.sql_backup
"""

EXAMPLES = r"""
- name: A certificate for mirroring on each server, replaced a month before it ends
  prs.recovery.sql_certificate:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    name: "{{ inventory_hostname }}_mirroring"
    master_key_password: "{{ prs_sql_master_key_password }}"
    renew_before: 30
  register: prs_certificate

- name: The partner knows it
  prs.recovery.sql_certificate:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    name: sql-a_mirroring
    public: "{{ hostvars['sql-a'].prs_certificate.certificate.public }}"
    identity: sql-a_mirroring
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
certificate:
  description: The certificate that counts. Empty when there is none. In check mode that of now.
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    subject:
      description: Its subject.
      type: str
    thumbprint:
      description: SHA-1, 40 hexadecimal digits.
      type: str
    starts:
      description: From when on it is valid, UTC.
      type: str
    expires:
      description: Until when it is valid, UTC.
      type: str
    days_left:
      description: Whole days until then; negative afterwards.
      type: int
    private_key:
      description: Whether its private key is there.
      type: bool
    key_backed_up_at:
      description: When the private key was last written to a file, in the server's local time.
      type: str
    user:
      description: User of master who owns it.
      type: str
    login:
      description: Login of that user.
      type: str
    public:
      description: Its public part, base64 of DER.
      type: str
superseded:
  description: Names of older certificates of the same purpose, which can go once nobody uses them.
  returned: always
  type: list
  elements: str
statements:
  description: The changes as T-SQL, without secrets. In check mode those that would be made.
  returned: always
  type: list
  elements: str
"""

from datetime import datetime, timedelta
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.certificates import (
    Known,
    current,
    decoded,
    imported_name,
    key_files,
    successor_name,
    thumbprint,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import certificates
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.folders import is_file
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.server import utc_now
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import connection_options, run

YEARS = 10
SOON = 30
"""Days before its end from which on every run warns."""


def settle(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    params, connection = session.params, session.connection
    now = datetime.fromisoformat(utc_now(connection))
    before = certificates.read_known(connection)
    if params["state"] == "absent":
        name = _remove(session, before)
    else:
        name = _import(session, before) if params["public"] else _provide(session, before, now)
        if params["key_backup"]:
            _back_up_key(session, name)
    after = certificates.read_certificate(connection, name)
    if after:
        after["days_left"] = (datetime.fromisoformat(after["expires"]) - now).days
        _warn_of_end(session, after)
    known = certificates.read_known(connection)
    superseded = (
        current(known, name=params["name"], own=not params["public"])[1] if params["state"] == "present" else []
    )
    return {
        "changed": session.changed,
        "certificate": after or {},
        "superseded": [one.name for one in superseded],
        "statements": session.statements,
        "diff": {
            "before": {"certificates": sorted(one.name for one in before)},
            "after": {"certificates": _expected(session, before, name)},
        },
    }


def _expected(session: Session, before: list[Known], name: str) -> list[str]:
    names = {one.name for one in before}
    return sorted(names - {name} if session.params["state"] == "absent" else names | {name})


def _remove(session: Session, before: list[Known]) -> str:
    name = session.params["name"]
    if any(one.name.lower() == name.lower() for one in before):
        certificates.drop_certificate(session, name)
    kept = [one.name for one in before if one.private_key and one.name.lower() != name.lower()]
    if session.params["drop_master_key"] and not kept and certificates.has_master_key(session.connection):
        certificates.drop_master_key(session)
    return name


def _provide(session: Session, before: list[Known], now: datetime) -> str:
    """A certificate of this server's own; returns the name of the one that counts."""
    params = session.params
    found, _superseded = current(before, name=params["name"], own=True)
    if found and found.days_left(now) >= params["renew_before"]:
        return found.name
    if found and not params["renew_before"]:
        return found.name
    if not found and _restored(session):
        return params["name"]
    if not params["create"]:
        raise RecoveryError(
            f"There is no certificate {params['name']} in master of {session.connection.target.server}, and none to "
            "take it from",
            advice="Name its files and their password in 'key_backup', where the SQL Server service account can "
            "read them",
        )
    expires = _last_day(params["expires"], now)
    if not found and any(one.name.lower() == params["name"].lower() for one in before):
        raise RecoveryError(
            f"There is a certificate {params['name']} without a private key on {session.connection.target.server}",
            advice="It is another server's: choose another name, or give 'public' where that one is meant",
        )
    name = (
        successor_name(params["name"], expires=expires, taken=[one.name for one in before]) if found else params["name"]
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


def _provide_master_key(session: Session) -> None:
    if certificates.has_master_key(session.connection):
        return
    if not session.params["master_key_password"]:
        raise RecoveryError(
            f"master on {session.connection.target.server} has no master key, which protects private keys",
            advice="Give a password for it in 'master_key_password', and keep it in the vault",
        )
    certificates.create_master_key(session, session.params["master_key_password"])


def _last_day(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now.replace(year=now.year + YEARS, day=min(now.day, 28))
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise RecoveryError(f"'{text}' in 'expires' is no day", advice="Write it as 2031-12-31") from None
    if day <= now:
        raise RecoveryError(f"'{text}' in 'expires' is over already")
    return day


def _import(session: Session, before: list[Known]) -> str:
    """Another server's certificate, known by its thumbprint."""
    params, der = session.params, decoded(session.params["public"])
    mark = thumbprint(der)
    user = certificates.provide_identity(session, params["identity"]) if params["identity"] else None
    known = next((one for one in before if one.thumbprint == mark), None)
    if known is None:
        name = imported_name(params["name"], mark=mark, taken=[one.name for one in before])
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
            advice="Both belong together: remove the one that is left, or give other paths in 'key_backup'",
        )
    certificates.back_up_key(session, name, **wanted)


def _require_own_file(session: Session, name: str, path: str) -> None:
    """Raises RecoveryError when another certificate is saved there, for then this one is saved nowhere.

    What makes none is a restore, which may need either: there it is a warning.
    """
    own = next((one for one in certificates.read_known(session.connection) if one.name.lower() == name.lower()), None)
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


def main() -> None:
    key_backup = {
        "certificate_file": {"type": "str", "required": True},
        "key_file": {"type": "str", "required": True},
        "password": {"type": "str", "required": True, "no_log": True},
    }
    module = AnsibleModule(
        argument_spec={
            **connection_options(),
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "subject": {"type": "str"},
            "expires": {"type": "str"},
            "renew_before": {"type": "int", "default": 0},
            "master_key_password": {"type": "str", "no_log": True},
            "drop_master_key": {"type": "bool", "default": False},
            "create": {"type": "bool", "default": True},
            "public": {"type": "str"},
            "identity": {"type": "str"},
            "key_backup": {"type": "dict", "options": key_backup, "no_log": False},
        },
        required_by={"identity": "public"},
        mutually_exclusive=[("public", "key_backup"), ("public", "master_key_password"), ("public", "expires")],
        supports_check_mode=True,
    )
    run(module, settle)


if __name__ == "__main__":
    main()
