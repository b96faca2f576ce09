"""Windows paths, and what a module's options say about the connection."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    WinrmConnection,
    winrm_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.paths import full_path, share_root

PATHS = [
    ("C:\\web", "C:\\web"),
    ("c:/web/", "c:\\web"),
    (" C:\\a\\..\\b\\.\\c ", "C:\\b\\c"),
    ("\\\\files\\backup", "\\\\files\\backup"),
    ("//files/backup/web/", "\\\\files\\backup\\web"),
    ("\\\\files.example.com\\b$\\x", "\\\\files.example.com\\b$\\x"),
]


@pytest.mark.parametrize("given, path", PATHS)
def test_full_paths(given: str, path: str) -> None:
    assert full_path(given, option="path") == path


@pytest.mark.parametrize(
    "given", ["", "web", "\\web", "C:web", "C:", "\\\\files", "\\\\?\\C:\\web", "\\\\.\\pipe\\x", "/srv/web", "..\\x"]
)
def test_no_full_paths(given: str) -> None:
    with pytest.raises(RecoveryError, match=r"path is '.*', which is no full path on Windows"):
        full_path(given, option="path")


@pytest.mark.parametrize("path, root", [("C:\\web", None), ("\\\\f\\b", "\\\\f\\b"), ("\\\\f\\b\\c\\d", "\\\\f\\b")])
def test_share_roots(path: str, root: str | None) -> None:
    assert share_root(path) == root


ENDPOINTS = [
    ({}, "https://web:5986/wsman"),
    ({"winrm_port": 5985}, "http://web:5985/wsman"),
    ({"winrm_scheme": "http"}, "http://web:5985/wsman"),
    ({"winrm_scheme": "https", "winrm_port": 5985}, "https://web:5985/wsman"),
    ({"winrm_port": 443, "winrm_path": "iis/wsman"}, "https://web:443/iis/wsman"),
    ({"winrm_host": "fe80::1"}, "https://[fe80::1]:5986/wsman"),
]


def connection(**given: Any) -> WinrmConnection:
    defaults = {name: option.get("default") for name, option in winrm_argument_spec().items()}
    return WinrmConnection.from_params(
        {**defaults, "winrm_host": "web", "winrm_user": "admin", "winrm_password": "secret!", **given}
    )


@pytest.mark.parametrize("given, endpoint", ENDPOINTS)
def test_endpoints(given: dict[str, Any], endpoint: str) -> None:
    assert connection(**given).endpoint == endpoint


@pytest.mark.parametrize("option", ["winrm_host", "winrm_user"])
def test_what_is_missing_is_named(option: str) -> None:
    with pytest.raises(RecoveryError, match=f"{option} is not given.*task"):
        connection(**{option: None})


def test_a_password_is_not_shown() -> None:
    assert "secret!" not in repr(connection())
