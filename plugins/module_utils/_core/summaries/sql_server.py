# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role sql_server says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["setup_failed"]

Facts = Mapping[str, Any]

_SHOWN = 1000
"""Characters of what setup said; the end of it names what went wrong."""


def setup_failed(facts: Facts) -> list[str]:
    """What SQL Server's setup said when it failed. facts: host; result: of the task that ran it."""
    result = facts["result"]
    code = f" with exit code {result['rc']}" if "rc" in result else ""
    texts = (result.get(name) for name in ("stdout", "stderr", "msg", "module_stderr"))
    words = " ".join(text for text in texts if text).strip()[-_SHOWN:]
    return [
        f"{facts['host']}: SQL Server's setup failed{code}. {words} Read Summary.txt below "
        r"%ProgramFiles%\Microsoft SQL Server\*\Setup Bootstrap\Log on the server."
    ]
