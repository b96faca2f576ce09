"""The models of roles/prs_app/files/inspect_web_server.ps1 and inspect_folder.ps1."""

from __future__ import annotations

import base64
from typing import Any

from ..errors import WinError
from ..firewall import OUT, TCP
from ..iis import Pool, Site
from ..models import ScriptCall, ScriptResult, script
from ..modules.acl import parse_rights
from ..modules.firewall_rule import normal_addresses, same_property
from ..pool_schema import ENUMS, canonical_name, show
from ..security import Rights
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
        if isinstance(data := host.registry.get(key.replace(_HIVE, "HKLM\\", 1), name), str | int)
    ]
    rules = call.parameter("Rule") or []
    return ScriptResult(
        changed=False,
        result={
            "iis": host.services.find("W3SVC") is not None,
            "exists": [path for path in texts_of(call, "Path") if call.files.exists(path)],
            "values": values,
            "rules": [rule["name"] for rule in rules if host.firewall.works and _is_settled(call, rule)],
            **_in_iis(call),
        },
    )


def _in_iis(call: ScriptCall) -> dict[str, Any]:
    iis, running = call.host.iis, call.host.services.is_running("W3SVC")
    if not running or not iis.installed or iis.is_denied:
        return {"site": {}, "pool": {}}
    site, pool = iis.site(str(call.parameter("Site") or "")), iis.pool(str(call.parameter("Pool") or ""))
    return {
        "site": _site(site) if site else {},
        "pool": _pool(pool, texts_of(call, "Attribute")) if pool else {},
    }


def _site(site: Site) -> dict[str, Any]:
    return {
        "state": site.state,
        "physical_path": site.root.physical_path,
        "application_pool": site.root.pool,
        "bindings": [
            {
                "protocol": binding.protocol,
                "ip": binding.ip,
                "port": binding.port,
                "hostname": binding.hostname,
                "certificate_hash": binding.certificate_hash.upper(),
            }
            for binding in site.bindings
        ],
    }


def _pool(pool: Pool, names: list[str]) -> dict[str, Any]:
    return {"state": pool.state, "attributes": {name: _attribute(pool, name) for name in names}}


def _attribute(pool: Pool, name: str) -> Any:
    known = canonical_name(name)
    value = show(pool.attributes[known])
    return ENUMS[known].index(value) if known in ENUMS else value


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


@script("inspect_folder")
def inspect_folder(call: ScriptCall) -> ScriptResult:
    path = str(call.parameter("File") or "")
    exists = call.files.is_file(path)
    return ScriptResult(
        changed=False,
        result={
            "rights": parse_rights(str(call.parameter("Rights", "Modify"))) | Rights.SYNCHRONIZE,
            "rules": _rules_of(call, str(call.parameter("Account") or "")),
            "exists": exists,
            "content": _content(call, path) if exists else "",
        },
    )


def _rules_of(call: ScriptCall, account: str) -> list[dict[str, Any]]:
    if not account:
        return []
    try:
        sid = call.host.accounts.lookup(account)
        read = [(path, ace) for path in texts_of(call, "Path") for ace in call.files.security(path).entries]
    except WinError:
        return []
    return [
        {
            "path": path,
            "rights": ace.mask,
            "allow": ace.allow,
            "inherited": ace.inherited,
            "inheritance": ace.inheritance,
            "propagation": ace.propagation,
        }
        for path, ace in read
        if ace.sid == sid
    ]


def _content(call: ScriptCall, path: str) -> str:
    try:
        return base64.b64encode(call.files.read(path)).decode()
    except WinError:
        return ""
