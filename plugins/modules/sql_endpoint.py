#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_endpoint
short_description: Set up the mirroring endpoint of an instance
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - An instance has one endpoint for database mirroring, which availability groups share. Whatever it is called, it is
    reused, and what differs is altered property by property. Nothing is dropped that need not be.
  - Lets the accounts of the other servers, witness included, connect to it.
options:
  name:
    description:
      - Name of a new endpoint. An endpoint that is there keeps its own.
    type: str
    default: Mirroring
  state:
    description:
      - V(absent) removes the endpoint, and with it everybody's right to connect.
    type: str
    choices: [started, stopped, absent]
    default: started
  port:
    description:
      - TCP port, V(5022) for a new endpoint. Partners know each other by it. Open it in the firewall.
    type: int
  role:
    description:
      - What the instance may be, V(ALL) for a new endpoint. Express and Web can be V(WITNESS) only, and get that by
        default.
    type: str
    choices: [PARTNER, WITNESS, ALL]
  authentication:
    description:
      - How the other servers prove who they are, by the domain account of their service (V(windows)), or by a
        certificate, which works without a domain, too. A new endpoint takes V(certificate) where O(certificate) is
        given, else V(windows).
    type: str
    choices: [windows, certificate]
  certificate:
    description:
      - Name of this server's own certificate in C(master), see M(prs.recovery.sql_certificate).
    type: str
  encryption:
    description:
      - Whether what is sent is encrypted (AES). Both sides must agree.
    type: str
    choices: [required, supported, disabled]
    default: required
  connect:
    description:
      - Logins that must be allowed to connect. For a certificate that is the login that it stands for, for Windows
        authentication the account of the other server's service, C(DOMAIN\account), or C(DOMAIN\HOST$) where it runs as
        a virtual account. A missing login of Windows is made.
      - Others that may connect already stay.
    type: list
    elements: str
    default: []
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
  - Altering an endpoint breaks its connections, which come back by themselves. Where a witness is set, alter one server
    after the other.
seealso:
  - module: prs.recovery.sql_certificate
  - module: prs.recovery.sql_mirror
"""

EXAMPLES = r"""
- name: An endpoint with this server's certificate, for partner and witness
  prs.recovery.sql_endpoint:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    port: 5022
    certificate: "{{ prs_certificate.certificate.name }}"
    connect: [sql-b_mirroring, witness_mirroring]

- name: The same for servers of one domain
  prs.recovery.sql_endpoint:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    authentication: windows
    connect: ['EXAMPLE\svc-sql']
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
endpoint:
  description: The endpoint as it is now. Empty when there is none.
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    state:
      description: V(STARTED), V(STOPPED) or V(DISABLED).
      type: str
    port:
      description: Its TCP port.
      type: int
    role:
      description: V(PARTNER), V(WITNESS) or V(ALL).
      type: str
    authentication:
      description: As the catalog says it, V(CERTIFICATE), V(NEGOTIATE) and more.
      type: str
    encryption:
      description: Algorithms, V(NONE) for none.
      type: str
    certificate:
      description: Name of its certificate.
      type: str
    connect:
      description: Logins that were granted the right to connect.
      type: list
      elements: str
statements:
  description: The changes as T-SQL. In check mode those that would be made.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.endpoint import ENCRYPTION
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.endpoint_run import apply
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(),
            "name": {"type": "str", "default": "Mirroring"},
            "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
            "port": {"type": "int"},
            "role": {"type": "str", "choices": ["PARTNER", "WITNESS", "ALL"]},
            "authentication": {"type": "str", "choices": ["windows", "certificate"]},
            "certificate": {"type": "str"},
            "encryption": {"type": "str", "choices": list(ENCRYPTION), "default": "required"},
            "connect": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    run(module, apply)


if __name__ == "__main__":
    main()
