"""How a part (registry, services, IIS ...) is attached to a host: one class with a decorator, kept and reset like all
others.

    @host_part("iis")
    class Iis(Part):
        def reset(self): ...                 # what a fresh, empty server has; called at first and after a wipe
        def to_state(self): ...              # JSON types
        def load_state(self, state): ...     # what to_state gave

It is then found as `host.iis`. Every file of this package is imported when the first host is made, so defining it is
enough. Parts are made in the order of `_FIRST`, then by name; a constructor only wires things (hooks on
`host.services`, names in `host.accounts.virtual_accounts`), the host calls `reset()` when all are made. What changes
state does so under `host.lock`; whoever changes it outside of a module, script or command (which do it for it) calls
`host.changed()`, so that it is kept.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["Part", "attach_parts", "host_part"]

_PARTS: dict[str, type[Part]] = {}
_FIRST = ("accounts", "registry", "environment", "services", "shares")


class Part:
    """A piece of a host's state."""

    def __init__(self, host: WindowsHost) -> None:
        self.host = host

    def reset(self) -> None:
        """Become what a fresh server has. Called when the host is made, and again when it is wiped."""

    def to_state(self) -> Any:
        return {}

    def load_state(self, state: Any) -> None:
        pass

    def booted(self) -> None:
        """The host has started (after services with automatic start)."""

    def stopping(self, *, crash: bool) -> None:
        """The host goes down; `crash` means without warning."""


_AnyPart = TypeVar("_AnyPart", bound=type[Part])


def host_part(name: str) -> Callable[[_AnyPart], _AnyPart]:
    """Attach a class as `host.<name>` to every host."""

    def register(part: _AnyPart) -> _AnyPart:
        _PARTS[name] = part
        return part

    return register


def attach_parts(host: WindowsHost) -> dict[str, Part]:
    """Make every part of a host, set it as an attribute, then reset all: the host is fresh."""
    package = importlib.import_module(__package__ or "")
    for found in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{found.name}")
    order = [*(name for name in _FIRST if name in _PARTS), *sorted(set(_PARTS) - set(_FIRST))]
    parts: dict[str, Part] = {}
    for name in order:
        parts[name] = _PARTS[name](host)
        setattr(host, name, parts[name])
    for part in parts.values():
        part.reset()
    return parts
