# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How a module reaches a Windows host (DOCUMENTATION), and from there a share (SHARE). The argument specs are
    winrm_connection_argument_spec() and winrm_connection_share_argument_spec() of
    module_utils/_winrm/connection/options.py.
    """

    DOCUMENTATION = r"""
options:
  winrm_host:
    description:
      - Name or address of the Windows host.
      - By default the address of the task's own host. Then everything else about the connection is taken from that host
        as well, except what the task says itself.
      - A task that names another host here has to give O(winrm_user) and O(winrm_password), too.
    type: str
  winrm_port:
    description:
      - TCP port of the WinRM listener.
      - By default V(5985) when O(winrm_scheme=http), else V(5986).
    type: int
  winrm_scheme:
    description:
      - Whether the listener speaks HTTP or HTTPS.
      - By default V(http) when O(winrm_port) is V(5985), else V(https).
    type: str
    choices: [http, https]
  winrm_path:
    description:
      - Path of the listener.
    type: str
    default: /wsman
  winrm_user:
    description:
      - Account on the host, a member of its local administrators.
    type: str
  winrm_password:
    description:
      - Password of O(winrm_user).
    type: str
  winrm_transport:
    description:
      - How the account proves itself, in the words of pywinrm.
      - Over HTTP only V(ntlm), V(kerberos) and V(credssp) encrypt what is sent.
    type: str
    choices: [basic, certificate, credssp, kerberos, ntlm, plaintext, ssl]
    default: ntlm
  winrm_ca_file:
    description:
      - File on the control node with the certificates (PEM) of the authorities to trust for HTTPS.
      - By default the authorities that the Python package requests trusts.
    type: path
  winrm_server_cert_validation:
    description:
      - Whether the host's certificate is verified over HTTPS.
    type: str
    choices: [validate, ignore]
    default: validate
  winrm_timeout:
    description:
      - Seconds that one answer of the host may take. Work that takes longer is asked about again and again.
    type: int
    default: 30
requirements:
  - pywinrm (on the control node)
  - Windows PowerShell 5.1 in full language mode (on the Windows host)
notes:
  - One task opens one session with the host, however much it does there.
  - No application data travels over this session. It goes from the host's disk to where the archive lies and back.
"""

    SHARE = r"""
options:
  share_user:
    description:
      - Account for the share, where a path is one of a share. C(DOMAIN\user), or C(SERVER\user) for an account of the
        file server.
      - A session over WinRM cannot take its own identity on to another server, so a share without this option refuses
        most accounts.
      - The share is connected for this task alone and disconnected afterwards.
    type: str
  share_password:
    description:
      - Password of O(share_user).
    type: str
"""
