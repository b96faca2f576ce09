# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module ends: the warnings of the run are shown, and a failure becomes one message without secrets."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ._core.errors import RecoveryError

__all__ = ["failures_reported", "show_warnings"]


@contextmanager
def failures_reported(
    module: AnsibleModule, *, warnings: Iterable[str] = (), made: Callable[[], dict[str, Any]] = dict
) -> Iterator[None]:
    """Whatever is raised within ends the module with fail_json.

    warnings: what the run notes on its way; shown before the failure, since fail_json does not come back.
    made: what the failed task returns of what it did before it failed.
    """
    try:
        yield
    except RecoveryError as problem:
        show_warnings(module, warnings)
        module.fail_json(msg=str(problem), error_code=problem.code, **{**made(), **problem.details})
    except Exception as problem:  # a fault of ours: as text, because only texts are cleared of secrets
        show_warnings(module, warnings)
        message = f"{module._name} met a fault of its own: {type(problem).__name__}: {problem}"
        module.fail_json(msg=message, error_code="internal_error", exception=traceback.format_exc(), **made())


def show_warnings(module: AnsibleModule, warnings: Iterable[str]) -> None:
    """Hand them to Ansible, in their order."""
    for warning in warnings:
        module.warn(warning)
