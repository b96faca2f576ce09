"""Installers of the lab and the list of installed products.

A file whose first line is ``PRSLAB-MEDIA {json}`` is an installer; ``product`` in it says which. What is installed
shows where Windows shows it: below ``Uninstall`` in the registry, and for an MSI with its product code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .filesystem import FileView

__all__ = ["MARK", "UNINSTALL", "Media", "read_media", "register", "registered", "unregister"]

MARK = b"PRSLAB-MEDIA "
UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
_LONGEST_HEAD = 4096


@dataclass(frozen=True, kw_only=True)
class Media:
    """An installer: ``product`` is its kind, ``facts`` everything that its first line says, ``payload`` what follows."""

    path: str
    product: str
    facts: dict[str, Any]
    payload_start: int

    def payload(self, files: FileView) -> bytes:
        return files.read(self.path)[self.payload_start :]


def read_media(files: FileView, path: str) -> Media | None:
    """What the file says it installs, None for any other file; raises WinError as opening it does."""
    with files.open(path, "rb") as file:
        head = file.read(_LONGEST_HEAD)
    if not head.startswith(MARK):
        return None
    line, _, _ = head.partition(b"\n")
    facts = json.loads(line[len(MARK) :])
    return Media(path=path, product=facts["product"], facts=facts, payload_start=len(line) + 1)


def register(host: Any, *, product_id: str, name: str, version: str, uninstall: str = "", **values: str) -> None:
    """Adds a product to the list of installed programs."""
    key = f"{UNINSTALL}\\{product_id}"
    for entry, value in {
        "DisplayName": name,
        "DisplayVersion": version,
        "UninstallString": uninstall,
        **values,
    }.items():
        if value:
            host.registry.set(key, entry, value)


def registered(host: Any, product_id: str) -> bool:
    return host.registry.exists(f"{UNINSTALL}\\{product_id}")


def unregister(host: Any, product_id: str) -> None:
    host.registry.delete_key(f"{UNINSTALL}\\{product_id}")
