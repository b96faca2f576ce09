# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a filter calls one of many functions of facts by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

__all__ = ["call_named"]


def call_named(functions: Mapping[str, Callable[[Any], Any]], facts: Mapping[str, Any], name: str, *, of: str) -> Any:
    """What the function of that name makes of the facts. of: the filter, for its errors.

    Raises AnsibleFilterError for a name that is none, and where a fact is missing.
    """
    if name not in functions:
        raise AnsibleFilterError(f"{of} knows no {name}. It is one of {', '.join(functions)}.")
    try:
        return functions[name](facts)
    except KeyError as problem:
        raise AnsibleFilterError(f"{of}: {name} lacks the fact {problem}.") from problem
