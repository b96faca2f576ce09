"""The registry of one host: keys without regard to case, values with their types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .parts import Part, host_part

__all__ = ["PENDING_RENAMES", "REBOOT_PENDING", "Registry", "canonical"]

_HIVES = {
    "hklm": "HKLM", "hkey_local_machine": "HKLM",
    "hkcu": "HKCU", "hkey_current_user": "HKCU",
    "hkcr": "HKCR", "hkey_classes_root": "HKCR",
    "hku": "HKU", "hkey_users": "HKU",
    "hkcc": "HKCC", "hkey_current_config": "HKCC",
}  # fmt: skip

_NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_SESSION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
REBOOT_PENDING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
PENDING_RENAMES = (_SESSION_MANAGER, "PendingFileRenameOperations")

# (key, value, type, data) that a fresh Windows Server has and somebody asks for.
_FRESH = [
    (_NT, "ProductName", "string", "Windows Server 2022 Standard"),
    (_NT, "CurrentBuild", "string", "20348"),
    (_NT, "CurrentBuildNumber", "string", "20348"),
    (_NT, "InstallationType", "string", "Server"),
    (_NT + r"\Winlogon", "Shell", "string", "explorer.exe"),
    (r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release", "dword", 528449),
    (r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Version", "string", "4.8.04161"),
    (r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Install", "dword", 1),
    (r"HKLM\SOFTWARE\Wow6432Node\Microsoft\NET Framework Setup\NDP\v4\Full", "Release", "dword", 528449),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion", "ProgramFilesDir", "string", r"C:\Program Files"),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion", "CommonFilesDir", "string", r"C:\Program Files\Common Files"),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall", None, None, None),
    (r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall", None, None, None),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System", "EnableLUA", "dword", 1),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System", "LocalAccountTokenFilterPolicy", "dword", 1),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing", None, None, None),
    (_SESSION_MANAGER, "CriticalSectionTimeout", "dword", 2592000),
    (r"HKLM\SYSTEM\CurrentControlSet\Services", None, None, None),
    (r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy", "Enabled", "dword", 0),
]


@dataclass
class _Key:
    path: str
    values: dict[str, tuple[str, str, Any]] = field(default_factory=dict)


def canonical(path: str) -> str:
    """`HKLM:\\SOFTWARE\\X`, `HKEY_LOCAL_MACHINE\\SOFTWARE\\X\\`, `hklm\\software\\x` -> `HKLM\\...`; ValueError for no
    known hive.
    """
    hive, _, rest = path.replace("/", "\\").strip("\\").partition("\\")
    try:
        short = _HIVES[hive.rstrip(":").lower()]
    except KeyError:
        raise ValueError(f"{path} is in no registry hive") from None
    return "\\".join([short, *(part for part in rest.split("\\") if part)])


@host_part("registry")
class Registry(Part):
    """Keys and values. Types are named as win_regedit names them: string expandstring multistring dword qword binary
    none.

    Data: str, str, list[str], int, int, list[int] (bytes), list[int]. A key's default value has the name "".
    """

    def reset(self) -> None:
        self._keys: dict[str, _Key] = {}
        for key, name, kind, data in _FRESH:
            self.create(key)
            if name is not None:
                self.set(key, name, data, kind)
        self.set(r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName", "ComputerName", self.host.name)
        self.set(r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "Hostname", self.host.name)

    def exists(self, path: str) -> bool:
        return canonical(path).lower() in self._keys

    def create(self, path: str) -> None:
        """Make a key and those above it."""
        with self.host.lock:
            parts = canonical(path).split("\\")
            for depth in range(1, len(parts) + 1):
                whole = "\\".join(parts[:depth])
                self._keys.setdefault(whole.lower(), _Key(whole))

    def set(self, path: str, name: str | None, data: Any, kind: str = "string") -> None:
        """Set a value, making its key where needed."""
        with self.host.lock:
            self.create(path)
            name = name or ""
            self._keys[canonical(path).lower()].values[name.lower()] = (name, kind, data)

    def get(self, path: str, name: str | None = None, default: Any = None) -> Any:
        """A value's data, or `default` when key or value is not there."""
        found = self.value(path, name)
        return default if found is None else found[1]

    def value(self, path: str, name: str | None = None) -> tuple[str, Any] | None:
        """(type, data) of a value, or None."""
        key = self._keys.get(canonical(path).lower())
        found = key.values.get((name or "").lower()) if key else None
        return found[1:] if found else None

    def values(self, path: str) -> dict[str, tuple[str, Any]]:
        """All values of a key: name -> (type, data); empty when there is no such key."""
        key = self._keys.get(canonical(path).lower())
        return {name: (kind, data) for name, kind, data in key.values.values()} if key else {}

    def subkeys(self, path: str) -> list[str]:
        """The names of the keys right below, sorted."""
        prefix = canonical(path).lower() + "\\"
        below = [
            key.path.rsplit("\\", 1)[-1]
            for name, key in list(self._keys.items())
            if name.startswith(prefix) and "\\" not in name[len(prefix) :]
        ]
        return sorted(below, key=str.lower)

    def delete_value(self, path: str, name: str | None) -> bool:
        """Remove a value; answers whether it was there."""
        with self.host.lock:
            key = self._keys.get(canonical(path).lower())
            return bool(key and key.values.pop((name or "").lower(), None))

    def delete_key(self, path: str) -> bool:
        """Remove a key with everything below; answers whether it was there."""
        with self.host.lock:
            wanted = canonical(path).lower()
            gone = [name for name in self._keys if name == wanted or name.startswith(wanted + "\\")]
            for name in gone:
                del self._keys[name]
            return bool(gone)

    def to_state(self) -> Any:
        return {key.path: list(key.values.values()) for key in self._keys.values()}

    def load_state(self, state: Any) -> None:
        self._keys = {
            path.lower(): _Key(path, {name.lower(): (name, kind, data) for name, kind, data in values})
            for path, values in state.items()
        }
