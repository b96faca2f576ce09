"""microsoft.iis.website, website_info, web_application, web_application_info."""

from __future__ import annotations

from typing import Any

from ..iis import Application, Binding, IisError, Site
from ..models import Task, module
from .iis_pools import need_administration

__all__: list[str] = []


@module("microsoft.iis.website")
def website(task: Task) -> dict[str, Any]:
    need_administration(task)
    iis, params = task.host.iis, task.params
    name, state = params["name"], params["state"]
    site = iis.site(name)
    changed = False
    try:
        if site is None and state != "absent":
            _need_folder(task, required=True)
            changed = True
            if not task.check_mode:
                site = iis.add_site(
                    name=name,
                    physical_path=_full_name(task, params["physical_path"]),
                    pool=params["application_pool"] or "DefaultAppPool",
                    number=int(params["site_id"]) if params["site_id"] else None,
                )
        if site is not None and state == "absent":
            if not task.check_mode:
                iis.remove_site(name)
            return {"changed": True}
        if site is None:
            return {"changed": changed}
        changed = _set_root(task, site) or changed
        changed = _set_bindings(task, site) or changed
        changed = _set_site_state(task, site, state) or changed
    except IisError as error:
        task.fail(f"System.Collections.Hashtable - {error}")
    return {"changed": changed}


def _need_folder(task: Task, *, required: bool) -> None:
    path = task.params["physical_path"]
    if not path:
        if required:
            task.fail("missing required arguments: physical_path")
    elif not task.files.exists(path):
        task.fail("specified folder must already exist: physical_path")


def _full_name(task: Task, path: str) -> str:
    """The folder as Get-Item writes it: no slash at the end."""
    return path.replace("/", "\\").rstrip("\\") if len(path) > 3 else path


def _set_root(task: Task, site: Site) -> bool:
    changed = False
    path, pool = task.params["physical_path"], task.params["application_pool"]
    if path:
        _need_folder(task, required=True)
        wanted = _full_name(task, path)
        if wanted.lower() != site.root.physical_path.lower():
            changed = True
            if not task.check_mode:
                site.root.physical_path = wanted
    if pool and pool.lower() != site.root.pool.lower():
        changed = True
        if not task.check_mode:
            site.root.pool = pool
    return changed


def _set_bindings(task: Task, site: Site) -> bool:
    wanted = task.params["bindings"] or {}
    exact, added, removed = wanted.get("set"), wanted.get("add") or [], wanted.get("remove") or []
    if exact is None and not added and not removed:
        return False
    known = {binding.information: binding for binding in site.bindings}
    given = {_information(entry): entry for entry in (exact if exact is not None else added)}
    if exact is not None:
        gone = [information for information in known if information not in given]
    else:
        gone = [information for information in known if information in {_information(entry) for entry in removed}]
    changed = bool(gone)
    for information, entry in given.items():
        if information in known:
            changed = _edit(task, known[information], entry) or changed
        else:
            flags = _flags(task, entry)
            changed = True
            if not task.check_mode:
                site.bindings.append(_binding(entry, flags))
    if not task.check_mode:
        site.bindings = [binding for binding in site.bindings if binding.information not in gone]
        task.host.iis.sync()
    return changed


def _information(entry: dict[str, Any]) -> str:
    return f"{entry.get('ip') or ''}:{entry.get('port') or ''}:{entry.get('hostname') or ''}"


def _binding(entry: dict[str, Any], flags: int) -> Binding:
    return Binding(
        ip=entry.get("ip") or "*",
        port=int(entry.get("port") or (443 if entry["protocol"] == "https" else 80)),
        hostname=entry.get("hostname") or "",
        protocol=entry["protocol"],
        ssl_flags=flags,
        certificate_hash=(entry.get("certificate_hash") or "").upper(),
        certificate_store=(entry.get("certificate_store_name") or "my") if entry["protocol"] == "https" else "",
    )


def _edit(task: Task, binding: Binding, entry: dict[str, Any]) -> bool:
    entry = dict(entry)
    entry["use_sni"] = bool(binding.ssl_flags % 2) if entry.get("use_sni") is None else entry["use_sni"]
    entry["use_ccs"] = bool(binding.ssl_flags // 2) if entry.get("use_ccs") is None else entry["use_ccs"]
    flags = _flags(task, entry)
    changed = binding.protocol != entry["protocol"] or binding.ssl_flags != flags
    if changed and not task.check_mode:
        binding.protocol, binding.ssl_flags = entry["protocol"], flags
    if entry.get("certificate_hash"):
        # As the real module does: the certificate is set again on every run, in check mode too, and never counted as a
        # change.
        binding.certificate_hash = entry["certificate_hash"].upper()
        binding.certificate_store = entry.get("certificate_store_name") or "my"
        task.host.iis.sync()
    return changed


def _flags(task: Task, entry: dict[str, Any]) -> int:
    """sslFlags of a binding, after the module's own checks."""
    https, certificate = entry["protocol"] == "https", entry.get("certificate_hash")
    for option, name in (("use_sni", "use_sni"), ("use_ccs", "use_ccs")):
        if entry.get(option):
            if not https:
                task.fail(f"{name} can only be set for https protocol")
            if not entry.get("hostname"):
                task.fail(f"must specify hostname value when {name} is set.")
    if entry.get("use_ccs") and certificate:
        task.fail(
            "You set use_ccs to True. This cannot be used in combination with certficiate_hash and "
            "certificate_store_name."
        )
    if https and not entry.get("use_ccs") and not certificate:
        task.fail("must either specify a certificate_hash or use_ccs.")
    if certificate:
        if not https:
            task.fail("You can only provide a certificate thumbprint when protocol is set to https")
        store = entry.get("certificate_store_name") or "my"
        found = task.host.certificates.find(store, certificate)
        if found is None:
            task.fail(f"Unable to locate certificate at cert:\\LocalMachine\\{store}\\{certificate}")
        if not task.host.certificates.has_key(found):
            raise IisError(
                "A specified logon session does not exist. It may already have been terminated. (Exception from "
                "HRESULT: 0x80070520)"
            )
    return (1 if entry.get("use_sni") else 0) + (2 if entry.get("use_ccs") else 0)


def _set_site_state(task: Task, site: Site, state: str) -> bool:
    iis = task.host.iis
    running = site.state == "Started"
    changed = False
    if state in ("stopped", "restarted") and running:
        changed = True
        if not task.check_mode:
            iis.stop_site(site)
    if (state == "started" and not running) or state == "restarted":
        changed = True
        if not task.check_mode:
            iis.start_site(site)
    elif state == "started" and not task.check_mode:
        iis.sync()
    return changed


@module("microsoft.iis.website_info")
def website_info(task: Task) -> dict[str, Any]:
    need_administration(task)
    iis, name = task.host.iis, task.params["name"]
    found = [iis.site(name)] if name is not None else list(iis.sites.values())
    sites = [_describe_site(site) for site in found if site is not None]
    return {"exists": bool(sites), "site": sites}


def _describe_site(site: Site) -> dict[str, Any]:
    return {
        "name": site.name,
        "site_id": site.number,
        "state": site.state,
        "physical_path": site.root.physical_path,
        "application_pool": site.root.pool,
        "bindings": [
            {
                "ip": binding.ip,
                "port": binding.port,
                "hostname": binding.hostname,
                "protocol": binding.protocol,
                "use_ccs": bool(binding.ssl_flags // 2),
                "use_sni": bool(binding.ssl_flags % 2),
                "certificate_hash": binding.certificate_hash,
                "certificate_store_name": binding.certificate_store,
            }
            for binding in site.bindings
        ],
    }


@module("microsoft.iis.web_application")
def web_application(task: Task) -> dict[str, Any]:
    params = task.params
    if params["connect_as"] == "specific_user":
        for option in ("username", "password"):
            if not params[option]:
                task.fail(f"missing required arguments: {option}")
    need_administration(task)
    site = task.host.iis.site(params["site"])
    if site is None:
        task.fail(f"Cannot find path 'IIS:\\Sites\\{params['site']}' because it does not exist.")
    application = site.find(params["name"])
    if params["state"] == "absent":
        if application and not task.check_mode:
            site.applications.remove(application)
        return {"changed": application is not None}
    pool = params["application_pool"] or site.root.pool
    changed = application is None
    path = params["physical_path"]
    if path and not task.files.exists(path):
        task.fail(
            f"specified folder must already exist: '{path}'"
            if application is None
            else "specified folder must already exist"
        )
    if application is None:
        if not path:
            task.fail("missing required arguments: physical_path")
        if task.check_mode:
            return {"changed": True}
        application = Application(path="/" + params["name"].strip("/"), physical_path=_full_name(task, path), pool=pool)
        site.applications.append(application)
    return {"changed": _adjust_application(task, application, path, pool) or changed}


def _adjust_application(task: Task, application: Application, path: str | None, pool: str) -> bool:
    wanted: dict[str, str] = {"pool": pool}
    if path:
        wanted["physical_path"] = _full_name(task, path)
    if task.params["connect_as"] == "pass_through":
        wanted |= {"user_name": "", "password": ""}
    elif task.params["connect_as"] == "specific_user":
        wanted |= {"user_name": task.params["username"], "password": task.params["password"]}
    changed = False
    for attribute, value in wanted.items():
        current = getattr(application, attribute)
        if current != value if attribute == "password" else current.lower() != value.lower():
            changed = True
            if not task.check_mode:
                setattr(application, attribute, value)
    return changed


@module("microsoft.iis.web_application_info")
def web_application_info(task: Task) -> dict[str, Any]:
    if not task.host.iis.administrable:
        task.fail(
            "Failed to load WebAdministration module, Exception: The specified module 'WebAdministration' was not "
            "loaded because no valid module "
            "file was found in any module directory.",
            exists=False,
            applications=[],
        )
    name, site_name = task.params["name"], task.params["site"]
    found = [
        {
            "name": application.path.strip("/"),
            "site": site.name,
            "connect_as": "specific_user" if application.user_name else "pass_through",
            "username": application.user_name,
            "application_pool": application.pool,
            "physical_path": application.physical_path,
            "enabled_protocols": application.enabled_protocols,
        }
        for site in task.host.iis.sites.values()
        if site_name is None or site.name.lower() == site_name.lower()
        for application in site.applications[1:]
        if name is None or application.path.strip("/").lower() == name.strip("/").lower()
    ]
    return {"exists": bool(found), "applications": found}
