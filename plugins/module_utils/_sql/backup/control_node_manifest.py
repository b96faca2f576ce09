# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a backup on the control node: whether it could be written, asked before the backup, and written whole
or not at all.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

from ..._core.errors import RecoveryError

__all__ = ["check_place", "write_json"]

ADVICE = "Correct 'manifest': its folder must exist on the control node and be writable"


def check_place(path: str) -> None:
    """Raises RecoveryError where no file could be written."""
    folder = os.path.dirname(os.path.abspath(path))
    if "\x00" in path or not os.path.isdir(folder):
        why = "there is no such folder"
    elif os.path.isdir(path):
        why = "it is a folder"
    elif not os.access(folder, os.W_OK | os.X_OK):
        why = f"nothing can be written to {folder}"
    else:
        return
    raise RecoveryError(
        f"The manifest {path!r} cannot be written on the control node: {why}", code="option_invalid", advice=ADVICE
    )


def write_json(path: str, content: dict[str, Any]) -> None:
    """Write a file of the control node whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, prefix=".prs-recovery-", encoding="utf-8", delete=False
        ) as text:
            json.dump(content, text, indent=2, sort_keys=True)
            text.write("\n")
        os.chmod(text.name, 0o644)
        os.replace(text.name, path)
    except OSError as problem:
        raise RecoveryError(
            f"The backup is complete, but its manifest {path!r} cannot be written on the control node: "
            f"{problem.strerror}",
            code="incomplete",
            advice=ADVICE,
            backup=content,
        ) from None
