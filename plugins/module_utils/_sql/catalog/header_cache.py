# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers that were read before, kept on the control node, so that a folder of thousands of backups is not read anew
each time.

They are a help, never a proof: a remembered header counts only while the file's size and times are what they were, and
what a plan would use is read again before it is used. The files hold what RESTORE HEADERONLY tells (names of servers,
databases and accounts), no secrets, and belong to the user who runs ansible alone. They may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from ..._core.backup.backup_set import Label
from ..._core.backup.catalog import FileReading

__all__ = ["HeaderCache"]

FORMAT = "prs.recovery headers 1"


class HeaderCache:
    """What was read of one folder through one server. Whatever is wrong with the file on disk, it is as if there were
    none.

    server: anything that tells one server and version from another.
    """

    def __init__(self, *, server: str, folder: str) -> None:
        key = hashlib.sha256(json.dumps([server, folder.lower()]).encode()).hexdigest()
        place = _home()
        self._path = place / f"{key[:32]}.json" if place else None
        self._added = place / f"{key[:32]}.added" if place else None

    @cached_property
    def _files(self) -> dict[str, Any]:
        """By path. Read when it is asked for: who only adds to thousands of them does not pay for that."""
        return {**self._load(), **self._load_added()}

    def get(self, path: str, identity: str) -> FileReading | None:
        """The reading of a file, if it is the same file still."""
        kept = self._kept(path, identity)
        if kept is None:
            return None
        try:
            label = Label(**kept["label"]) if kept["label"] else None
            return FileReading(path=path, label=label, headers=[dict(row) for row in kept["headers"]])
        except (KeyError, TypeError, ValueError):
            return None

    def _kept(self, path: str, identity: str) -> dict[str, Any] | None:
        kept = self._files.get(path)
        return kept if isinstance(kept, dict) and kept.get("identity") == identity else None

    def keep(self, readings: Mapping[str, FileReading], identities: Mapping[str, str]) -> None:
        """Remember these readings and no others: what is no longer in the folder is forgotten. Only whole readings are
        worth it.
        """
        files = {
            path: self._kept(path, identities[path]) or _entry(reading, identities[path])
            for path, reading in readings.items()
            if path in identities and not reading.problem and reading.headers
        }
        if self._path and (files != self._files or (self._added and self._added.exists())):
            self.__dict__["_files"] = files
            self._save()

    def add(self, readings: Mapping[str, FileReading], identities: Mapping[str, str]) -> None:
        """Remember these readings as well, at a cost that does not grow with what is remembered already."""
        lines = [
            json.dumps([path, _entry(reading, identities[path])]) + "\n"
            for path, reading in readings.items()
            if path in identities and not reading.problem and reading.headers
        ]
        if self._added is None or not lines:
            return
        with suppress(OSError):
            self._added.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = os.open(self._added, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            with open(number, "a", encoding="utf-8") as file:
                file.write("".join(lines))

    def _load(self) -> dict[str, Any]:
        try:
            held = json.loads(_own_text(self._path))
        except ValueError:
            return {}
        files = held.get("files") if isinstance(held, dict) and held.get("format") == FORMAT else None
        return files if isinstance(files, dict) else {}

    def _load_added(self) -> dict[str, Any]:
        added: dict[str, Any] = {}
        for line in _own_text(self._added).splitlines():
            with suppress(ValueError, TypeError):  # a line that a full disk cut off, say
                path, entry = json.loads(line)
                added[str(path)] = entry
        return added

    def _save(self) -> None:
        if self._path is None:
            return
        with suppress(OSError):  # a full disk or a read-only home is no reason to fail
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, draft = tempfile.mkstemp(dir=self._path.parent, prefix=".draft-")
            try:
                with open(number, "w", encoding="utf-8") as file:
                    # As one text: what json.dump writes piece by piece takes ten times as long.
                    file.write(json.dumps({"format": FORMAT, "files": self._files}))
                os.replace(draft, self._path)
                if self._added:
                    self._added.unlink(missing_ok=True)
            except BaseException:
                with suppress(OSError):
                    os.unlink(draft)
                raise


def _own_text(path: Path | None) -> str:
    """What a file holds that nobody else may have written; empty where there is none such."""
    if path is None:
        return ""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(number, encoding="utf-8") as file:
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
                return ""
            return file.read()
    except (OSError, ValueError):
        return ""


def _entry(reading: FileReading, identity: str) -> dict[str, Any]:
    label = asdict(reading.label) if reading.label else None
    return {"identity": identity, "label": label, "headers": list(reading.headers)}


def _home() -> Path | None:
    """The folder for it, as the XDG base directory specification has it; None without a home."""
    given = os.environ.get("XDG_CACHE_HOME")
    if given and os.path.isabs(given):
        return Path(given) / "prs.recovery" / "headers"
    with suppress(RuntimeError):
        return Path.home() / ".cache" / "prs.recovery" / "headers"
    return None
