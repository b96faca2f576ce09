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
      - Everything that Ansible's connections P(ansible.builtin.winrm#connection) and P(ansible.builtin.psrp#connection)
        honour is honoured for these modules as well, or refused with a sentence.
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
      - May be left out with a client certificate, and with a Kerberos ticket that is there already, be it as one of
        several transports.
    type: str
  winrm_password:
    description:
      - Password of O(winrm_user).
    type: str
  winrm_transport:
    description:
      - How the account proves itself, in the words of pywinrm. Several are tried in their order, until the host takes
        one.
      - Over HTTP only V(ntlm), V(kerberos) and V(credssp) encrypt what is sent.
      - V(kerberos) needs C(pywinrm[kerberos]) on the control node, V(credssp) needs C(pywinrm[credssp]).
      - A host of connection psrp with V(negotiate) is asked by Kerberos first where its user is of the form
        C(user@REALM), and by NTLM.
    type: list
    elements: str
    choices: [basic, certificate, credssp, kerberos, ntlm, plaintext, ssl]
    default: [ntlm]
  winrm_cert_pem:
    description:
      - File on the control node with the client certificate (PEM), for O(winrm_transport=certificate) and
        O(winrm_transport=ssl).
    type: path
  winrm_cert_key_pem:
    description:
      - File on the control node with the certificate's key (PEM), without a password.
    type: path
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
  winrm_message_encryption:
    description:
      - Whether messages are encrypted beside TLS. V(auto) does so over HTTP.
    type: str
    choices: [auto, always, never]
    default: auto
  winrm_send_cbt:
    description:
      - Whether the login is bound to the TLS channel (Channel Binding Token), over HTTPS.
    type: bool
    default: true
  winrm_proxy:
    description:
      - Address of a proxy that leads to the host.
      - By default what the environment says (C(HTTP_PROXY), C(HTTPS_PROXY), C(NO_PROXY)).
    type: str
  winrm_ignore_proxy:
    description:
      - Connect directly, whatever the environment says. C(ansible_winrm_proxy) with a null says the same of a host.
    type: bool
    default: false
  winrm_kinit_mode:
    description:
      - Whether the module obtains a Kerberos ticket (V(managed)), or takes the one that is there (V(manual)).
      - By default it obtains one when there is a password. The ticket lies in a credential cache of the task's own, is
        obtained anew before it ends, and is removed afterwards.
    type: str
    choices: [managed, manual]
  winrm_kinit_cmd:
    description:
      - The program that obtains a ticket.
    type: str
    default: kinit
  winrm_kinit_args:
    description:
      - Arguments for it, in place of C(-f), which O(winrm_kerberos_delegation) brings.
    type: str
  winrm_kinit_env_vars:
    description:
      - Names of environment variables that it may see, such as C(KRB5_CONFIG).
    type: list
    elements: str
    default: []
  winrm_kerberos_delegation:
    description:
      - Whether the host may act on other servers with the account's ticket.
    type: bool
    default: false
  winrm_kerberos_hostname_override:
    description:
      - Name of the host in the domain, where O(winrm_host) is an address or another name.
    type: str
  winrm_service:
    description:
      - Service part of the name for which the ticket is asked.
    type: str
    default: HTTP
  winrm_credssp_auth_mechanism:
    description:
      - How CredSSP proves the account inside its own TLS.
    type: str
    choices: [auto, kerberos, ntlm]
    default: auto
  winrm_credssp_minimum_version:
    description:
      - The oldest version of CredSSP that the host may speak. V(5) refuses hosts that lack the update for
        CVE-2018-0886.
    type: int
    default: 2
  winrm_credssp_disable_tlsv1_2:
    description:
      - Whether CredSSP does without TLS 1.2, for hosts that do not know it.
    type: bool
    default: false
  winrm_timeout:
    description:
      - Seconds that one answer of the host may take. Work that takes longer is asked about again and again.
    type: int
    default: 30
  winrm_read_timeout:
    description:
      - Seconds until an answer that does not come is given up.
      - By default ten more than O(winrm_timeout), and never less than one more.
    type: int
  winrm_connect_timeout:
    description:
      - Seconds until a connection that does not open is given up.
      - By default as long as O(winrm_read_timeout).
    type: int
  winrm_connect_retries:
    description:
      - How often a connection that does not open is tried again.
    type: int
    default: 0
  winrm_connect_backoff:
    description:
      - Seconds between the first two attempts, doubled for each further one.
    type: float
    default: 2.0
  winrm_max_envelope_size:
    description:
      - Bytes that one message of the host may have. By default pywinrm's 153600.
    type: int
requirements:
  - pywinrm (on the control node); pywinrm[kerberos] and kinit for Kerberos, pywinrm[credssp] for CredSSP
  - Windows PowerShell 5.1 in full language mode (on the Windows host)
notes:
  - One task opens one session with the host, however much it does there, and leaves its PowerShell there for the next
    task of the run that comes as the same account. It ends with the run, or when nothing is asked of it for 15 minutes.
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
