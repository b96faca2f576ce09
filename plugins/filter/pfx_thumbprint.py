# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificate is in a PFX."""

from __future__ import annotations

import base64

DOCUMENTATION = r"""
name: pfx_thumbprint
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Which certificate is in a PFX
description:
  - Opens a PFX on the control node, and names the certificate of its private key as Windows does. A server can then
    be asked whether it has that one already, without having the private key sent to it.
  - A file that cannot be read here, or not with this password, has none. Windows reads others than OpenSSL does, so
    that this decides nothing about the file.
positional: _input, password
options:
  _input:
    description: The file in base64. None, as of a lookup that ignores errors, holds no certificate.
    type: str
    required: true
  password:
    description: Its password.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Ask the server for the certificate
  ansible.windows.win_certificate_info:
    thumbprint: "{{ lookup('prs.recovery.file_base64', 'files/site.pfx') | prs.recovery.pfx_thumbprint(pfx_password) }}"
"""

RETURN = r"""
_value:
  description: SHA-1 of the certificate in capital hexadecimal digits; empty where none was found.
  type: str
"""


def pfx_thumbprint(content: str | None, password: str) -> str:
    """See DOCUMENTATION."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        key, certificate, _others = pkcs12.load_key_and_certificates(
            base64.b64decode(content or ""), str(password).encode()
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ""
    return certificate.fingerprint(hashes.SHA1()).hex().upper() if key and certificate else ""


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"pfx_thumbprint": pfx_thumbprint}
