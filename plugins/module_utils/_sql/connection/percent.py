# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far BACKUP, RESTORE and VERIFYONLY have come, as the server says with STATS."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..._progress import Progress
from .connection import Message

PERCENT_PROCESSED = 3211
"""Number of the message "10 percent processed."."""

STEP = 5
"""Percent between two messages of progress."""


def show_percent(progress: Progress, what: str) -> Callable[[Message], None]:
    """For `on_message`: show how far the server says that it is."""
    show_at = progress.percents(what)

    def show(message: Message) -> None:
        match = re.search(r"\d+", message.text)
        if message.number == PERCENT_PROCESSED and match:
            show_at(int(match.group()))

    return show
