# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that speak to Windows have in common: the one place where a run begins and ends."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.errors import RecoveryError
from .._progress import Progress
from .connection.options import WinrmConnection
from .connection.session import Session
from .host.files import WindowsFiles

__all__ = ["run"]


def run(module: AnsibleModule, act: Callable[[WindowsFiles], dict[str, Any]]) -> None:
    """Connect, act, report. `act` returns what the task returns; whatever is raised ends here as one message without
    secrets.
    """
    progress = Progress(secrets=module.no_log_values)
    try:
        with Session(WinrmConnection.from_params(module.params)) as session:
            files = WindowsFiles(session, check_mode=module.check_mode, progress=progress)
            result = act(files)
    except RecoveryError as problem:
        module.fail_json(msg=str(problem), **problem.details)
    except Exception as problem:  # a fault of ours: as text, because only texts are cleared of secrets
        message = f"{module._name} met a fault of its own: {type(problem).__name__}: {problem}"
        module.fail_json(msg=message, exception=traceback.format_exc())
    for warning in files.warnings:
        module.warn(warning)
    module.exit_json(**result)
