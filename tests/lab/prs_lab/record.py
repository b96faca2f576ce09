"""Everything that the twins were asked, as JSON lines, and what of it they could not answer.

One `Record` serves a whole estate. Each line has `seq`, `time` (UTC, ISO 8601), `kind` and `host`; the kinds are

    sql         text, login, database, instance     a T-SQL batch
    module      module, arguments (masked), check_mode, account, changed, failed, milliseconds
    script      name, text, account                 PowerShell of a known name
    command     text, account                       a command line
    power       event                               boot, reboot, kill, wipe
    unmodelled  what, detail                        a request for which there is no model
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

__all__ = ["Record"]


class Record:
    """An append-only journal, safe to use from any thread. Without a path it lives in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._memory: list[str] = []
        self._file = None
        self._ends = [0]
        """Where each line of the file ends, in bytes: who asks for the newest reads no others."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                with path.open("rb") as existing:
                    self._ends = [*accumulate(map(len, existing), initial=0)]
            self._file = path.open("ab", buffering=0)
        self._seq = len(self._ends) - 1

    def add(self, kind: str, host: str, **fields: Any) -> None:
        """Append one line. Values must be JSON types; secrets must have been masked by the caller."""
        with self._lock:
            self._seq += 1
            entry = {
                "seq": self._seq,
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "kind": kind,
                "host": host,
                **fields,
            }
            line = json.dumps(entry, ensure_ascii=False, default=str)
            if self._file is not None:
                self._ends.append(self._ends[-1] + self._file.write((line + "\n").encode()))
            else:
                self._memory.append(line)

    def unmodelled(self, host: str, what: str, detail: str = "") -> None:
        """A request that no model answers. `what` is short ("module community.windows.win_nssm"), `detail` what helps
        to write the model.
        """
        self.add("unmodelled", host, what=what, detail=detail[:4000])

    def entries(self, kind: str | None = None, *, host: str | None = None, since: int = 0) -> Iterator[dict[str, Any]]:
        """The lines written so far, oldest first; of one kind, of one host, with a `seq` above `since`."""
        for line in self._lines(since):
            entry = json.loads(line)
            if (kind is None or entry["kind"] == kind) and (host is None or entry["host"] == host):
                yield entry

    def _lines(self, since: int) -> list[str]:
        """A line's number is its seq."""
        if self._path is None:
            with self._lock:
                return self._memory[since:]
        with self._lock:
            end, written = self._ends[-1], self._ends[min(since, self._seq)]
        with self._path.open("rb") as file:
            file.seek(written)
            content = file.read(end - written).decode()
        return content.split("\n")[:-1]  # splitlines would also cut at U+2028 and its like

    @property
    def last(self) -> int:
        """The number of the newest line; give it to `entries(since=...)` later."""
        return self._seq

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
