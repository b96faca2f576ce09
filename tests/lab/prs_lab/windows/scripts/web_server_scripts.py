"""The model of roles/prs_app/files/inspect_web_server.ps1."""

from __future__ import annotations

from typing import Any

from ..firewall import OUT, TCP
from ..models import ScriptCall, ScriptResult, script
from ..modules.firewall_rule import normal_addresses, same_property
from .parameters import texts_of

__all__: list[str] = []

_HIVE = "HKLM:\\"


@script("inspect_web_server")
def inspect_web_server(call: ScriptCall) -> ScriptResult:
    host = call.host
    values = [
        {"key": key, "name": name, "data": data}
        for key in texts_of(call, "RegistryKey")
        for name in texts_of(call, "RegistryName")
        if isinstance(data := host.registry.get(key.replace(_HIVE, "HKLM\\", 1), name), str)
    ]
    rules = call.parameter("Rule") or []
    return ScriptResult(
        changed=False,
        result={
            "iis": host.services.find("W3SVC") is not None,
            "exists": [path for path in texts_of(call, "Path") if call.files.exists(path)],
            "values": values,
            "rules": [rule["name"] for rule in rules if host.firewall.works and _is_settled(call, rule)],
        },
    )


def _is_settled(call: ScriptCall, rule: dict[str, Any]) -> bool:
    wanted = {
        "Description": rule["description"],
        "Direction": OUT,
        "Action": {"block": 0, "allow": 1}[rule["action"]],
        "Enabled": True,
        "ApplicationName": call.expand(rule["program"]),
        "Protocol": TCP,
        "RemotePorts": rule["remote_ports"],
        "RemoteAddresses": normal_addresses(rule["remote_addresses"]),
    }
    found = call.host.firewall.named(rule["name"])
    return bool(found) and all(
        same_property(name, getattr(one, name), value) for one in found for name, value in wanted.items()
    )
