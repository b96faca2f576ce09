"""microsoft.iis.web_app_pool and web_app_pool_info."""

from __future__ import annotations

from typing import Any

from ..iis import DENIED, IisError, Pool
from ..models import Task, module
from ..pool_schema import UnknownAttribute, canonical_name, convert, show
from ..security import pool_sid

__all__ = ["need_administration"]


def need_administration(task: Task) -> None:
    """Without IIS there is no WebAdministration module, and every module of the family ends here. So it does where the
    configuration of IIS may not be read.
    """
    if not task.host.iis.administrable:
        task.fail(
            "Unhandled exception while executing module: The specified module 'WebAdministration' was not loaded "
            "because no valid module "
            "file was found in any module directory."
        )
    if task.host.iis.is_denied:
        task.fail(f"Unhandled exception while executing module: {DENIED}")


@module("microsoft.iis.web_app_pool")
def web_app_pool(task: Task) -> dict[str, Any]:
    need_administration(task)
    iis, name, state = task.host.iis, task.params["name"], task.params["state"]
    pool = iis.pool(name)
    if state == "absent":
        if pool and not task.check_mode:
            iis.remove_pool(name)
        return {"changed": pool is not None}
    changed = pool is None
    if pool is None:
        if task.check_mode:
            return {"changed": True}
        pool = iis.add_pool(name)
    for attribute, value in (task.params["attributes"] or {}).items():
        changed = _set(task, pool, attribute, value) or changed
    try:
        changed = _set_state(task, pool, state) or changed
    except IisError as error:
        task.fail(f"Failed to change the state of Web App Pool {name}: {error}")
    return {"changed": changed}


def _set(task: Task, pool: Pool, attribute: str, value: Any) -> bool:
    """Sets one attribute where it differs; the module's own words when IIS refuses it."""
    try:
        known = canonical_name(attribute)
        wanted = convert(known, value)
    except UnknownAttribute as error:
        task.fail(
            f"Failed to set attribute to Web App Pool {pool.name}. Attribute: {attribute}, Value: {value}, "
            f"Exception: Can not find path or property ({error})"
        )
    current = pool.attributes[known]
    same = (
        current.lower() == wanted.lower()
        if isinstance(current, str) and known != "processModel.password"
        else current == wanted
    )
    if not same and not task.check_mode:
        task.host.iis.set_attribute(pool, known, value)
    return not same


def _set_state(task: Task, pool: Pool, state: str) -> bool:
    iis = task.host.iis
    stopped = pool.state == "Stopped"
    if stopped and state in ("started", "restarted"):
        action = iis.start_pool
    elif not stopped and state == "stopped":
        action = iis.stop_pool
    elif not stopped and state == "restarted":

        def action(name: str) -> None:
            iis.stop_pool(name)
            iis.start_pool(name)
    else:
        return False
    if not task.check_mode:
        action(pool.name)
    return True


@module("microsoft.iis.web_app_pool_info")
def web_app_pool_info(task: Task) -> dict[str, Any]:
    need_administration(task)
    iis, name = task.host.iis, task.params["name"]
    if name is not None:
        pool = iis.pool(name)
        if pool is None:
            task.fail(
                "Failed to fetch the info of the required application pool Exception: Cannot find path "
                f"'IIS:\\AppPools\\{name}' because it "
                "does not exist.",
                exists=False,
                app_pools=[],
            )
        pools = [pool]
    else:
        pools = list(iis.pools.values())
    return {
        "exists": bool(pools),
        "app_pools": [{"name": pool.name, "attributes": _attributes(pool)} for pool in pools],
    }


def _attributes(pool: Pool) -> dict[str, Any]:
    """Nested as the module returns them, without passwords and without collections."""
    result: dict[str, Any] = {"name": pool.name, "state": pool.state, "applicationPoolSid": pool_sid(pool.name)}
    for name, value in pool.attributes.items():
        if "password" in name.lower() or isinstance(value, list):
            continue
        target = result
        *parents, last = name.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = show(value)
    return result
