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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.certificate_run import apply
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec


def main() -> None:
    key_backup = {
        "certificate_file": {"type": "str", "required": True},
        "key_file": {"type": "str", "required": True},
        "password": {"type": "str", "required": True, "no_log": True},
    }
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(),
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
    run(module, apply)


if __name__ == "__main__":
    main()
