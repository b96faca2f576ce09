# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The other server of a database that is mirrored, or that a standby follows. The argument specs are
    sql_partner_argument_spec() and sql_partner_failover_argument_spec() of module_utils/_sql/connection/partner.py.

    DOCUMENTATION: O(partner) of a mirroring session. STANDBY: O(partner) of a warm standby. FAILOVER:
    O(failover_partner), for modules that work on whichever is the principal.
    """

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
        description: Name that its certificate must be valid for, when it is not that of C(login_host).
        type: str
      address:
        description:
          - Address of its mirroring endpoint for the other servers, C(TCP://sql-b.example.com:5022).
          - By default O(partner.login_host) and the port of its endpoint. M(prs.recovery.sql_mirror_failover) does not
            need it.
        type: str
"""

    STANDBY = r"""
options:
  partner:
    description:
      - The old principal. It may be lost.
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
        description: Name that its certificate must be valid for, when it is not that of C(login_host).
        type: str
"""

    FAILOVER = r"""
options:
  failover_partner:
    description:
      - The other server of a mirrored database. The task then works on whichever of the two is the principal, and
        RV(answered_by) says which.
      - O(login_host) is asked first, by one query. The partner is asked only when that one cannot be reached, does not
        serve the database, or is a principal that does not reach its mirror.
      - When neither is the principal, or both are, the task fails and changes nothing. When the database is on neither,
        O(login_host) is taken.
      - An account that O(login_host) refuses is not tried on the partner.
      - Options that reach the Windows of the server (C(winrm_*)) belong to the task's own host, and are not used on the
        partner.
    type: dict
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
        description: Name that its certificate must be valid for, when it is not that of C(login_host).
        type: str
      database:
        description:
          - The mirrored database that decides, by default the one that the task is about. A task that is about none has
            to give it.
        type: str
"""
