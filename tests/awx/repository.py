"""The estate's repository, which a real AWX fetches by Git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from awx_lab import copy_repository

__all__ = ["Repository"]


class Repository:
    def __init__(self, folder: Path):
        self.folder, self.url = folder, f"file://{folder}"
        copy_repository(folder)
        self._git("init", "--quiet")
        self.push("main")

    def push(self, branch: str) -> None:
        """What lies in the folder is what AWX fetches of that branch from now on."""
        who = ["-c", "user.name=estate", "-c", "user.email=estate@example.com"]
        self._git("checkout", "--quiet", "-B", branch)
        self._git("add", "--all")
        self._git(*who, "commit", "--quiet", "--message", "Estate")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", self.folder, *arguments], check=True)
