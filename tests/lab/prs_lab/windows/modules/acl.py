"""ansible.windows.win_acl and win_acl_inheritance, for files and folders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import WinError
from ..filesystem import Security
from ..languages import untranslated
from ..models import Task, module
from ..security import CONTAINER, INHERIT_ONLY, NO_PROPAGATE, OBJECT, Ace, Rights

__all__ = ["parse_rights"]

# FileSystemRights by name, in lower case.
_RIGHTS = {
    "readdata": 1, "listdirectory": 1, "writedata": 2, "createfiles": 2, "appenddata": 4, "createdirectories": 4, "readextendedattributes": 8,
    "writeextendedattributes": 16, "executefile": 32, "traverse": 32, "deletesubdirectoriesandfiles": 64, "readattributes": 128,
    "writeattributes": 256, "write": 278, "delete": 65536, "readpermissions": 131072, "read": 131209, "readandexecute": 131241, "modify": 197055,
    "changepermissions": 262144, "takeownership": 524288, "synchronize": 1048576, "fullcontrol": 2032127,
}  # fmt: skip
_INHERITANCE = {"none": 0, "containerinherit": CONTAINER, "objectinherit": OBJECT}
_PROPAGATION = {"None": 0, "NoPropagateInherit": NO_PROPAGATE, "InheritOnly": INHERIT_ONLY}


def parse_rights(text: str) -> int:
    """The mask of `Modify, Synchronize`; ValueError for a name that is none."""
    mask = 0
    for name in text.split(","):
        try:
            mask |= _RIGHTS[name.strip().lower()]
        except KeyError:
            raise ValueError(name.strip()) from None
    return mask


@module("ansible.windows.win_acl", check_mode=False)
def win_acl(task: Task) -> dict[str, Any]:
    path, account, state = task.params["path"], task.params["user"], task.params["state"]
    if path[:4].upper() in ("HKLM", "HKCU", "HKU:", "CERT"):
        task.fail(f"The lab's Windows twin does not model rights of {path}")
    if not task.files.exists(path):
        task.fail(f"{path} file or directory does not exist on the host")
    sid = _sid(task, account)
    try:
        ace = _entry(task, sid)
        security = task.files.security(path)
        message = _apply(task, path, security, ace, state)
    except (ValueError, WinError) as error:
        reason = (
            error.dotnet
            if isinstance(error, WinError)
            else f"Unable to match the identifier name {error} to a valid enumerator name."
        )
        task.fail(
            f"an error occurred when attempting to {state} {task.params['rights']} permission(s) on {path} for "
            f"{account} - {reason}"
        )
    return {"changed": message is None, **({"msg": message} if message else {})}


def _sid(task: Task, account: str) -> str:
    try:
        return task.host.accounts.lookup(account)
    except WinError:
        if account.lower().startswith("iis apppool\\"):
            task.fail(f"Cannot find path 'IIS:\\AppPools\\{account.split(chr(92), 1)[1]}' because it does not exist.")
        task.fail(f"account_name {account} is not a valid account, cannot get SID: {untranslated()}")


def _entry(task: Task, sid: str) -> Ace:
    inherit = task.params["inherit"]
    if task.files.is_file(task.params["path"]):
        inherit = "None"
    elif inherit is None:
        inherit = "ContainerInherit, ObjectInherit"
    flags = 0
    for name in inherit.split(","):
        flags |= _INHERITANCE[name.strip().lower()]
    allow = task.params["type"] == "allow"
    mask = parse_rights(task.params["rights"])
    # .NET adds Synchronize to what it allows and takes it out of what it denies.
    mask = mask | Rights.SYNCHRONIZE if allow else mask & ~Rights.SYNCHRONIZE if mask != Rights.FULL else mask
    return Ace(sid=sid, mask=mask, allow=allow, inheritance=flags, propagation=_PROPAGATION[task.params["propagation"]])


def _apply(task: Task, path: str, security: Security, ace: Ace, state: str) -> str | None:
    """Change the list; answers the message of the real module where there is nothing to do."""
    same = [known for known in security.entries if replace(known, mask=_whole(known)) == ace]
    own = [known for known in security.entries if not known.inherited]
    if state == "present":
        if same:
            return "the specified rule already exists"
        task.files.set_security(path, entries=_merge(own, ace))
    else:
        if not same:
            return "the specified rule does not exist"
        task.files.set_security(path, entries=[known for known in own if known not in same])
    return None


def _whole(ace: Ace) -> int:
    return ace.mask | Rights.SYNCHRONIZE if ace.allow else ace.mask


def _merge(entries: list[Ace], ace: Ace) -> list[Ace]:
    """AddAccessRule: rights add up with those of an entry for the same account, kind and inheritance."""
    for position, known in enumerate(entries):
        if replace(known, mask=ace.mask) == ace:
            return [*entries[:position], replace(known, mask=known.mask | ace.mask), *entries[position + 1 :]]
    return [*entries, ace]


@module("ansible.windows.win_acl_inheritance")
def win_acl_inheritance(task: Task) -> dict[str, Any]:
    path, wanted = task.expand(task.params["path"]), task.params["state"]
    if not task.files.exists(path):
        task.fail(f"{path} does not exist")
    security = task.files.security(path)
    before = "absent" if security.protected else "present"
    if before == wanted:
        return {"diff": {"before": {"state": before}, "after": {"state": before}}}
    if not task.check_mode:
        _switch(task, path, security, wanted)
    after = before if task.check_mode else wanted
    return {"changed": True, "diff": {"before": {"state": before}, "after": {"state": after}}}


def _switch(task: Task, path: str, security: Security, wanted: str) -> None:
    own = [ace for ace in security.entries if not ace.inherited]
    if wanted == "absent":
        kept = (
            [replace(ace, inherited=False) for ace in security.entries if ace.inherited]
            if task.params["reorganize"]
            else []
        )
        task.files.set_security(path, entries=[*own, *kept], protected=True)
        return
    task.files.set_security(path, entries=own, protected=False)
    if task.params["reorganize"]:
        inherited = {replace(ace, inherited=False) for ace in task.files.security(path).entries if ace.inherited}
        task.files.set_security(path, entries=[ace for ace in own if ace not in inherited])
