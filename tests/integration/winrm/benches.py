"""Where a case of a verb runs: on the twin, in a PowerShell on PATH, or in a PowerShell for Windows under Wine.

`pwsh` is PowerShell 7 of this machine's own system. `winpwsh` is any program of that name that hands its arguments to a
PowerShell for Windows whose drive C: is the folder drive_c of WINEPREFIX (~/.winps unless the environment says so).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import Conversation
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session

from .local_powershell import PowerShellBench
from .windows_twins import Twins

__all__ = ["PWSH", "WINPWSH", "TwinBench", "WineBench", "wine_folder"]

PWSH = shutil.which("pwsh")
WINPWSH = shutil.which("winpwsh")
DRIVE = Path(os.environ.get("WINEPREFIX", "~/.winps")).expanduser() / "drive_c"


class TwinBench:
    """The twin's model, over WinRM."""

    def __init__(self, twins: Twins, session: Session) -> None:
        self.root = "C:\\case"
        self._twins = twins
        self._session = session
        twins.files.make_dir(self.root)

    def put(self, name: str, data: bytes) -> None:
        path = f"{self.root}\\{name}"
        self._twins.files.make_dir(path.replace("/", "\\")) if name.endswith("/") else self._twins.write(path, data)

    def mark_read_only(self, name: str) -> None:
        self._twins.files.set_read_only(f"{self.root}\\{name}", True)

    def tree(self) -> dict[str, bytes]:
        result = {}
        for path, state in self._twins.files.walk(self.root):
            name = path[len(self.root) + 1 :].replace("\\", "/")
            if not state.is_dir:
                result[name] = self._twins.files.read(path)
            elif not self._twins.files.list(path):
                result[f"{name}/"] = b""
        return result

    def call(self, script: str, *, items: Sequence[Any], **parameters: Any) -> list[Any]:
        return self._session.call(script, doing="Trying", items=items, **parameters)


class WineBench(PowerShellBench):
    """The real script, with Windows' drives, paths and error numbers."""

    def __init__(self, folder: Path, conversation: Conversation) -> None:
        super().__init__(folder, conversation)
        self.root = "C:\\" + "\\".join(folder.relative_to(DRIVE).parts)


@contextmanager
def wine_folder() -> Iterator[Path]:
    """A folder on Wine's drive C:, which is there once a PowerShell has been started."""
    folder = Path(tempfile.mkdtemp(prefix="prs-case-", dir=DRIVE))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
