"""Faults of an instance as data: delays, dropped connections, errors, a crash in the middle of a statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..occasions import Occasions
from .errors import SqlError
from .wire.items import Drop, Item

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Fault", "Faults"]


@dataclass(kw_only=True)
class Fault(Occasions):
    """What happens to batches whose text `pattern` matches.

    action: drop_rst, drop_fin, delay (seconds), error (number, text), kill (the whole instance, as by a loss of power).
    """

    action: str
    seconds: float = 0.0
    number: int = 50000
    text: str = "Lab: a fault that was asked for."


class Faults:
    """The faults of one instance; `on_kill` is what the estate wants to be called for the action kill."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._cleared = 0
        self.on_kill = lambda: None

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """No faults from now on; delays at work end."""
        with self._lock:
            self._faults.clear()
            self._cleared += 1

    def _due(self, text: str) -> Fault | None:
        with self._lock:
            return next((fault for fault in self._faults if fault.is_due(text)), None)

    def before(self, session: Session, text: str) -> Iterator[Item] | None:
        """Called before a batch runs: None, or items to send (a Drop). Raises SqlError for an error that was asked for."""
        fault = self._due(text)
        if fault is None:
            return None
        if fault.action == "delay":
            ends, cleared = time.monotonic() + fault.seconds, self._cleared
            while (left := ends - time.monotonic()) > 0 and self._cleared == cleared:
                session.pause(min(left, 0.05))
            return None
        if fault.action == "error":
            raise SqlError(fault.number, fault.text)
        if fault.action == "kill":
            threading.Thread(target=self.on_kill, daemon=True).start()
            session.pause(10)
            return None
        return iter([Drop(fault.action.removeprefix("drop_"))])
