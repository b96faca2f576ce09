# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with secrets, without the secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: secret_states
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: What is wrong with secrets, without the secrets
description:
  - Says of each secret whether it is set. Its value is not in the result, so that this may be shown.
positional: _input
options:
  _input:
    description: Names of variables and their values.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say which secrets are missing
  ansible.builtin.debug:
    msg: "{{ {'vault_a': 'CHANGE-ME', 'vault_b': ''} | prs.recovery.secret_states }}"
"""

RETURN = r"""
_value:
  description: Names, each with V(set), V(missing), V(placeholder), or V(number) where YAML made a number of it.
  type: dict
"""


def secret_states(secrets: Mapping[str, Any]) -> dict[str, str]:
    """See DOCUMENTATION."""
    # Only when it is asked: Ansible loads all filters of a collection in each worker that uses one of them.
    from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.control_node import secret_state

    return {name: secret_state(value) for name, value in secrets.items()}


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"secret_states": secret_states}
