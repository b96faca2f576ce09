# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application pool of IIS: stopped with its worker gone, started again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..._core.errors import RecoveryError
from ..connection.errors import WindowsFault
from ..verbs import pool
from .files import WindowsFiles

__all__ = ["ApplicationPool", "PoolState"]

_LOOK_EVERY = 1.0
_CANNOT_ACCEPT_CONTROL = 1061
_ASK_AGAIN_EVERY, _ASK_AGAIN_FOR = 5.0, 90.0
"""Seconds. While an earlier change of it is under way IIS refuses the next one, and says so by 0x80070425."""


@dataclass(frozen=True, kw_only=True)
class PoolState:
    """state: Started, Stopped, Starting, Stopping or Unknown; workers: process ids."""

    exists: bool
    state: str
    workers: tuple[int, ...] = ()

    @property
    def running(self) -> bool:
        return self.exists and self.state in ("Started", "Starting")

    @property
    def is_gone(self) -> bool:
        """It is stopped, and so is every worker."""
        return not self.workers and not self.running


class ApplicationPool:
    """A pool by name on the host of `files`. In check mode it is only looked at."""

    def __init__(
        self,
        files: WindowsFiles,
        name: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self.name = name
        self._sleep = sleep
        self._clock = clock

    def look(self) -> PoolState:
        return self._ask("look", "Looking at")

    def stop(self, *, timeout: int) -> None:
        """Stop the pool and wait until its worker processes are gone. timeout: seconds."""
        if self._files.check_mode:
            return
        before = self._ask("stop", "Stopping")
        if before.exists and not before.is_gone:
            self._wait(lambda now: now.is_gone, self.look(), timeout=timeout, until="its worker processes were gone")

    def start(self, now: PoolState | None = None) -> None:
        """Start the pool; nothing happens when it runs. now: as somebody has just seen it."""
        if not self._files.check_mode:
            self._wait(lambda now: now.state != "Stopping", now or self.look(), timeout=30, until="it had stopped")
            self._ask("start", "Starting")

    def _ask(self, action: str, doing: str) -> PoolState:
        deadline = self._clock() + _ASK_AGAIN_FOR
        while True:
            try:
                [answer] = self._files.call(
                    pool.SCRIPT, doing=f"{doing} the application pool {self.name}", Name=self.name, Action=action
                )
                break
            except WindowsFault as fault:
                if fault.number != _CANNOT_ACCEPT_CONTROL or self._clock() >= deadline:
                    raise
                self._files.progress.line(f"IIS refuses pool {self.name} for the moment, trying again")
                self._sleep(_ASK_AGAIN_EVERY)
        return PoolState(exists=answer["exists"], state=answer["state"], workers=tuple(answer["workers"]))

    def _wait(self, reached: Callable[[PoolState], bool], now: PoolState, *, timeout: int, until: str) -> None:
        deadline = self._clock() + timeout
        while not reached(now):
            if self._clock() >= deadline:
                raise RecoveryError(
                    f"The application pool {self.name} on {self._files.host} was told to stop, but {timeout} "
                    f"seconds went by before {until}",
                    code="timeout",
                    advice="A long request may keep it: wait, or end its w3wp.exe "
                    f"({', '.join(map(str, now.workers)) or 'none is left'}) on the host, or raise pool_timeout, "
                    "then run this again",
                )
            self._files.progress.line(f"waiting for the worker of pool {self.name} to end")
            self._sleep(_LOOK_EVERY)
            now = self.look()
