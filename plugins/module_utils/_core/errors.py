# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that everything of this collection raises, and that only a module turns into a failed task."""

from __future__ import annotations

from typing import Any

__all__ = ["RecoveryError", "code_of_windows_error", "sentences"]

_CODES_OF_WINDOWS = {
    2: "not_found", 3: "not_found", 53: "not_found", 67: "not_found",
    5: "access_denied", 65: "access_denied", 86: "access_denied", 1326: "access_denied",
    32: "in_use", 33: "in_use",
    39: "no_space", 112: "no_space",
}  # fmt: skip
"""Win32 errors that mean the same wherever they come from: a WinRM verb, or SQL Server's "operating system error"."""


class RecoveryError(Exception):
    """What went wrong, and what a person can do about it.

    message: what, and where. advice: the next thing to do; empty when there is nothing to say.
    code: one of the words of docs/errors.md, which stays the same while messages may change; returned as error_code.
    details: plain JSON values that the failed task returns beside its message.
    lost: the connection to SQL Server is gone, however often the error was reworded.
    """

    def __init__(self, message: str, *, code: str, advice: str = "", **details: Any) -> None:
        super().__init__(sentences(message, advice))
        self.message = message
        self.advice = advice
        self.code = code
        self.details = details
        self.lost = code == "sql_connection_lost"

    def reworded(self, message: str = "", *, advice: str | None = None, **details: Any) -> RecoveryError:
        """The same error (code, details) in other words, or with more details: for whoever knows more of it.

        An empty message keeps the old one, advice=None the old advice.
        """
        return RecoveryError(
            message or self.message,
            advice=self.advice if advice is None else advice,
            code=self.code,
            **{**self.details, **details},
        )


def code_of_windows_error(number: int | None, *, otherwise: str) -> str:
    """The code of an error that Windows numbered; `otherwise` where the number says nothing that a task acts upon."""
    return _CODES_OF_WINDOWS.get(number or 0, otherwise)


def sentences(*parts: str) -> str:
    """Join parts of a message, each with the stop that ends a sentence."""
    texts = [part.strip() for part in parts if part and part.strip()]
    return " ".join(part if part.endswith((".", "!", "?", ":")) else f"{part}." for part in texts)
