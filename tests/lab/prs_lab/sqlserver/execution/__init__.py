"""What statements do. `batch` runs them one after the other; each other file adds its kinds of statements to
`registry`.
"""

from __future__ import annotations

import importlib

__all__ = ["load_executors"]

_MODULES = (
    "queries",
    "language",
    "tables",
    "procedures",
    "locks",
    "databases",
    "attach",
    "principals",
    "users",
    "keys",
    "server",
    "files",
    "drivers",
    "backups",
)


def load_executors() -> None:
    """Import whatever registers executors, procedures and functions."""
    for name in _MODULES:
        importlib.import_module(f".{name}", __name__)
    importlib.import_module("..catalog.functions", __name__)
    for name in ("commands", "endpoints", "monitor"):
        importlib.import_module(f"..mirroring.{name}", __name__)
