# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The other server of a mirroring session. The argument spec that belongs to it is in module_utils/_sql/partners.py."""

    DOCUMENTATION = r"""
options:
  partner:
    description:
      - The other server. M(prs.recovery.sql_mirror_failover) works when it is lost, too.
    type: dict
    required: true
    suboptions:
      login_host:
        description: Name or address of the other server, as the control node reaches it.
        type: str
        required: true
      login_port:
        description: TCP port of its instance.
        type: int
      login_instance:
        description: Name of a named instance.
        type: str
      login_user:
        description: SQL login there, by default O(login_user).
        type: str
      login_password:
        description: Its password, by default O(login_password).
        type: str
      certificate_name:
        description: Name that its certificate must be valid for, when it is not O(partner.login_host).
        type: str
      address:
        description:
          - Address of its mirroring endpoint for the other servers, C(TCP://sql-b.example.com:5022).
          - By default O(partner.login_host) and the port of its endpoint. M(prs.recovery.sql_mirror_failover) does not need it.
        type: str
"""
