#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: site_info
short_description: Ask a web site as a browser does, and say where the way ends
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Resolves the name, connects, agrees upon TLS with a certificate that it verifies, and reads the page, redirects
    followed.
  - Tells a name that DNS does not know from a port where nobody listens, a certificate that is not valid, an
    application that fails and a page that works. Whatever comes of it, the task succeeds; RV(state) and RV(problem) say
    what was found.
options:
  url:
    description:
      - Address of the page.
    type: str
    required: true
  address:
    description:
      - Address or name to connect to in place of what the name in O(url) leads to, which is still the name that the
        certificate must have.
    type: str
  ca_file:
    description:
      - File on the control node with the authorities to trust (PEM), by default those of its operating system.
    type: path
  timeout:
    description:
      - Seconds that each step may take.
    type: int
    default: 60
  ready_pattern:
    description:
      - What the text of a page that works matches.
    type: str
    default: (?i)password reset server
  wizard_pattern:
    description:
      - What the address or the text of the page matches while the application waits for its setup wizard.
    type: str
    default: (?i)/installer\.aspx|action="installer\.aspx"
extends_documentation_fragment:
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
"""

EXAMPLES = r"""
- name: Ask the site that everybody uses
  prs.recovery.site_info:
    url: https://reset.example.com/
    ca_file: /etc/prs/ca.pem
  register: site

- name: It must work
  ansible.builtin.assert:
    that: site.state == 'ready'
    fail_msg: "{{ site.problem }}. {{ site.advice }}."
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
state:
  description: V(ready), V(wizard), V(broken) when it answers with anything else, or V(unreachable).
  returned: always
  type: str
step:
  description: Where the way ended, V(name), V(connect), V(tls), V(http), or V(answered).
  returned: always
  type: str
problem:
  description: What is wrong; empty when the site is ready.
  returned: always
  type: str
advice:
  description: What to do about it.
  returned: always
  type: str
status:
  description: Status of the page; V(0) without one.
  returned: always
  type: int
url:
  description: Where redirects led.
  returned: always
  type: str
addresses:
  description: What the name leads to.
  returned: always
  type: list
  elements: str
certificate:
  description: The certificate with C(subject), C(names), C(not_after) (UTC) and C(days_left); empty where none was
    agreed upon.
  returned: always
  type: dict
seconds:
  description: How long it took.
  returned: always
  type: float
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.site_answer import judge
from ansible_collections.prs.recovery.plugins.module_utils._outcome import failures_reported
from ansible_collections.prs.recovery.plugins.module_utils._site import ask


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "address": {"type": "str"},
            "ca_file": {"type": "path"},
            "timeout": {"type": "int", "default": 60},
            "ready_pattern": {"type": "str", "default": "(?i)password reset server"},
            "wizard_pattern": {"type": "str", "default": r'(?i)/installer\.aspx|action="installer\.aspx"'},
        },
        supports_check_mode=True,
    )
    params = module.params
    with failures_reported(module):
        answer = ask(params["url"], ca_file=params["ca_file"], address=params["address"], timeout=params["timeout"])
    judged = judge(answer, ready_pattern=params["ready_pattern"], wizard_pattern=params["wizard_pattern"])
    module.exit_json(
        changed=False,
        step=answer.step,
        status=answer.status,
        url=answer.url,
        addresses=list(answer.addresses),
        certificate=with_days(answer.certificate),
        seconds=round(answer.seconds, 3),
        **judged,
    )


def with_days(certificate: Mapping[str, Any]) -> dict[str, Any]:
    if not certificate:
        return {}
    left = dt.datetime.fromisoformat(certificate["not_after"]) - dt.datetime.now(dt.timezone.utc)
    return {**certificate, "days_left": left.days}


if __name__ == "__main__":
    main()
