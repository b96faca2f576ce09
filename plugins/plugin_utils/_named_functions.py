# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a filter calls one of many functions of facts by its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any

from ansible.errors import AnsibleFilterError

__all__ = ["call_named", "named_function"]


def named_function(package: str, name: str) -> Callable[[Mapping[str, Any]], Any]:
    """The function that is called ``module.function`` in the package.

    Its module is imported only now: Ansible loads all filters of a collection in each worker that uses one of them, and
    compiles what they import anew each time.
    """
    module, function = name.split(".")
    return getattr(import_module(f"{package}.{module}"), function)


def call_named(package: str, names: Collection[str], facts: Mapping[str, Any], name: str, *, of: str) -> Any:
    """What the function of that name makes of the facts. of: the filter, for its errors.

    Raises AnsibleFilterError for a name that is none, and where a fact is missing.
    """
    if name not in names:
        raise AnsibleFilterError(f"{of} knows no {name}. It is one of {', '.join(names)}.")
    function = named_function(package, name)
    try:
        return function(facts)
    except KeyError as problem:
        raise AnsibleFilterError(f"{of}: {name} lacks the fact {problem}.") from problem
