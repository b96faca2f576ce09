# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module does with its server: ask always, change unless in check mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._progress import Progress
from .connection import Connection, Message

__all__ = ["Session"]


class Session:
    """A module's session with its server: questions are asked always, changes are made unless in check mode.

    statements: the T-SQL of every change, made or (in check mode) only planned; secrets are left out of it.
    warnings: what the task shall warn of, whether it ends well or fails.
    answered: what the task tells of the server that it works on, where that was one of two; else empty.
    """

    connection: Connection

    def __init__(self, *, params: dict[str, Any], check_mode: bool, progress: Progress) -> None:
        self.params = params
        self.check_mode = check_mode
        self.progress = progress
        self.statements: list[str] = []
        self.warnings: list[str] = []
        self.answered: dict[str, Any] = {}

    @property
    def changed(self) -> bool:
        return bool(self.statements)

    def made(self) -> dict[str, Any]:
        """What a task that fails half-way tells: the statements that were sent, the failed one last, and whom to."""
        sent = (
            {"changed": self.changed and not self.check_mode, "statements": self.statements} if self.statements else {}
        )
        return {**sent, **self.answered}

    def change(
        self,
        statement: str,
        *,
        doing: str,
        shown: str | None = None,
        database: str | None = None,
        on_message: Callable[[Message], None] | None = None,
    ) -> list[Message]:
        """Run a statement that changes something, to its very end; in check mode only note it.

        doing: what failed, should it fail. shown: the statement without its secret. database: where to run it; master
        otherwise.
        """
        self.statements.append(shown or statement)
        if self.check_mode:
            return []
        if database is None:
            return self.connection.execute(statement, doing=doing, on_message=on_message)
        with self.connection.using(database):
            return self.connection.execute(statement, doing=doing, on_message=on_message)
