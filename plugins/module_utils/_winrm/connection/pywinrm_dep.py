# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pywinrm and what its transports need, imported in one place."""

from __future__ import annotations

from importlib.util import find_spec

from ansible.module_utils.basic import missing_required_lib

from ..._core.errors import RecoveryError

try:
    import requests
    import winrm
    import winrm.exceptions
    from winrm.protocol import Protocol

    PROBLEM = None
except ImportError as problem:
    requests = winrm = Protocol = None  # type: ignore[assignment]
    PROBLEM = problem

__all__ = ["LOGIN_PROBLEMS", "Protocol", "requests", "require_pywinrm", "require_transport", "winrm"]

LOGIN_PROBLEMS: tuple[type[Exception], ...] = (PermissionError,)
"""What the packages of the transports raise beside pywinrm's own: requests_ntlm of a host that takes no NTLM, pyspnego
of messages that it cannot make or understand, requests_credssp of anything.
"""
try:
    from spnego.exceptions import SpnegoError

    LOGIN_PROBLEMS += (SpnegoError,)
except ImportError:
    pass
try:
    from requests_credssp.exceptions import AuthenticationException, NTStatusException

    LOGIN_PROBLEMS += (AuthenticationException, NTStatusException)
except ImportError:
    pass

PACKAGES = {
    "kerberos": ("kerberos", "pywinrm[kerberos]"),
    "credssp": ("requests_credssp", "pywinrm[credssp]"),
    "ntlm": ("requests_ntlm", "requests_ntlm"),
}
"""Transport -> (the module that it needs, the package that brings it)."""
INSTALL = "The module runs on the control node: install the package for the Python that runs ansible"


def require_pywinrm() -> None:
    """Raise RecoveryError that names the package to install, when it is missing."""
    if PROBLEM is not None:
        raise RecoveryError(
            missing_required_lib("pywinrm", reason="to speak to Windows"), code="dependency_missing", advice=INSTALL
        )


def require_transport(transport: str) -> None:
    """The same for what one transport needs beside pywinrm."""
    module, package = PACKAGES.get(transport, ("", ""))
    if module and find_spec(module) is None:
        compiled = "; it is compiled there, with gcc and Kerberos' header files (libkrb5-dev or krb5-devel)"
        raise RecoveryError(
            missing_required_lib(package, reason=f"for WinRM with {transport}"),
            code="dependency_missing",
            advice=INSTALL + (compiled if transport == "kerberos" else ""),
        )
