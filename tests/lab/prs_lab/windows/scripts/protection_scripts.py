"""Models of what the roles verify and drill look at: roles/verify/files/inspect_protection.ps1,
roles/drill/files/read_page.ps1.
"""

from __future__ import annotations

import hashlib
import ntpath
from typing import Any
from urllib.parse import urlsplit

from ...application.messages import Request
from ..certificates import windows_name
from ..errors import WinError
from ..filesystem import FileView
from ..iis import DENIED
from ..models import ScriptCall, ScriptResult, script
from ..packages import read_media
from ..security import Rights
from ..sql_server import ROOT_KEY
from .parameters import failure, matching_files, read_archive, texts_of, written_date

__all__: list[str] = []

_LARGEST_TEXT = 4 * 1024**2
_REDIRECTS = (301, 302, 303, 307, 308)


@script("inspect_protection")
def inspect_protection(call: ScriptCall) -> ScriptResult:
    host, files = call.host, call.files
    iis = _iis(host, str(call.parameter("Site") or ""), str(call.parameter("Pool") or ""))
    certificates = [
        _certificate(call, "site", binding["thumbprint"])
        for binding in iis["bindings"]
        if binding["protocol"] == "https"
    ]
    if call.parameter("Instance") and (thumbprint := _instance_thumbprint(host, str(call.parameter("Instance")))):
        certificates.append(_certificate(call, "sql", thumbprint))
    newest = int(call.parameter("Newest", 1))
    return ScriptResult(
        changed=False,
        result={
            "drives": {
                f"{letter}:": {"free": volume.free(), "size": volume.capacity}
                for letter, volume in host.drives.volumes.items()
            },
            "iis": iis,
            "certificates": certificates,
            "hashed": [_hashed(files, path) for path in texts_of(call, "Hashed")],
            "paths": [_path(files, path) for path in texts_of(call, "Path")],
            "folders": [_folder(call, path) for path in texts_of(call, "Folder")],
            "archived": _archived(
                files,
                str(call.parameter("Archive") or ""),
                {name.lower() for name in texts_of(call, "Entry")},
            ),
            "texts": [record for pattern in texts_of(call, "Text") for record in _texts(files, pattern, newest)],
        },
    )


def _iis(host: Any, name: str, asked: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "installed": False, "service": "", "site": "", "pool": "", "pool_state": "", "asked_state": "", "bindings": [], "sites": [], "pools": [],
        "ports": [], "error": 0, "message": "",
    }  # fmt: skip
    service = host.services.find("W3SVC") if name else None
    if service is None:
        return found
    found |= {"installed": host.iis.installed, "service": service.state.capitalize()}
    if not found["installed"]:
        return found
    if host.iis.is_denied:
        return found | {"error": 5, "message": DENIED}
    found |= {
        "sites": [site.name for site in host.iis.sites.values()], "pools": [pool.name for pool in host.iis.pools.values()],
        "ports": sorted({binding.port for site in host.iis.sites.values() for binding in site.bindings}),
    }  # fmt: skip
    site = host.iis.site(name)
    if site is None:
        return found
    running = service.state == "running"
    bindings = [
        {"protocol": binding.protocol, "port": binding.port, "thumbprint": binding.certificate_hash}
        for binding in site.bindings
    ]
    return found | {
        "pool": site.root.pool,
        "bindings": bindings,
        "site": site.state if running else "Stopped",
        "pool_state": _pool_state(host, site.root.pool) if running else "Stopped",
        "asked_state": _pool_state(host, asked) if running else "",
    }


def _pool_state(host: Any, name: str) -> str:
    pool = host.iis.pool(name) if name else None
    return pool.state if pool else ""


def _instance_thumbprint(host: Any, name: str) -> str:
    identifier = host.registry.get(f"{ROOT_KEY}\\Instance Names\\SQL", name)
    return (
        str(host.registry.get(f"{ROOT_KEY}\\{identifier}\\MSSQLServer\\SuperSocketNetLib", "Certificate", "") or "")
        if identifier
        else ""
    )


def _certificate(call: ScriptCall, use: str, thumbprint: str) -> dict[str, Any]:
    host = call.host
    record: dict[str, Any] = {
        "use": use,
        "thumbprint": thumbprint.upper(),
        "subject": "",
        "not_after": "",
        "has_key": False,
        "found": False,
    }
    stored = host.certificates.find("My", thumbprint)
    if stored is None:
        return record
    certificate = stored.x509
    return record | {
        "found": True,
        "subject": windows_name(certificate.subject),
        "has_key": host.certificates.has_key(stored),
        "not_after": written_date(call, certificate.not_valid_after_utc),
    }


def _hashed(files: FileView, path: str) -> dict[str, Any]:
    record: dict[str, Any] = {"path": path, "sha256": "", "bytes": 0, "error": 0, "message": ""}
    try:
        if files.is_dir(path):
            raise WinError(5, path)
        with files.open(path) as stream:
            record["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
        record["bytes"] = files.stat(path).size
    except WinError as error:
        record |= failure(error)
    return record


def _path(files: FileView, path: str) -> dict[str, Any]:
    record: dict[str, Any] = {"path": path, "is_folder": False, "bytes": 0, "version": "", "error": 0, "message": ""}
    try:
        stat = files.stat(path)
        record["is_folder"] = stat.is_dir
        if stat.is_dir:
            files.list(path)
        else:
            with files.open(path):
                record["bytes"] = stat.size
            if path.lower().endswith(".exe") and (media := read_media(files, path)):
                record["version"] = str(media.facts.get("version", ""))
    except WinError as error:
        record |= failure(error)
    return record


def _folder(call: ScriptCall, path: str) -> dict[str, Any]:
    files = call.files
    record: dict[str, Any] = {
        "path": path,
        "readers": [],
        "free_bytes": -1,
        "error": 0,
        "message": "",
        "readers_error": 0,
        "readers_message": "",
    }
    try:
        files.list(path)
        record["free_bytes"] = files.free_bytes(path)
    except WinError as error:
        return record | failure(error)
    try:
        sids = {ace.sid for ace in files.security(path).entries if ace.allow and ace.mask & Rights.READ_DATA}
    except WinError as error:
        return record | {"readers_error": error.number, "readers_message": error.dotnet}
    return record | {"readers": [{"sid": sid, "name": call.host.accounts.name_of(sid)} for sid in sorted(sids)]}


def _archived(files: FileView, pattern: str, wanted: set[str]) -> dict[str, Any]:
    record: dict[str, Any] = {"path": "", "entries": [], "error": 0, "message": ""}
    if not pattern:
        return record
    try:
        found = _matching(files, pattern)
        if found:
            record["path"] = found[-1][1]
            record["entries"] = [
                {"name": name, "sha256": hashlib.sha256(archive.read(entry)).hexdigest()}
                for name, archive, entry in read_archive(files, record["path"])
                if ntpath.basename(name).lower() in wanted
            ]
    except WinError as error:
        record |= failure(error)
    return record


def _matching(files: FileView, pattern: str) -> list[tuple[Any, str, int]]:
    """(last change, path, bytes) of the files of one folder, the newest last."""
    return sorted((stat.modified, path, stat.size) for path, stat in matching_files(files, pattern, recurse=False))


def _texts(files: FileView, pattern: str, newest: int) -> list[dict[str, Any]]:
    try:
        small = [(modified, path) for modified, path, size in _matching(files, pattern) if size <= _LARGEST_TEXT]
        return [
            {
                "pattern": pattern,
                "path": path,
                "modified": modified.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
                "text": files.read(path).decode("utf-8-sig", "replace"),
                "error": 0,
                "message": "",
            }
            for modified, path in list(reversed(small))[:newest]
        ]
    except WinError as error:
        return [{"pattern": pattern, "path": "", "modified": "", "text": "", **failure(error)}]


@script("read_page")
def read_page(call: ScriptCall) -> ScriptResult:
    """The request comes from the host itself, so no firewall is asked and no socket is needed: a binding to 127.0.0.1
    has none.
    """
    where, name = urlsplit(str(call.parameter("Uri"))), str(call.parameter("HostName"))
    secure, path, iis = where.scheme == "https", where.path, call.host.iis
    for _turn in range(6):
        if not _serves(call.host, where.hostname, where.port, secure):
            return ScriptResult(changed=False, result=_page(path, error="Unable to connect to the remote server"))
        standard = where.port in (None, 443 if secure else 80) or ":" in name
        request = Request(method="GET", path=path, secure=secure, host=name if standard else f"{name}:{where.port}")
        answer = iis.answer(where.port, name, secure, request)
        location = urlsplit(answer.headers.get("Location", ""))
        elsewhere = location.scheme and (location.scheme == "https") != secure
        if answer.status not in _REDIRECTS or not location.path or elsewhere:
            text = answer.body.decode("utf-8", "replace")
            return ScriptResult(
                changed=False,
                result=_page(path, status=answer.status, text=text, location=answer.headers.get("Location", "")),
            )
        path = location.path
    last = answer.headers.get("Location", "")
    error = "Too many automatic redirections were attempted"
    return ScriptResult(changed=False, result=_page(path, status=answer.status, location=last, error=error))


def _page(path: str, *, status: int = 0, text: str = "", location: str = "", error: str = "") -> dict[str, Any]:
    return {"status": status, "path": path, "location": location, "text": text, "error": error}


def _serves(host: Any, address: str | None, port: int | None, secure: bool) -> bool:
    """Whether HTTP.sys takes a connection of this host to itself: a started site is bound there, with a certificate
    whose key is there.
    """
    if not host.services.is_running("W3SVC"):
        return False
    for site in host.iis.sites.values():
        for binding in site.bindings:
            if (
                site.state != "Started"
                or binding.port != port
                or (binding.protocol == "https") != secure
                or binding.ip not in ("*", "", "0.0.0.0", address)
            ):
                continue
            try:
                return not secure or bool(host.certificates.key_for(binding.certificate_hash, "NT AUTHORITY\\SYSTEM"))
            except (KeyError, PermissionError):
                return False
    return False
