# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Backups that a module writes, encrypted. The argument spec is backup_encryption_argument_spec() of
    module_utils/_sql/instance/backup_encryption.py.
    """

    DOCUMENTATION = r"""
options:
  encryption:
    description:
      - Encrypts the backups that this module writes by a certificate in C(master). Whoever restores them needs that
        certificate with its private key; a warning says when the server knows of no backup of the key.
      - The newest successor of the certificate is taken, as M(prs.recovery.sql_certificate) makes them. One that has
        expired is refused, for SQL Server takes no backup with it.
      - Express and Web cannot encrypt. SQL Server appends an encrypted backup to no file that exists already.
    type: dict
    suboptions:
      certificate:
        description: Name of the certificate.
        type: str
        required: true
      algorithm:
        description: How the backup is encrypted.
        type: str
        choices: [aes_128, aes_192, aes_256, triple_des_3key]
        default: aes_256
"""
