"""ansible.windows.win_share."""

from __future__ import annotations

from typing import Any

from ..drives import normal
from ..errors import WinError
from ..languages import untranslated
from ..models import Task, module
from ..security import WELL_KNOWN
from ..shares import Share

_LEVELS = {"read": "Read", "change": "Change", "full": "Full"}
_EVERYONE = (WELL_KNOWN["Everyone"], "read")


@module("ansible.windows.win_share")
def win_share(task: Task) -> dict[str, Any]:
    name = task.params["name"]
    shares = task.host.shares
    existing = shares.find(name)
    if task.params["state"] == "absent":
        if existing and not task.check_mode:
            shares.remove(name)
        return {
            "changed": existing is not None,
            "actions": [f"Remove-SmbShare -Force -Name {name}"] if existing else [],
        }
    if not task.params["path"]:
        task.fail("Missing required argument: path", actions=[])
    wanted = _wanted_access(task)
    path = task.expand(task.params["path"])
    if not task.files.is_dir(path):
        task.fail(f"{path} directory does not exist on the host", actions=[])
    path = normal(task.files.spelling(path))
    actions: list[str] = []
    if existing is None:
        actions.append(f"New-SmbShare -Name {name} -Path {path}")
        if task.check_mode:
            return {"changed": True, "actions": actions}
        existing = Share(name=name, path=path, access=[_EVERYONE], list_access_based=False)
        shares.add(existing)
    share = Share(**{**vars(existing), "access": list(existing.access)})
    if share.path.lower() != path.lower():
        actions += [f"Remove-SmbShare -Force -Name {name}", f"New-SmbShare -Name {name} -Path {path}"]
        share = Share(name=name, path=path, access=[_EVERYONE])
    _set_properties(task, share, actions)
    _set_access(task, share, wanted, actions)
    if not task.check_mode:
        shares.add(share)
    return {"changed": bool(actions), "actions": actions}


def _wanted_access(task: Task) -> dict[str, list[str]]:
    """SIDs by level; who has more is not listed below it."""
    wanted: dict[str, list[str]] = {}
    for level in ("full", "change", "read", "deny"):
        wanted[level] = []
        for account in (task.params[level] or "").split(","):
            if not account.strip():
                continue
            try:
                sid = task.host.accounts.lookup(account)
            except WinError:
                task.fail(f"account_name {account.strip()} is not a valid account, cannot get SID: {untranslated()}")
            if level == "deny" or not any(
                sid in wanted[higher] for higher in ("full", "change") if higher in wanted and higher != level
            ):
                wanted[level].append(sid)
    return wanted


def _set_properties(task: Task, share: Share, actions: list[str]) -> None:
    modes = (
        ("description", task.params["description"] or "", "Description"),
        ("list_access_based", not task.params["list"], "FolderEnumerationMode"),
        ("caching_mode", task.params["caching_mode"], "CachingMode"),
        ("encrypt", task.params["encrypt"], "EncryptData"),
    )
    for field, value, switch in modes:
        if getattr(share, field) != value:
            setattr(share, field, value)
            shown = {True: "AccessBased", False: "Unrestricted"}[value] if field == "list_access_based" else value
            actions.append(f"Set-SmbShare -Force -Name {share.name} -{switch} {shown}")


def _set_access(task: Task, share: Share, wanted: dict[str, list[str]], actions: list[str]) -> None:
    name_of = task.host.accounts.name_of
    kept: list[tuple[str, str]] = []
    for sid, level in share.access:
        if sid in wanted[level] or task.params["rule_action"] == "add":
            kept.append((sid, level))
            continue
        verb = "Unblock" if level == "deny" else "Revoke"
        actions.append(f"{verb}-SmbShareAccess -Force -Name {share.name} -AccountName {name_of(sid)}")
    for level in ("read", "change", "full", "deny"):
        for sid in wanted[level]:
            if (sid, level) not in kept:
                kept.append((sid, level))
                verb = "Block" if level == "deny" else "Grant"
                right = f" -AccessRight {_LEVELS[level]}" if level in _LEVELS else ""
                actions.append(f"{verb}-SmbShareAccess -Force -Name {share.name} -AccountName {name_of(sid)}{right}")
    share.access = kept
