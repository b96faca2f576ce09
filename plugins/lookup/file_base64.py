# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a file that is no text. The lookups of ansible.builtin read text, and from ansible-core 2.23 on
nothing else.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: file_base64
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Read a binary file of the control node in base64
description:
  - Reads files such as certificates (PFX) on the control node. A file that is encrypted with ansible-vault is
    decrypted.
options:
  _terms:
    description: Paths of the files. A relative path is searched where roles and playbooks keep their files.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Show how long a certificate is
  ansible.builtin.debug:
    msg: "{{ lookup('prs.recovery.file_base64', 'files/site.pfx') | length }}"
"""

RETURN = r"""
_raw:
  description: Content of each file in base64, without line breaks.
  type: list
  elements: str
"""

import base64

from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        return [self._read(term, variables) for term in terms]

    def _read(self, term: str, variables) -> str:
        try:
            path = self.find_file_in_search_path(variables, "files", term)
            if not path:
                raise AnsibleLookupError(f"There is no file {term} on the control node.")
            readable = self._loader.get_real_file(path, decrypt=True)
        except AnsibleLookupError:
            raise
        except AnsibleError as error:
            raise AnsibleLookupError(f"The file {term} cannot be read on the control node: {error}") from error
        try:
            with open(readable, "rb") as file:
                return base64.b64encode(file.read()).decode("ascii")
        finally:
            self._loader.cleanup_tmp_file(readable)
