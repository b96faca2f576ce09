"""What a Windows twin asks of its estate, where it is the only one."""

from __future__ import annotations

from typing import Any

from prs_lab.record import Record
from prs_lab.windows.domain import Domain

__all__ = ["Alone"]


class Alone:
    """An estate of one host."""

    def __init__(self) -> None:
        self.record = Record()
        self.domain = Domain("PRSLAB", "prs.lab")

    def resolve(self, name: str) -> None:
        return None

    def reachable(self, from_host: Any, to_host: Any) -> bool:
        return True
