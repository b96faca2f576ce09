# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live lines from a module that runs on the control node to the person who waits for it.

The action plugin names a file in the environment and shows what is appended to it. A module that runs without the
plugin has no such file: its lines go nowhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection

from ansible.module_utils.common.parameters import remove_values

__all__ = ["ENVIRONMENT", "HOST", "Progress", "time_left"]

ENVIRONMENT = "PRS_RECOVERY_PROGRESS"

HOST = "PRS_RECOVERY_HOST"
"""Another word of the plugin to the module: how the inventory calls the host whose address it filled in."""


TENTH = 10
"""Percent after which a line is worth showing, however fast they come."""

PATIENCE = 15.0
"""Seconds after which any percent is."""


class Progress:
    """Where a module reports what it is doing right now.

    secrets: texts that must not be shown; a module gives its C(no_log_values).
    """

    def __init__(self, *, secrets: Collection[str] = (), path: str | None = None) -> None:
        self._path = path or os.environ.get(ENVIRONMENT)
        self._secrets = secrets

    def line(self, text: str) -> None:
        """Show one line. A line that cannot be written is no reason to end a backup."""
        if not self._path:
            return
        shown = remove_values(" ".join(text.split()), self._secrets)
        try:
            with open(self._path, "a", encoding="utf-8", errors="backslashreplace") as lines:
                lines.write(f"{shown}\n")
        except OSError:
            self._path = None

    def percent(self, what: str, percent: int, *, since: float) -> None:
        """Show how far something got that began at C(time.monotonic() == since)."""
        self.line(f"{what}: {percent} %{time_left(percent, elapsed=time.monotonic() - since)}")

    def percents(self, what: str) -> Callable[[int], None]:
        """For something that begins now and tells each percent: shows every tenth, and more only where they come
        slowly.
        """
        since = shown_at = time.monotonic()
        shown = 0

        def show(percent: int) -> None:
            nonlocal shown, shown_at
            now = time.monotonic()
            if percent <= shown or (percent // TENTH == shown // TENTH and now - shown_at < PATIENCE):
                return
            shown, shown_at = percent, now
            self.percent(what, percent, since=since)

        return show


def time_left(percent: int, *, elapsed: float) -> str:
    """ ", about 2 min left" after `elapsed` seconds; empty while nothing can be said."""
    if not 0 < percent < 100 or elapsed < 5:
        return ""
    seconds = elapsed * (100 - percent) / percent
    if seconds < 90:
        return f", about {round(seconds)} s left"
    if seconds < 5400:
        return f", about {round(seconds / 60)} min left"
    return f", about {seconds / 3600:.1f} h left"
