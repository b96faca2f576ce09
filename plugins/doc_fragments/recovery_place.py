# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Where recovery sets lie. The argument spec is recovery_place_argument_spec() of
    module_utils/_winrm/recovery_set/repository.py.
    """

    DOCUMENTATION = r"""
options:
  path:
    description:
      - Folder of the recovery sets, on a share or on the host. Below it are C(sets), C(application) and C(database).
    type: str
    required: true
  sets_path:
    description:
      - Folder of the manifests, where it is not below O(path).
    type: str
  application_path:
    description:
      - Folder of the archives, where it is not below O(path).
    type: str
  database_path:
    description:
      - Folder of the database's backups, where it is not below O(path).
    type: str
  database_user:
    description:
      - Account for O(database_path), where keys and database lie under different rights. By default O(share_user).
    type: str
  database_password:
    description:
      - Password of O(database_user).
    type: str
"""
