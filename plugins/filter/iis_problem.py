# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why no page comes, as IIS sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.errors import sentences
from ansible_collections.prs.recovery.plugins.module_utils._core.protection.servers import iis_problem as why

DOCUMENTATION = r"""
name: iis_problem
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Why no page comes, as IIS sees it
description:
  - Says what is wrong with IIS, a site or its pool, and what to do about it.
positional: _input
options:
  _input:
    description: What the role P(prs.recovery.verify#role) saw of IIS, with C(installed), C(service), C(site), C(pool)
      and C(pool_state).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say that the service is stopped
  ansible.builtin.debug:
    msg: "{{ {'installed': true, 'service': 'Stopped', 'site': 'Stopped', 'pool': 'PRS', 'pool_state': 'Stopped'} |
      prs.recovery.iis_problem }}"
"""

RETURN = r"""
_value:
  description: Sentences; empty where IIS looks as it should.
  type: str
"""


def iis_problem(iis: Mapping[str, Any]) -> str:
    """See DOCUMENTATION."""
    problem, advice = why(iis)
    return sentences(problem[:1].upper() + problem[1:], advice)


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"iis_problem": iis_problem}
