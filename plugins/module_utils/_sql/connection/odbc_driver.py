# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ODBC driver: which one there is, and what it wants to hear."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._core.errors import RecoveryError

_MISSING = ""
try:
    import pyodbc
except ImportError as problem:
    pyodbc = None
    _MISSING = str(problem)
else:
    pyodbc.pooling = False  # unixODBC's pool hands USE and temporary tables on to the next connection

__all__ = ["Driver", "find_driver", "require_pyodbc"]

FAMILIES = {
    "debian": "debian_ubuntu",
    "ubuntu": "debian_ubuntu",
    "rhel": "rhel",
    "fedora": "rhel",
    "centos": "rhel",
    "suse": "suse",
    "alpine": "alpine",
}
"""ID or ID_LIKE of /etc/os-release -> folder of the wheel."""

MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Driver:
    """name: a path or a registered name, for DRIVER={...}. kind: "microsoft" or "freetds"."""

    name: str
    kind: str


def require_pyodbc() -> Any:
    """The module pyodbc; raises RecoveryError naming what to install."""
    if pyodbc is None:
        raise RecoveryError(
            f"The Python package pyodbc cannot be loaded on the control node ({_MISSING})",
            code="dependency_missing",
            advice="For the Python that runs ansible: 'pip install pyodbc mssql-python-odbc'; also unixODBC "
            "(Debian: 'apt install unixodbc')",
        )
    return pyodbc


def find_driver(name: str | None = None) -> Driver:
    """The driver of that name or path, or the best there is: Microsoft's from its wheel, Microsoft's as installed,
    FreeTDS.
    """
    if name:
        return Driver(
            name=name, kind="freetds" if "freetds" in name.lower() or "tdsodbc" in name.lower() else "microsoft"
        )
    in_wheel = _driver_of_wheel()
    if in_wheel:
        return Driver(name=str(in_wheel), kind="microsoft")
    registered = require_pyodbc().drivers()
    for wanted in ("ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server"):
        if wanted in registered:
            return Driver(name=wanted, kind="microsoft")
    for candidate in registered:
        if "freetds" in candidate.lower():
            return Driver(name=candidate, kind="freetds")
    raise RecoveryError(
        "There is no ODBC driver for SQL Server on the control node",
        code="dependency_missing",
        advice="Install Microsoft's for the Python that runs ansible: 'pip install mssql-python-odbc'; else FreeTDS "
        "(Debian: 'apt install tdsodbc')",
    )


def _driver_of_wheel() -> Path | None:
    try:
        import mssql_python_odbc
    except ImportError:
        return None
    system = "macos" if platform.system() == "Darwin" else "linux"
    root = Path(mssql_python_odbc.__file__).parent / "libs" / system
    machine = MACHINES.get(platform.machine().lower(), platform.machine())
    libraries = sorted(
        path
        for path in root.rglob("libmsodbcsql*")
        if machine in path.parts and (".so" in path.name or path.suffix == ".dylib")
    )
    family = _family_of_this_system()
    return next((path for path in libraries if family in path.parts), libraries[0] if libraries else None)


def _family_of_this_system() -> str:
    try:
        release = platform.freedesktop_os_release()
    except (OSError, AttributeError):
        return ""
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return next((FAMILIES[name] for name in names if name in FAMILIES), "")


def readable_file(path: str, *, option: str) -> str:
    """An absolute path of a file that exists on this machine; raises RecoveryError with the option's name."""
    full = os.path.abspath(os.path.expanduser(path))
    if not os.path.isfile(full):
        raise RecoveryError(
            f"The file {path} of option '{option}' does not exist on the control node",
            code="not_found",
            advice="Correct the path; it is one on the machine that runs ansible",
        )
    return full
