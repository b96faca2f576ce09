"""Is the application's folder whole? What IIS and ASP.NET find when they open it with the rights of the pool's
identity.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Any

from ..windows.errors import WinError
from .assembly import BadImage, read
from .messages import PageError

__all__ = ["ROOT_ASSEMBLY", "SiteConfig", "check_pages", "load_assemblies", "read_config"]

ROOT_ASSEMBLY = "Prs.Web"
DEFAULT_DOCUMENTS = ("Default.aspx", "index.html", "iisstart.htm")
DEFAULT_MAX_CONTENT = 30_000_000
# From 5.1.000007 on the settings live in web.config; SQLTimeout is 60 s when the key is absent.
DEFAULT_SQL_TIMEOUT = 60


@dataclass(frozen=True, kw_only=True)
class SiteConfig:
    """What the twin uses of web.config."""

    max_content: int
    sql_timeout: int
    needs_classic: bool
    target_framework: str


def read_config(*, view: Any, folder: str) -> SiteConfig | None:
    """web.config, as IIS reads it before anything else; None when there is none. Raises PageError 500.19."""
    path = f"{folder}\\web.config"
    try:
        if not view.is_dir(folder):
            raise PageError(
                500, f"Cannot read configuration file. Error code 0x80070003, file {path}", substatus=19, win32=3
            )
        data = view.read(path)
    except WinError as error:
        if error.number == 2:
            return None
        text = "due to insufficient permissions" if error.number == 5 else f"({error.text})"
        raise PageError(
            500,
            f"Cannot read configuration file {text}. Error code 0x8007{error.number:04x}, file {path}",
            substatus=19,
            win32=error.number,
        ) from error
    try:
        root = ElementTree.fromstring(data)
        if root.tag != "configuration":
            raise ElementTree.ParseError("no configuration element")
        limits = root.find("./system.webServer/security/requestFiltering/requestLimits")
        timeout = next(
            (item.get("value") for item in root.findall("./appSettings/add") if item.get("key") == "SQLTimeout"), None
        )
        compilation = root.find("./system.web/compilation")
        return SiteConfig(
            max_content=int(
                (limits.get("maxAllowedContentLength") if limits is not None else None) or DEFAULT_MAX_CONTENT
            ),
            sql_timeout=int(timeout or DEFAULT_SQL_TIMEOUT),
            needs_classic=any(
                root.find(f"./system.web/{name}") is not None for name in ("httpModules", "httpHandlers")
            ),
            target_framework=(compilation.get("targetFramework", "") if compilation is not None else ""),
        )
    except (ElementTree.ParseError, ValueError) as error:
        raise PageError(
            500, f"Configuration file is not well-formed XML. Error code 0x8007000d, file {path}: {error}", substatus=19
        ) from error


def check_pages(*, view: Any, folder: str, wanted: str) -> str:
    """The page's name on disk for a request: '' means the default document. Raises PageError 403.14, 404.0 or 401.3."""
    defaults = [name for name in DEFAULT_DOCUMENTS if view.is_file(f"{folder}\\{name}")]
    name = wanted or (defaults[0] if defaults else DEFAULT_DOCUMENTS[0])
    path = f"{folder}\\{name}".replace("/", "\\")
    if name.lower().split("/")[0] in ("bin", "web.config") or name.lower().endswith(".config"):
        raise PageError(
            404,
            "The request filtering module is configured to deny a path that contains a hidden segment.",
            substatus=8,
        )
    if not view.is_file(path):
        if wanted:
            raise PageError(
                404, "The resource you are looking for has been removed or had its name changed.", substatus=0
            )
        raise PageError(403, "The Web server is configured to not list the contents of this directory.", substatus=14)
    _read(view, path)
    return name


def load_assemblies(*, view: Any, folder: str) -> str:
    """Loads the application's assemblies with everything that they refer to; returns the version. Raises PageError 500."""
    pending, loaded, version = [ROOT_ASSEMBLY], set(), ""
    while pending:
        name = pending.pop()
        if name in loaded:
            continue
        try:
            assembly = read(_read(view, f"{folder}\\bin\\{name}.dll", assembly=name))
        except BadImage as error:
            raise PageError(
                500,
                f"Could not load file or assembly '{name}' or one of its dependencies. An attempt was made to load "
                "a program with "
                f"an incorrect format. (System.BadImageFormatException: {error})",
                file=f"bin\\{name}.dll",
            ) from error
        if not version:
            version = assembly.version
        elif assembly.version != version:
            raise PageError(
                500,
                f"Could not load file or assembly '{name}, Version={version}' or one of its dependencies. The "
                "located assembly's "
                f"manifest definition does not match the assembly reference ({assembly.version}).",
                file=f"bin\\{name}.dll",
            )
        loaded.add(name)
        pending.extend(assembly.references)
    if not view.is_file(f"{folder}\\Global.asax"):
        raise PageError(500, "The application did not start: Global.asax is missing.", file="Global.asax")
    return version


def _read(view: Any, path: str, *, assembly: str = "") -> bytes:
    try:
        return view.read(path)
    except WinError as error:
        if error.number == 5:
            raise PageError(
                401, f"You do not have permission to view this file: {path}", substatus=3, win32=5
            ) from error
        if assembly:
            raise PageError(
                500,
                f"Could not load file or assembly '{assembly}' or one of its dependencies. {error.text}",
                file=path,
                win32=error.number,
            ) from error
        raise PageError(500, f"{error.text} {path}", file=path, win32=error.number) from error
