"""community.windows.win_firewall_rule."""

from __future__ import annotations

from typing import Any

from ..errors import WinError
from ..firewall import ALL_PROFILES, Rule
from ..models import Task, module

__all__ = ["normal_addresses", "same_property"]

_PROTOCOLS = {"tcp": 6, "udp": 17}
_PROFILES = {"domain": 1, "private": 2, "public": 4}
_EDGE = {"no": 0, "yes": 1, "deferapp": 2, "deferuser": 3}
_SECURITY = {"notrequired": 0, "authnoencap": 1, "authenticate": 2, "authdynenc": 3, "authenc": 4}
_INTERFACES = {"wireless": "Wireless", "lan": "Lan", "ras": "RemoteAccess"}
# property of the rule -> option of the module, in the order in which the module compares
_COMPARED = {
    "Description": "description", "Direction": "direction", "Action": "action", "ApplicationName": "program", "Grouping": "group",
    "ServiceName": "service", "Enabled": "enabled", "Profiles": "profiles", "LocalAddresses": "localip", "RemoteAddresses": "remoteip",
    "LocalPorts": "localport", "RemotePorts": "remoteport", "Protocol": "protocol", "InterfaceTypes": "interfacetypes",
    "EdgeTraversalOptions": "edge", "SecureFlags": "security", "IcmpTypesAndCodes": "icmp_type_code",
}  # fmt: skip


@module("community.windows.win_firewall_rule")
def win_firewall_rule(task: Task) -> dict[str, Any]:
    params, firewall = task.params, task.host.firewall
    name, group = params["name"], params["group"]
    if not name and not group:
        task.fail("Either name or group must be specified")
    if not firewall.works:
        task.fail(f"{WinError(1753).text} (Exception from HRESULT: 0x800706D9)")
    existing = firewall.named(name) if name else firewall.grouped(group)
    lines: list[str] = []
    if params["state"] == "absent":
        message = _remove(task, existing, lines)
        return {"changed": bool(existing), "msg": message, "diff": {"prepared": "".join(lines)}}
    wanted = _wanted(task)
    if not existing:
        if not name:
            return {"changed": False, "diff": {"prepared": ""}}
        lines += [f"+[{wanted.Name}]\n", *(f"+{prop}='{_shown(wanted, prop)}'\n" for prop in _COMPARED)]
        if not task.check_mode:
            firewall.add(wanted)
        return {"changed": True, "msg": f"Firewall rule '{name}' created.", "diff": {"prepared": "".join(lines)}}
    changed, unchanged = [], []
    for rule in existing:
        (changed if _adjust(task, rule, wanted, lines) else unchanged).append(rule.Name)
    return {
        "changed": bool(changed),
        "msg": f"Firewall rule(s) changed '{_joined(changed)}' - unchanged '{_joined(unchanged)}'",
        "diff": {"prepared": "".join(lines)},
    }


def _remove(task: Task, existing: list[Rule], lines: list[str]) -> str:
    if not existing:
        name = task.params["name"]
        return (
            f"Firewall rule '{name}' does not exist."
            if name
            else f"No firewall rules in group '{task.params['group']}' exist."
        )
    for rule in existing:
        lines += [f"-[{rule.Name}]\n", *(f"-{prop}='{_shown(rule, prop)}'\n" for prop in _COMPARED)]
        if not task.check_mode:
            task.host.firewall.remove(rule)
    return f"Firewall rule(s) '{_joined([rule.Name for rule in existing])}' removed."


def _wanted(task: Task) -> Rule:
    """The rule that the options describe; what they leave out is as a new rule has it."""
    params = task.params
    rule = Rule(Name=params["name"] or "", Enabled=True if params["enabled"] is None else bool(params["enabled"]))
    rule.Description, rule.Grouping = params["description"], params["group"]
    if params["program"] and params["program"] != "any":
        rule.ApplicationName = task.expand(params["program"])
    if params["service"] and params["service"] != "any":
        rule.ServiceName = params["service"]
    if params["protocol"] and params["protocol"] != "any":
        rule.Protocol = _protocol(task, params["protocol"])
    for option, prop in (
        ("localport", "LocalPorts"),
        ("remoteport", "RemotePorts"),
        ("localip", "LocalAddresses"),
        ("remoteip", "RemoteAddresses"),
    ):
        if params[option] and params[option] != "any":
            if prop.endswith("Ports") and rule.Protocol not in _PROTOCOLS.values():
                task.fail("Value does not fall within the expected range.")
            setattr(rule, prop, normal_addresses(params[option]) if prop.endswith("Addresses") else params[option])
    if params["icmp_type_code"] is not None:
        rule.IcmpTypesAndCodes = ",".join(params["icmp_type_code"])
    if params["direction"] is not None:
        rule.Direction = {"in": 1, "out": 2}[params["direction"]]
    if params["action"] is not None:
        rule.Action = {"block": 0, "allow": 1}[params["action"]]
    if params["profiles"] is not None:
        total = sum({_profile(task, profile) for profile in params["profiles"]})
        rule.Profiles = ALL_PROFILES if total == 7 else total
    if params.get("interfacetypes") not in (None, ["any"]):
        rule.InterfaceTypes = ",".join(
            _INTERFACES.get(kind) or task.fail(f"Unknown interface type '{kind}'.") for kind in params["interfacetypes"]
        )
    rule.EdgeTraversalOptions = _EDGE[params.get("edge") or "no"]
    rule.SecureFlags = _SECURITY[params.get("security") or "notrequired"]
    return rule


def _adjust(task: Task, rule: Rule, wanted: Rule, lines: list[str]) -> bool:
    """Compares what the task names, and sets what differs."""
    lines.append(f"[{rule.Name}]\n")
    changed = False
    for prop, option in _COMPARED.items():
        if task.params.get(option) is None or same_property(prop, getattr(rule, prop), getattr(wanted, prop)):
            continue
        lines += [f"-{prop}='{_shown(rule, prop)}'\n", f"+{prop}='{_shown(wanted, prop)}'\n"]
        changed = True
        if not task.check_mode:
            setattr(rule, prop, getattr(wanted, prop))
    return changed


def same_property(prop: str, current: Any, wanted: Any) -> bool:
    if prop.endswith("Addresses"):
        return sorted((current or "*").split(",")) == sorted((wanted or "*").split(","))
    if isinstance(current, str) and isinstance(wanted, str):
        return current.lower() == wanted.lower()
    return current == wanted


def normal_addresses(text: str) -> str:
    """As the firewall gives them back: single addresses and networks with their mask."""
    parts = []
    for part in (part.strip() for part in text.split(",")):
        if "/" in part or "-" in part or not part[:1].isdigit():
            parts.append(_long_mask(part))
        else:
            parts.append(f"{part}/255.255.255.255")
    return ",".join(parts)


def _long_mask(part: str) -> str:
    import ipaddress

    address, slash, mask = part.partition("/")
    return f"{address}/{ipaddress.ip_network(part, strict=False).netmask}" if slash and mask.isdigit() else part


def _protocol(task: Task, text: str) -> int:
    if text.isdigit():
        return int(text)
    known = {**_PROTOCOLS, "icmpv4": 1, "icmpv6": 58}
    return known.get(text.lower()) or task.fail(f"Unknown protocol '{text}'.")


def _profile(task: Task, text: str) -> int:
    return _PROFILES.get(text.lower()) or task.fail(f"Unknown profile '{text}'.")


def _shown(rule: Rule, prop: str) -> str:
    value = getattr(rule, prop)
    return "" if value is None else str(value)


def _joined(names: list[str]) -> str:
    return "', '".join(names)
