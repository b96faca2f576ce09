# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that everything of this collection raises, and that only a module turns into a failed task."""

from __future__ import annotations

from typing import Any

__all__ = ["RecoveryError", "sentences"]


class RecoveryError(Exception):
    """What went wrong, and what a person can do about it.

    message: what, and where. advice: the next thing to do; empty when there is nothing to say.
    details: plain JSON values that the failed task returns beside its message.
    """

    def __init__(self, message: str, *, advice: str = "", **details: Any) -> None:
        super().__init__(sentences(message, advice))
        self.message = message
        self.advice = advice
        self.details = details


def sentences(*parts: str) -> str:
    """Join parts of a message, each with the stop that ends a sentence."""
    told = [part.strip() for part in parts if part and part.strip()]
    return " ".join(part if part.endswith((".", "!", "?", ":")) else f"{part}." for part in told)
