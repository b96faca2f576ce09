# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, step by step: shown to who waits, given back as a result, and left on the server as a file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.windows_paths import join
from ..host.files import WindowsFiles

__all__ = ["RunLog"]

MOST = 200
"""Lines of one kind."""

KEPT = 90
"""So many logs of one application stay on the server."""


class RunLog:
    """folder: where the file goes, None for nowhere. label: whose logs count as one kind."""

    def __init__(self, files: WindowsFiles, folder: str | None, *, label: str) -> None:
        self._files = files
        self._folder = folder
        self._label = label
        self.lines: list[str] = []

    def add(self, text: str) -> None:
        """Never a secret: the file is there for whoever may read the server's logs."""
        self._note(text)
        self._files.progress.line(text)

    def add_each(self, what: str, names: Sequence[str]) -> None:
        """A line for each of several, up to a number that a person would read."""
        for name in names[:MOST]:
            self._note(f"{what} {name}")
        if len(names) > MOST:
            self._note(f"{what} {len(names) - MOST} more")

    def _note(self, text: str) -> None:
        self.lines.append(f"{dt.datetime.now(dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ} {text}")

    def save(self, name: str) -> dict[str, Any]:
        """Write the file and remove old ones; what the result says of it. A log that cannot be written is no reason to
        fail.
        """
        path = None
        if self._folder and not self._files.check_mode:
            try:
                self._files.make_folder(self._folder)
                self._files.write_lines(join(self._folder, name), self.lines)
                path = join(self._folder, name)
                self._remove_old()
            except RecoveryError as problem:
                self._files.warnings.append(f"The log of this run could not be kept on the server. {problem}")
        return {"path": path, "lines": self.lines}

    def _remove_old(self) -> None:
        ours = re.compile(re.escape(self._label) + r"_(\d{8}T\d{6}Z)[^\\]*\.log", re.IGNORECASE)
        result = [
            entry.name for entry in self._files.list(self._folder or "", recurse=False) if ours.fullmatch(entry.name)
        ]
        for name in sorted(result)[:-KEPT]:
            self._files.remove(join(self._folder or "", name))
