"""The lab's stand-in for a .NET assembly: recognisable, versioned, and it shows when it was damaged.

A file is ``MZ``, one line ``PRSLAB-ASSEMBLY {json}`` (name, version, references, length and SHA-256 of the rest), then
the rest. As with a real assembly, a missing reference or a damaged file is found when the application loads it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

__all__ = ["Assembly", "BadImage", "build", "read"]

_MARK = b"MZ\nPRSLAB-ASSEMBLY "


class BadImage(Exception):
    """The file is no whole assembly (what .NET calls BadImageFormatException)."""


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """What an assembly says about itself; ``references`` are names of assemblies without ``.dll``."""

    name: str
    version: str
    references: tuple[str, ...] = ()


def build(assembly: Assembly, *, size: int) -> bytes:
    """An assembly file of about ``size`` bytes, the same bytes for the same input."""
    body = hashlib.shake_128(f"{assembly.name} {assembly.version}".encode()).digest(size)
    head = {
        "name": assembly.name,
        "version": assembly.version,
        "references": list(assembly.references),
        "length": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return _MARK + json.dumps(head).encode() + b"\n" + body


def read(data: bytes) -> Assembly:
    """What the file says; raises BadImage when it is not whole."""
    if not data.startswith(_MARK):
        raise BadImage("the format of the file is invalid")
    line, _, body = data[len(_MARK) :].partition(b"\n")
    try:
        head = json.loads(line)
        if len(body) != head["length"] or hashlib.sha256(body).hexdigest() != head["sha256"]:
            raise BadImage("the file is damaged")
        return Assembly(name=head["name"], version=head["version"], references=tuple(head["references"]))
    except (ValueError, KeyError) as error:
        raise BadImage("the file is damaged") from error
