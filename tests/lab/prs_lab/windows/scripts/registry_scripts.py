"""The model of roles/estate/files/set_registry_values.ps1."""

from __future__ import annotations

from typing import Any

from ..models import ScriptCall, ScriptResult, script

__all__: list[str] = []

_TYPES = {"string": "String", "dword": "DWord"}


@script("set_registry_values")
def set_registry_values(call: ScriptCall) -> ScriptResult:
    registry = call.host.registry
    differing: list[str] = []
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for wanted in call.parameter("Value"):
        key, name = wanted["key"].replace("HKLM:\\", "HKLM\\", 1), wanted["name"]
        kind = "dword" if str(wanted.get("type") or "").lower() == "dword" else "string"
        data: int | str = int(wanted["data"]) if kind == "dword" else str(wanted["data"])
        found = registry.value(key, name) if registry.exists(key) else None
        if found == (kind, data):
            continue
        differing.append(name)
        old = before.setdefault(wanted["key"], {})
        if found:
            old[name] = {"type": _TYPES.get(found[0], found[0]), "data": found[1]}
        after.setdefault(wanted["key"], {})[name] = {"type": _TYPES[kind], "data": data}
        if not call.check_mode:
            registry.create(key)
            registry.set(key, name, data, kind)
    return ScriptResult(changed=bool(differing), result={"set": differing}, diff={"before": before, "after": after})
