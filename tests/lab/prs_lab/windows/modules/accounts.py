"""ansible.windows.win_user, win_group_membership, win_user_right."""

from __future__ import annotations

import re
from typing import Any

from ..domain import User, nt_hash
from ..errors import WinError
from ..languages import untranslated
from ..models import Task, module

# option -> field of User
_FIELDS = {
    "fullname": "full_name", "description": "description", "home_directory": "home_directory", "login_script": "login_script", "profile": "profile",
    "account_disabled": "disabled", "account_locked": "locked", "password_expired": "password_expired",
    "password_never_expires": "password_never_expires", "user_cannot_change_password": "user_cannot_change_password",
}  # fmt: skip
_RIGHT = re.compile(r"Se[A-Z]\w+(Privilege|Right)")


@module("ansible.windows.win_user")
def win_user(task: Task) -> dict[str, Any]:
    name, state = task.params["name"], task.params["state"]
    accounts = task.host.accounts
    if task.params["account_locked"]:
        task.fail("account_locked must be set to 'no' if provided")
    user = accounts.users.get(name.lower())
    result: dict[str, Any] = {"changed": False, "name": name}
    if state == "query":
        result.update(msg=f"Querying user '{name}'", state="present" if user else "absent")
    elif state == "absent":
        result.update(
            changed=user is not None,
            state="absent",
            msg=f"User '{name}' deleted successfully" if user else f"User '{name}' was not found",
        )
        if user and not task.check_mode:
            accounts.remove_user(name)
    else:
        result.update(changed=_present(task, user), state="present")
    return {**result, **_described(task, accounts.users.get(name.lower()))}


def _present(task: Task, user: User | None) -> bool:
    params, accounts = task.params, task.host.accounts
    changed = False
    if user is None:
        changed = True
        if task.check_mode:
            return True
        user = accounts.add_user(params["name"], params["password"] or "")
    elif (
        params["password"] is not None
        and params["update_password"] == "always"
        and nt_hash(params["password"]) != user.nt_hash
    ):
        changed = True
        if not task.check_mode:
            user.nt_hash = nt_hash(params["password"])
    for option, field in _FIELDS.items():
        if params[option] is not None and params[option] != getattr(user, field):
            changed = True
            if not task.check_mode:
                setattr(user, field, params[option])
    if params["groups"] is not None:
        changed |= _set_groups(task, user)
    return changed


def _set_groups(task: Task, user: User) -> bool:
    accounts, action = task.host.accounts, task.params["groups_action"]
    wanted = []
    for name in task.params["groups"]:
        if name.strip():
            try:
                wanted.append(
                    accounts.group(name if name.upper().startswith("S-1-") else accounts.name_of(accounts.lookup(name)))
                )
            except WinError:
                task.fail(f"group '{name}' not found")
    current = [group for group in accounts.groups.values() if user.sid in group.members]
    joining = [group for group in wanted if group not in current] if action != "remove" else []
    leaving = [group for group in current if (group in wanted) == (action == "remove")] if action != "add" else []
    if not task.check_mode:
        for group in joining:
            group.members.append(user.sid)
        for group in leaving:
            group.members.remove(user.sid)
    return bool(joining or leaving)


def _described(task: Task, user: User | None) -> dict[str, Any]:
    if user is None:
        return {}
    accounts, host = task.host.accounts, task.host
    place = f"WinNT://{host.domain or 'WORKGROUP'}/{host.name}"
    groups = [
        {"name": group.name, "path": f"{place}/{group.name}"}
        for group in accounts.groups.values()
        if user.sid in group.members
    ]
    return {
        "fullname": user.full_name, "path": f"{place}/{user.name}", "description": user.description,
        "password_expired": user.password_expired, "password_never_expires": user.password_never_expires,
        "user_cannot_change_password": user.user_cannot_change_password, "account_disabled": user.disabled, "account_expires": "never",
        "account_locked": user.locked, "sid": user.sid, "groups": groups,
    }  # fmt: skip


@module("ansible.windows.win_group_membership")
def win_group_membership(task: Task) -> dict[str, Any]:
    accounts = task.host.accounts
    name, state = task.params["name"], task.params["state"]
    try:
        group = accounts.group(name)
    except WinError:
        task.fail(f"Could not find local group {name}", name=name)
    wanted = []
    for member in task.params["members"]:
        try:
            wanted.append(accounts.lookup(member))
        except WinError:
            task.fail(f"account_name {member} is not a valid account, cannot get SID: {untranslated()}")
    after = list(group.members)
    added = [sid for sid in dict.fromkeys(wanted) if state != "absent" and sid not in after]
    removed = [sid for sid in after if (sid in wanted if state == "absent" else state == "pure" and sid not in wanted)]
    after = [sid for sid in [*after, *added] if sid not in removed]
    if not task.check_mode:
        group.members = after
    result: dict[str, Any] = {
        "changed": bool(added or removed),
        "name": name,
        "members": [accounts.name_of(sid) for sid in after],
    }
    if state != "absent":
        result["added"] = [accounts.name_of(sid) for sid in added]
    if state != "present":
        result["removed"] = [accounts.name_of(sid) for sid in removed]
    return result


@module("ansible.windows.win_user_right")
def win_user_right(task: Task) -> dict[str, Any]:
    accounts = task.host.accounts
    name, action = task.params["name"], task.params["action"]
    wanted = []
    for user in task.params["users"]:
        try:
            wanted.append(accounts.lookup(user))
        except WinError:
            task.fail(f"Failed to translate the account '{user}' to a SID")
    if not _RIGHT.fullmatch(name):
        task.fail(f"the specified right {name} is not a valid right")
    before = accounts.rights.get(name, [])
    added = [sid for sid in dict.fromkeys(wanted) if action != "remove" and sid not in before]
    removed = [
        sid for sid in before if (sid in wanted if action == "remove" else action == "set" and sid not in wanted)
    ]
    after = [sid for sid in [*before, *added] if sid not in removed]
    if not task.check_mode:
        accounts.rights[name] = after

    def names(sids: list[str]) -> list[str]:
        return [accounts.name_of(sid) for sid in sids]

    return {
        "changed": bool(added or removed), "added": names(added), "removed": names(removed),
        "diff": {"before": {name: names(before)}, "after": {name: names(after)}},
    }  # fmt: skip
