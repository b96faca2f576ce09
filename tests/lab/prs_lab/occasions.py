"""When a fault that was asked for happens."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Occasions"]


@dataclass(kw_only=True)
class Occasions:
    """Calls whose text `pattern` matches (a regular expression, "" all), after `after` of them, `times` times (0: for
    ever).
    """

    pattern: str = ""
    after: int = 0
    times: int = 1
    seen: int = 0

    def is_due(self, text: str) -> bool:
        """Whether it happens to this call; it counts."""
        if not re.search(self.pattern, text, re.IGNORECASE):
            return False
        self.seen += 1
        return self.seen > self.after and (self.times == 0 or self.seen <= self.after + self.times)
