"""ansible.windows.win_service and win_service_info."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..domain import nt_hash
from ..errors import WinError
from ..languages import untranslated
from ..models import Task, module
from ..services import Service

_SYSTEM = "S-1-5-18"
# Options that are kept as they are given, by the field of the same name.
_PLAIN = (
    "display_name", "path", "start_mode", "error_control", "load_order_group", "pre_shutdown_timeout_ms", "service_type", "sid_info",
    "failure_actions_on_non_crash_failure", "failure_reset_period_sec",
)  # fmt: skip
# Options where an empty text takes the value away.
_ERASABLE = ("description", "failure_command", "failure_reboot_msg")
_WIN_SERVICE_STATES = {"running": "running", "stopped": "stopped", "paused": "paused"}
_INFO_STATES = {"running": "started", "stopped": "stopped", "paused": "paused"}


@module("ansible.windows.win_service")
def win_service(task: Task) -> dict[str, Any]:
    params = dict(task.params)
    if params["password"] is not None and params["username"] is None:
        task.fail("missing parameter(s) required by 'password': username")
    services = task.host.services
    existing = services.find(params["name"])
    before = _diff(existing) if existing else ""
    if params["state"] == "absent":
        if existing and not task.check_mode:
            _stop(task, existing)
            services.remove(existing.name)
        return {"changed": existing is not None, "exists": False, "diff": {"before": before, "after": ""}}
    ignored = ("name", "force_dependent_services", "update_password", "desktop_interact", "dependency_action")
    asked = (
        any(value is not None for name, value in params.items() if name not in ignored) or params["desktop_interact"]
    )
    if existing is None and not asked:
        return {"exists": False, "diff": {"before": "", "after": ""}}
    if existing is None and params["path"] is None:
        task.fail(
            f"Service '{params['name']}' is not installed, need to set 'path' to create a new service", exists=False
        )
    return _present(task, params, existing, before)


def _present(task: Task, params: dict[str, Any], existing: Service | None, before: Any) -> dict[str, Any]:
    path = task.expand(params["path"]) if params["path"] else None
    params["path"] = path
    service = existing or Service(name=params["name"], display_name=params["name"], path=path or "")
    wanted = replace(service)
    changed = existing is None
    for name in _PLAIN:
        if params[name] not in (None, "") and params[name] != getattr(wanted, name):
            setattr(wanted, name, params[name])
            changed = True
    for name in _ERASABLE:
        if params[name] is not None and (params[name] or None) != getattr(wanted, name):
            setattr(wanted, name, params[name] or None)
            changed = True
    changed |= _set_lists(params, wanted)
    changed |= _set_account(task, params, wanted, is_new=existing is None)
    if params["desktop_interact"] and task.host.accounts.sid_of(wanted.account) != _SYSTEM:
        task.fail("Can only set 'desktop_interact' to true when 'username' equals 'SYSTEM'")
    if wanted.desktop_interact != bool(params["desktop_interact"]):
        wanted.desktop_interact, changed = bool(params["desktop_interact"]), True
    if not task.check_mode:
        if existing is None:
            service = task.host.services.add(wanted)
        else:
            for name in vars(wanted):
                if name not in ("state", "process_id"):
                    setattr(service, name, getattr(wanted, name))
    changed |= _set_state(task, params["state"], service)
    shown = wanted if task.check_mode else service
    return {
        "changed": changed,
        **_result(task, shown, params["state"] if task.check_mode else None),
        "diff": {"before": before, "after": _diff(shown)},
    }


def _set_lists(params: dict[str, Any], wanted: Service) -> bool:
    changed = False
    if params["dependencies"] is not None:
        given, action = params["dependencies"], params["dependency_action"]
        kept = [name for name in wanted.dependencies if action == "add" or (action == "set") == (name in given)]
        new = kept if action == "remove" else [*kept, *(name for name in given if name not in kept)]
        if set(new) != set(wanted.dependencies):
            wanted.dependencies, changed = new, True
    if params["required_privileges"] is not None and set(params["required_privileges"]) != set(
        wanted.required_privileges
    ):
        wanted.required_privileges, changed = params["required_privileges"], True
    if params["failure_actions"] is not None:
        actions = [
            {"type": action["type"], "delay_ms": int(action["delay_ms"])} for action in params["failure_actions"]
        ]
        if actions != wanted.failure_actions:
            wanted.failure_actions, changed = actions, True
    return changed


def _set_account(task: Task, params: dict[str, Any], wanted: Service, *, is_new: bool) -> bool:
    accounts = task.host.accounts
    changed = False
    update = params["update_password"] == "always" or is_new
    if params["username"]:
        try:
            is_system = params["username"].lower() == "localsystem"
            sid = _SYSTEM if is_system else accounts.lookup(params["username"])
        except WinError:
            # A virtual account comes into being with its service, so its name may be that of the service being made.
            if params["username"].lower() != f"nt service\\{wanted.name}".lower():
                task.fail(untranslated())
            sid, name = "", f"NT SERVICE\\{wanted.name}"
        else:
            name = accounts.english(accounts.name_of(sid))  # the service manager speaks no other language
        if name != wanted.account:
            wanted.account, changed, update = name, True, True
            if sid and not task.check_mode:
                _grant_service_logon(task, sid)
    if params["password"] and update:
        wanted.password_hash, changed = nt_hash(params["password"]), True
    return changed


def _grant_service_logon(task: Task, sid: str) -> None:
    """The service manager lets the account of a service log on as one."""
    holders = task.host.accounts.rights.setdefault("SeServiceLogonRight", [])
    if sid not in holders and not sid.startswith(("S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-80-")):
        holders.append(sid)


def _set_state(task: Task, wanted: str | None, service: Service) -> bool:
    actions: dict[str, Callable[[], None]] = {
        "started": lambda: task.host.services.start(service.name),
        "stopped": lambda: _stop(task, service),
        "restarted": lambda: _restart(task, service),
    }
    target = {"started": "running", "stopped": "stopped", "paused": "paused"}.get(wanted or "")
    if wanted is None or service.state == target:
        return False
    if wanted == "paused":
        task.fail(f"failed to pause service {service.name}: The service does not support pausing")
    if not task.check_mode:
        try:
            actions[wanted]()
        except WinError as error:
            verb = "start" if wanted != "stopped" else "stop"
            task.fail(
                f"Unhandled exception while executing module: Failed to {verb} service '{service.display_name} "
                f"({service.name})': "
                f"{error.text} (Win32 error {error.number})"
            )
    return True


def _stop(task: Task, service: Service) -> None:
    if task.params["force_dependent_services"]:
        task.host.services.stop(service.name, force=True)
        return
    try:
        task.host.services.stop(service.name)
    except WinError as error:
        if error.number != 1051:
            raise
        task.fail(
            f"Unhandled exception while executing module: Cannot stop service '{service.display_name} "
            f"({service.name})' because it has dependent "
            "services. It can only be stopped if the Force flag is set."
        )


def _restart(task: Task, service: Service) -> None:
    """Restart-Service: with -Force the dependents that ran run again, without it they keep the service from stopping."""
    if not task.params["force_dependent_services"] and service.state != "stopped":
        _stop(task, service)
        task.host.services.start(service.name)
        return
    task.host.services.restart(service.name)


def _result(task: Task, service: Service, state: str | None) -> dict[str, Any]:
    is_system = service.account == "NT AUTHORITY\\SYSTEM"
    wanted = {"started": "running", "restarted": "running"}.get(state or "", state)
    return {
        "can_pause_and_continue": False, "depended_by": [dependent.name for dependent in task.host.services.dependents(service.name)],
        "dependencies": service.dependencies, "description": service.description, "desktop_interact": service.desktop_interact,
        "display_name": service.display_name, "exists": True, "name": service.name, "path": service.path, "start_mode": service.start_mode,
        "state": wanted or service.state, "username": "LocalSystem" if is_system else service.account,
    }  # fmt: skip


def _shared(service: Service) -> dict[str, Any]:
    """What win_service shows as its diff and win_service_info returns alike."""
    return {
        "dependencies": service.dependencies, "description": service.description, "desktop_interact": service.desktop_interact,
        "display_name": service.display_name, "error_control": service.error_control, "failure_actions": service.failure_actions,
        "failure_actions_on_non_crash_failure": service.failure_actions_on_non_crash_failure, "failure_command": service.failure_command,
        "failure_reboot_msg": service.failure_reboot_msg, "failure_reset_period_sec": service.failure_reset_period_sec,
        "load_order_group": service.load_order_group, "name": service.name, "path": service.path,
        "pre_shutdown_timeout_ms": service.pre_shutdown_timeout_ms, "required_privileges": service.required_privileges,
        "service_type": service.service_type, "sid_info": service.sid_info, "start_mode": service.start_mode, "state": _INFO_STATES[service.state],
        "username": service.account,
    }  # fmt: skip


def _diff(service: Service) -> dict[str, Any]:
    return {**_shared(service), "password": "REDACTED"}


@module("ansible.windows.win_service_info")
def win_service_info(task: Task) -> dict[str, Any]:
    wanted = (task.params["name"] or "*").lower()
    found = [service for service in task.host.services.all() if fnmatch.fnmatchcase(service.name.lower(), wanted)]
    if not found:
        found = [service for service in task.host.services.all() if service.display_name.lower() == wanted]
    return {"exists": bool(found), "services": [_info(task, service) for service in found]}


def _info(task: Task, service: Service) -> dict[str, Any]:
    running = service.state == "running"
    return {
        **_shared(service), "checkpoint": 0, "controls_accepted": ["stop", "shutdown"] if running else [],
        "dependency_of": [dependent.name for dependent in task.host.services.dependents(service.name)], "launch_protection": "none",
        "preferred_node": None, "process_id": service.process_id, "service_exit_code": 0, "service_flags": [], "triggers": [],
        "wait_hint_ms": 0, "win32_exit_code": 0 if running else 1077,
    }  # fmt: skip
