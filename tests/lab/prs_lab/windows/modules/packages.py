"""ansible.windows.win_package, for MSI packages and executable installers of the lab."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from typing import Any

from ..errors import WinError
from ..execution import run_command_line
from ..models import Task, module
from ..packages import UNINSTALL, Media, read_media, register, registered, unregister

__all__: list[str] = []

_SUCCESS, _RESTART, _FATAL = 0, 3010, 1603


@module("ansible.windows.win_package")
def win_package(task: Task) -> dict[str, Any]:
    params = task.params
    path, present = params["path"], params["state"] == "present"
    result: dict[str, Any] = {"reboot_required": False, "rc": 0}
    if present and not path:
        task.fail("state is present but all of the following are missing: path")
    if not present and not path and not params["product_id"]:
        task.fail("state is absent but any of the following are missing: path, product_id")
    if path and path.lower().startswith("http"):
        task.host.record.unmodelled(task.host.name, "module ansible.windows.win_package with a URL", path)
        task.fail("The lab's hosts have no web to download packages from", **result)
    if path and not task.files.exists(path) and not task.check_mode:
        task.fail(f"the file at the path '{path}' cannot be reached", **result)
    media = _media(task, path)
    is_msi = media is not None and media.product.endswith("_msi")
    product_id = media.facts["product_code"] if is_msi else params["product_id"]
    if _installed(task, product_id) == present:
        return {**result, "changed": False}
    if task.check_mode:
        return {**result, "changed": True}
    if present and path:
        result["checksum"] = hashlib.new(params["checksum_algorithm"], task.files.read(path)).hexdigest().upper()
        if params["checksum"] and params["checksum"].upper() != result["checksum"]:
            task.fail(
                f"The checksum for {path} did not match '{params['checksum']}', it was '{result['checksum']}'", **result
            )
    if is_msi and present:
        code, text = _install_msi(task, media)
    elif not present and product_id:
        code, text = _remove(task, product_id)
    else:
        output = run_command_line(task, f'"{path}" {_arguments(params["arguments"])}', module=task.name)
        code, text = output.rc, output.stdout if isinstance(output.stdout, str) else output.stdout.decode()
    result["rc"] = code
    if code not in params["expected_return_code"]:
        task.fail(
            f"unexpected rc from '{path or product_id}': see rc, stdout, and stderr for more details",
            **result,
            stdout=text,
            stderr="",
        )
    return {**result, "changed": True, "failed": False, "reboot_required": code == _RESTART}


def _media(task: Task, path: str | None) -> Media | None:
    if not path or not task.files.is_file(path):
        return None
    try:
        return read_media(task.files, path)
    except WinError as error:
        task.fail(f"Unhandled exception while executing module: {error.dotnet}")


def _installed(task: Task, product_id: str | None) -> bool:
    params = task.params
    if params["creates_service"]:
        return task.host.services.find(params["creates_service"]) is not None
    if params["creates_path"]:
        return task.files.exists(task.expand(params["creates_path"]))
    return bool(product_id) and registered(task.host, product_id)


def _arguments(given: Any) -> str:
    if isinstance(given, list):
        return " ".join(f'"{item}"' if " " in str(item) else str(item) for item in given)
    return given or ""


def _install_msi(task: Task, media: Media) -> tuple[int, str]:
    """Unpacks the package into INSTALLDIR, or where the product puts itself."""
    properties = dict(re.findall(r'(\w+)="?([^"]*?)"?(?=\s+\w+=|\s*$)', _arguments(task.params["arguments"])))
    folder = properties.get("INSTALLDIR") or properties.get("TARGETDIR") or r"C:\inetpub\wwwroot\PasswordResetServer"
    files = task.host.files("NT AUTHORITY\\SYSTEM")
    try:
        with zipfile.ZipFile(io.BytesIO(media.payload(task.files))) as archive:
            for entry in archive.infolist():
                path = f"{folder.rstrip(chr(92))}\\{entry.filename}".replace("/", "\\")
                files.make_dir(path.rsplit("\\", 1)[0])
                files.write(path, archive.read(entry))
    except (WinError, zipfile.BadZipFile) as error:
        return _FATAL, f"Installation failed: {error}"
    register(
        task.host,
        product_id=media.facts["product_code"],
        name=media.facts["name"],
        version=media.facts["version"],
        InstallLocation=folder,
        uninstall=f"MsiExec.exe /X{media.facts['product_code']}",
    )
    return _SUCCESS, ""


def _remove(task: Task, product_id: str) -> tuple[int, str]:
    command = task.host.registry.get(f"{UNINSTALL}\\{product_id}", "UninstallString") or ""
    if not command.lower().startswith("msiexec"):
        task.host.record.unmodelled(
            task.host.name, "module ansible.windows.win_package: removal of a product that is no MSI", product_id
        )
        task.fail(f"The lab does not model the removal of {product_id}")
    folder = task.host.registry.get(f"{UNINSTALL}\\{product_id}", "InstallLocation")
    files = task.host.files("NT AUTHORITY\\SYSTEM")
    if folder and files.is_dir(folder):
        # An MSI leaves what it did not put there.
        for name in ("bin", "Content", "Scripts", "Upgrade"):
            if files.exists(f"{folder}\\{name}"):
                files.remove_tree(f"{folder}\\{name}")
    unregister(task.host, product_id)
    return _SUCCESS, ""
