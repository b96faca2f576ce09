"""Models of the PowerShell scripts that the collection's roles bring (roles/*/files/*.ps1), by the name in their first
line.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from ...application.assembly import BadImage
from ...application.assembly import read as read_assembly
from ..certificates import BadCertificateFile, read_file, windows_name
from ..errors import WinError
from ..execution import NotModelled
from ..filesystem import FileView
from ..firewall import Rule
from ..languages import calling
from ..models import ScriptCall, ScriptResult, script
from ..packages import read_media
from ..registry import PENDING_RENAMES, REBOOT_PENDING
from ..security import WELL_KNOWN
from ..sql_server import ROOT_KEY, service_name
from .parameters import archive_names, certificate_names, failure, matching_files, texts_of, written_date

__all__: list[str] = []

_NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_UPDATE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
_LARGEST_JSON = 1_048_576


def _pending_restart(host: Any) -> list[str]:
    reasons = []
    if host.registry.exists(REBOOT_PENDING):
        reasons.append("component servicing")
    if host.registry.exists(_UPDATE):
        reasons.append("Windows update")
    # To PowerShell a list of one empty text is nothing.
    renames = host.registry.get(*PENDING_RENAMES) or []
    if len(renames) > 1 or any(renames):
        reasons.append("file rename")
    return reasons


@script("inspect_server")
def inspect_server(call: ScriptCall) -> ScriptResult:
    host, read = call.host, call.host.registry.get
    kind = read(_NT, "InstallationType")
    joined = host.directory is not None
    role = (1 if joined else 0) if kind == "Client" else (3 if joined else 2)
    if host.features.installed("AD-Domain-Services"):
        role = 5
    return ScriptResult(
        changed=False,
        result={
            "name": host.name,
            "domain": host.directory.dns_name if joined else "WORKGROUP",
            "domain_role": role,
            "caption": f"Microsoft {read(_NT, 'ProductName')}",
            "version": f"10.0.{read(_NT, 'CurrentBuildNumber')}",
            "installation_type": kind,
            "processors": 2,
            "memory_bytes": 8 * 1024**3,
            "free_bytes": {f"{letter}:": volume.free() for letter, volume in host.drives.volumes.items()},
            "mounted_bytes": {
                volume.mount_point.rstrip("\\"): volume.free() for volume in host.drives.mounted_volumes()
            },
            "firewall_running": host.services.is_running("MpsSvc"),
            "dotnet_release": int(read(r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release", 0)),
            "pending_restart": _pending_restart(host),
            "system_account": host.accounts.name_of(WELL_KNOWN["NT AUTHORITY\\SYSTEM"]),
            "rules": [_rule(rule) for name in texts_of(call, "Rule") for rule in _named_rules(host, name)],
            "features": _installed_features(host) if call.parameter("Features") else [],
        },
    )


def _named_rules(host: Any, name: str) -> list[Rule]:
    return host.firewall.named(name) if host.firewall.works else []


def _installed_features(host: Any) -> list[str]:
    names = [] if host.features.is_client else [feature.name for feature in host.features.find()]
    return [name for name in names if host.features.installed(name)]


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.Name,
        "description": rule.Description or "",
        "direction": rule.Direction,
        "action": rule.Action,
        "enabled": rule.Enabled,
        "protocol": rule.Protocol,
        "local_ports": rule.LocalPorts or "",
    }


@script("inspect_paths")
def inspect_paths(call: ScriptCall) -> ScriptResult:
    wanted = texts_of(call, "ZipEntry")
    paths = [_look(call.files, path, wanted) for path in texts_of(call, "Path")]
    newest = [_newest(call.files, pattern) for pattern in texts_of(call, "Newest")]
    return ScriptResult(changed=False, result={"paths": paths, "newest": newest})


def _look(files: FileView, path: str, wanted: list[str]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "path": path, "exists": False, "is_folder": False, "bytes": 0, "version": "", "missing": [], "error": 0, "message": "",
    }  # fmt: skip
    try:
        if not path:
            raise WinError(87)
        stat = files.stat(path)
        record["exists"], record["is_folder"] = True, stat.is_dir
        if stat.is_dir:
            files.list(path)
        else:
            record["bytes"] = stat.size
            if path.lower().endswith(".exe"):
                media = read_media(files, path)
                record["version"] = str(media.facts.get("version", "")) if media else ""
            if path.lower().endswith(".zip"):
                record["missing"] = _missing_entries(files, path, wanted)
    except WinError as error:
        record |= failure(error)
    return record


def _missing_entries(files: FileView, path: str, wanted: list[str]) -> list[str]:
    names = [name.replace("\\", "/").lower() for name in archive_names(files, path)]
    return [
        entry
        for entry in wanted
        if not any(name == entry.lower() or (entry.endswith("/") and name.startswith(entry.lower())) for name in names)
    ]


def _newest(files: FileView, pattern: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "pattern": pattern, "count": 0, "path": "", "modified": "", "bytes": 0, "text": "", "version": "", "unreadable": [], "error": 0,
        "message": "",
    }  # fmt: skip
    try:
        every = matching_files(files, pattern, recurse=True, unreadable=record["unreadable"])
        found = [(stat.modified, path, stat) for path, stat in every]
        record["count"] = len(found)
        if found:
            modified, path, stat = max(found, key=lambda item: item[0])
            record |= {"path": path, "modified": modified.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"), "bytes": stat.size}
            if path.lower().endswith(".json") and stat.size <= _LARGEST_JSON:
                record["text"] = files.read(path).decode("utf-8-sig", "replace")
            if path.lower().endswith((".exe", ".dll")):
                record["version"] = _file_version(files, path)
    except WinError as error:
        record |= failure(error)
    return record


def _file_version(files: FileView, path: str) -> str:
    """Empty where a file has no version resource, as Windows says it of a damaged or foreign one."""
    try:
        return read_assembly(files.read(path)).version
    except BadImage:
        media = read_media(files, path)
        return str(media.facts.get("version", "")) if media else ""


@script("inspect_sql_instance")
def inspect_sql_instance(call: ScriptCall) -> ScriptResult:
    host, read = call.host, call.host.registry.get
    name = str(call.parameter("InstanceName"))
    identifier = read(f"{ROOT_KEY}\\Instance Names\\SQL", name) or ""
    key = f"{ROOT_KEY}\\{identifier}"
    state = int(read(f"{key}\\ConfigurationState", "SQL_Engine_Core_Inst", 0)) if identifier else 0
    server, setup = f"{key}\\MSSQLServer", f"{key}\\Setup"
    network = f"{server}\\SuperSocketNetLib"
    service = host.services.find(service_name(name))

    def text(path: str, value: str) -> str:
        return str(read(path, value, "") or "") if identifier else ""

    return ScriptResult(
        changed=False,
        result={
            "installed": bool(identifier) and state == 1,
            "partly_installed": bool(identifier) and state != 1,
            "id": identifier,
            "version": text(setup, "PatchLevel"),
            "edition": text(setup, "Edition"),
            "collation": text(setup, "Collation"),
            "login_mode": int(text(server, "LoginMode") or 0),
            "tcp_enabled": int(text(f"{network}\\Tcp", "Enabled") or 0),
            "tcp_port": text(f"{network}\\Tcp\\IPAll", "TcpPort"),
            "tcp_dynamic_ports": text(f"{network}\\Tcp\\IPAll", "TcpDynamicPorts"),
            "listens_on_all_addresses": read(f"{network}\\Tcp", "ListenOnAllIPs", 1) != 0,
            "certificate": text(network, "Certificate"),
            "data_dir": text(server, "DefaultData"),
            "log_dir": text(server, "DefaultLog"),
            "backup_dir": text(server, "BackupDirectory"),
            "service": service_name(name),
            "service_account": service.account if service else "",
            "service_state": service.state.capitalize() if service else "",
            "pending_restart": _pending_restart(host),
            "system_account": host.accounts.name_of(WELL_KNOWN["NT AUTHORITY\\SYSTEM"]),
            "administrators": host.accounts.name_of(WELL_KNOWN["BUILTIN\\Administrators"]),
        },
    )


@script("import_certificate")
def import_certificate(call: ScriptCall) -> ScriptResult:
    stores = call.host.certificates
    if call.parameter("Thumbprint") is not None:
        return _stored_certificate(call)
    try:
        items = read_file(base64.b64decode(call.parameter("Pfx")), call.parameter("Password"), call.host.character)
    except BadCertificateFile as error:
        return ScriptResult(changed=False, failed=True, error=calling("Import", 3, str(error)))
    leaf, key = next(((certificate, key) for certificate, key in items if key is not None), (None, None))
    if leaf is None:
        return ScriptResult(changed=False, failed=True, error="The PFX holds no certificate with a private key.")
    access = texts_of(call, "ReadAccess")
    if access and not isinstance(leaf.public_key(), rsa.RSAPublicKey):
        return ScriptResult(
            changed=False, failed=True, error="The private key is not an RSA key, and SQL Server takes no other."
        )
    is_legacy = _is_legacy(call, leaf)
    if access and not is_legacy:
        return ScriptResult(changed=False, failed=True, error="SQL Server would not start with this certificate")
    thumbprint = leaf.fingerprint(hashes.SHA1()).hex().upper()
    found = stores.find("My", thumbprint)
    imported = found is None or not stores.has_key(found)
    if imported and not call.check_mode:
        found = stores.add("My", leaf, key)
        for other, _ in items:
            if other is not leaf:
                stores.add("CA", other)
    granted = []
    for account in access:
        if found is None or (imported and call.check_mode):
            granted.append(account)
            continue
        try:
            sid = call.host.accounts.lookup(account)
        except WinError:
            return ScriptResult(
                changed=imported and not call.check_mode,
                failed=True,
                error=calling("Translate", 1, "Some or all identity references could not be translated."),
            )
        if stores.has_key(found) and sid not in stores.readers(found):
            granted.append(account)
            if not call.check_mode:
                stores.let_read(found, sid)
    return ScriptResult(
        changed=imported or bool(granted),
        result={
            **_about(call, leaf),
            "imported": imported,
            "granted": granted,
            "readers": [] if imported else _readers(call, found),
        },
    )


def _stored_certificate(call: ScriptCall) -> ScriptResult:
    """What the script says of one that is only looked for; nothing without its key."""
    if texts_of(call, "ReadAccess"):
        raise NotModelled(call, "rights on the key of a certificate that is only looked for", "ReadAccess")
    found = call.host.certificates.find("My", str(call.parameter("Thumbprint")))
    if found is None or not call.host.certificates.has_key(found):
        return ScriptResult(changed=False, result={})
    more = {"imported": False, "granted": [], "readers": _readers(call, found)}
    about = {**_about(call, found.x509), "key": "exchange" if found.keys == "csp" else "other"}
    return ScriptResult(changed=False, result={**about, **more})


def _is_legacy(call: ScriptCall, certificate: Any) -> bool:
    return call.host.character.keys == "csp" and isinstance(certificate.public_key(), rsa.RSAPublicKey)


def _about(call: ScriptCall, certificate: Any) -> dict[str, Any]:
    return {
        "thumbprint": certificate.fingerprint(hashes.SHA1()).hex().upper(),
        "subject": windows_name(certificate.subject),
        "names": certificate_names(call, certificate),
        "not_after": written_date(call, certificate.not_valid_after_utc),
        "key": "exchange" if _is_legacy(call, certificate) else "other",
    }


def _readers(call: ScriptCall, certificate: Any) -> list[str]:
    stores, names = call.host.certificates, call.host.accounts
    known = [account for account in texts_of(call, "Reader") if _is_known(names, account)]
    return [account for account in known if names.lookup(account) in stores.readers(certificate)]


def _is_known(accounts: Any, account: str) -> bool:
    try:
        return bool(accounts.lookup(account))
    except WinError:
        return False
