# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of a role decides, from the facts that the role gathered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.prs.recovery.plugins.plugin_utils._named_functions import call_named

DOCUMENTATION = r"""
name: run_decision
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: What a run of a role decides
description:
  - The roles of this collection gather facts, and this makes of them what a task or another role needs - addresses,
    places, what is to be looked at, which server does what.
  - A fact that is missing is an error, never another decision.
positional: _input, name
options:
  _input:
    description: The facts; which ones stands beside each function below C(plugins/module_utils/_core/decisions/).
    type: dict
    required: true
  name:
    description: What is to be decided, as the role and what of it.
    type: str
    required: true
    choices:
      - active_site.choices
      - active_site.refusal
      - estate.page_url
      - estate.witness
      - estate.sites
      - estate.site_name
      - verify.folders
      - verify.key_file
      - verify.keys_files
      - verify.certificate_files
      - verify.media_paths
      - verify.needs_another_look
      - verify.places_facts
      - verify.protection_facts
      - verify.shares_asked
      - backup.copies_elsewhere
      - backup.copy_account
      - backup.places
      - backup.other_places
      - backup.kept_logins
      - backup.web_facts
      - backup.other_sites
      - certificates.missing_roots
      - mirroring.other_instance
      - mirroring.other_site_serves
      - mirroring.both_serve
      - mirroring.other_site_holds
      - standby.sites
      - standby.folders
      - standby.inspected
      - standby.kept_back_until
      - failover.old_site
      - failover.old_site_serves
      - drill.lacks_certificate
      - drill.certificate_problem
      - drill.brought
      - drill.page_state
      - drill.seconds
      - drill.closed_record
      - preflight.parts
      - preflight.needed_secrets
      - preflight.paths
      - preflight.ordered_problems
      - preflight.data_file_folders
      - preflight.application_parts
      - sql_server.certificate_in_place
      - sql_server.registry_settings
      - sql_server.lacks_a_restart
      - preflight.journal
      - preflight.sayings
      - preflight.wreck
      - preflight.no_road
      - preflight.needs_lease
      - preflight.leaves_database
      - preflight.copies
      - preflight.certificates
      - preflight.certificates_to_open
      - preflight.key_readers
      - preflight.likely_key_readers
      - preflight.seen
      - preflight.database_replace
      - preflight.foresees_application
      - application.account
      - application.alias_values
      - application.ldap_rules
      - application.database_servers
      - application.bound_certificates
      - application.config_is_set
      - application.stopped_by
      - application.pool_is_set
      - application.site_is_set
      - application.without_rights
      - configure_awx.name_is_taken
      - configure_awx.schedules
      - configure_awx.would_make
      - looks.wanted
      - looks.secrets
      - looks.answer
      - windows.features_installed
      - windows.rules
      - windows.rule_in_force
      - report.file
      - report.journals
      - report.journals_beside_backups
"""

EXAMPLES = r"""
- name: Show the address of the page
  ansible.builtin.debug:
    msg: "{{ {'host': 'reset.example.com', 'port': 443, 'site': 'PRS', 'application': ''} |
      prs.recovery.run_decision('estate.page_url') }}"
"""

RETURN = r"""
_value:
  description: The decision; of which type stands beside its function.
  type: raw
"""

PACKAGE = "ansible_collections.prs.recovery.plugins.module_utils._core.decisions"
DECISIONS = (
    "active_site.choices",
    "active_site.refusal",
    "estate.page_url",
    "estate.witness",
    "estate.sites",
    "estate.site_name",
    "verify.folders",
    "verify.key_file",
    "verify.keys_files",
    "verify.certificate_files",
    "verify.media_paths",
    "verify.needs_another_look",
    "verify.places_facts",
    "verify.protection_facts",
    "verify.shares_asked",
    "backup.copies_elsewhere",
    "backup.copy_account",
    "backup.places",
    "backup.other_places",
    "backup.kept_logins",
    "backup.web_facts",
    "backup.other_sites",
    "certificates.missing_roots",
    "mirroring.other_instance",
    "mirroring.other_site_serves",
    "mirroring.both_serve",
    "mirroring.other_site_holds",
    "standby.sites",
    "standby.folders",
    "standby.inspected",
    "standby.kept_back_until",
    "failover.old_site",
    "failover.old_site_serves",
    "drill.lacks_certificate",
    "drill.certificate_problem",
    "drill.brought",
    "drill.page_state",
    "drill.seconds",
    "drill.closed_record",
    "preflight.parts",
    "preflight.needed_secrets",
    "preflight.paths",
    "preflight.ordered_problems",
    "preflight.data_file_folders",
    "preflight.application_parts",
    "sql_server.certificate_in_place",
    "sql_server.registry_settings",
    "sql_server.lacks_a_restart",
    "preflight.journal",
    "preflight.sayings",
    "preflight.wreck",
    "preflight.no_road",
    "preflight.needs_lease",
    "preflight.leaves_database",
    "preflight.copies",
    "preflight.certificates",
    "preflight.certificates_to_open",
    "preflight.key_readers",
    "preflight.likely_key_readers",
    "preflight.seen",
    "preflight.database_replace",
    "preflight.foresees_application",
    "application.account",
    "application.alias_values",
    "application.ldap_rules",
    "application.database_servers",
    "application.bound_certificates",
    "application.config_is_set",
    "application.stopped_by",
    "application.pool_is_set",
    "application.site_is_set",
    "application.without_rights",
    "configure_awx.name_is_taken",
    "configure_awx.schedules",
    "configure_awx.would_make",
    "looks.wanted",
    "looks.secrets",
    "looks.answer",
    "windows.features_installed",
    "windows.rules",
    "windows.rule_in_force",
    "report.file",
    "report.journals",
    "report.journals_beside_backups",
)
"""Each a module of the package, and a function of it."""


def run_decision(facts: Mapping[str, Any], name: str) -> Any:
    """See DOCUMENTATION."""
    return call_named(PACKAGE, DECISIONS, facts, name, of="run_decision")


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"run_decision": run_decision}
