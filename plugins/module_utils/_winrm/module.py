# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that speak to Windows have in common: the one place where a run begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._outcome import failures_reported, show_warnings
from .._progress import Progress
from .connection.options import (
    WinrmConnection,
    winrm_host_and_share_argument_spec,
)
from .connection.session import Session
from .host.files import WindowsFiles

__all__ = ["run", "windows_module"]


def windows_module(argument_spec: Mapping[str, Any], **rules: Any) -> AnsibleModule:
    """A module with options of its own beside those of the connection and of the share behind it. rules: which of them
    go together, in AnsibleModule's words.
    """
    return AnsibleModule(
        argument_spec={
            **winrm_host_and_share_argument_spec(),
            **argument_spec,
        },
        supports_check_mode=True,
        **rules,
    )


def run(module: AnsibleModule, act: Callable[[WindowsFiles], dict[str, Any]]) -> None:
    """Connect, act, report. `act` returns what the task returns; whatever is raised ends here as one message without
    secrets.
    """
    progress = Progress(secrets=module.no_log_values)
    warnings: list[str] = []
    with (
        failures_reported(module, warnings=warnings),
        Session(WinrmConnection.from_params(module.params)) as session,
    ):
        files = WindowsFiles(session, check_mode=module.check_mode, progress=progress)
        files.warnings = warnings
        result = act(files)
    show_warnings(module, warnings)
    module.exit_json(**result)
