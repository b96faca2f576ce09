"""Environment variables: the machine's, and what a process of an account gets to see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .parts import Part, host_part

__all__ = ["Environment"]

_FRESH = {
    "ComSpec": r"C:\Windows\system32\cmd.exe",
    "DriverData": r"C:\Windows\System32\Drivers\DriverData",
    "NUMBER_OF_PROCESSORS": "2",
    "OS": "Windows_NT",
    "Path": r"C:\Windows\system32;C:\Windows;C:\Windows\System32\Wbem;C:\Windows\System32\WindowsPowerShell\v1.0\;C:\Windows\System32\OpenSSH",
    "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC;.CPL",
    "PROCESSOR_ARCHITECTURE": "AMD64",
    "PSModulePath": r"C:\Program Files\WindowsPowerShell\Modules;C:\Windows\system32\WindowsPowerShell\v1.0\Modules",
    "TEMP": r"C:\Windows\TEMP",
    "TMP": r"C:\Windows\TEMP",
    "windir": r"C:\Windows",
}
_SERVICE_PROFILES = {
    "SYSTEM": r"C:\Windows\system32\config\systemprofile",
    "LOCAL SERVICE": r"C:\Windows\ServiceProfiles\LocalService",
    "NETWORK SERVICE": r"C:\Windows\ServiceProfiles\NetworkService",
}


@host_part("environment")
class Environment(Part):
    """`machine` holds the machine's variables as they are written; lookups go without regard to case."""

    def reset(self) -> None:
        self.machine: dict[str, str] = dict(_FRESH)
        if proxy := self.host.character.proxy:
            self.machine |= {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}

    def of(self, account: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of a process that runs as `account` (a name as `Token.name` has it), `extra` winning."""
        user = self.host.accounts.english(account).rsplit("\\", 1)[-1]
        profile = _SERVICE_PROFILES.get(user) or rf"C:\Users\{user}"
        temp = r"C:\Windows\TEMP" if user in _SERVICE_PROFILES else rf"{profile}\AppData\Local\Temp"
        merged = {
            **self.machine,
            "ALLUSERSPROFILE": r"C:\ProgramData",
            "APPDATA": rf"{profile}\AppData\Roaming",
            "CommonProgramFiles": r"C:\Program Files\Common Files",
            "COMPUTERNAME": self.host.name.upper(),
            "LOCALAPPDATA": rf"{profile}\AppData\Local",
            "ProgramData": r"C:\ProgramData",
            "ProgramFiles": r"C:\Program Files",
            "ProgramFiles(x86)": r"C:\Program Files (x86)",
            "PUBLIC": r"C:\Users\Public",
            "SystemDrive": "C:",
            "SystemRoot": r"C:\Windows",
            "TEMP": temp,
            "TMP": temp,
            "USERDOMAIN": (
                self.host.domain if self.host.domain and account.startswith(f"{self.host.domain}\\") else self.host.name
            ).upper(),
            "USERNAME": f"{self.host.name}$" if user in _SERVICE_PROFILES else user,
            "USERPROFILE": profile,
        }
        return {**merged, **(extra or {})}

    def expand(self, text: str, account: str = "NT AUTHORITY\\SYSTEM", extra: Mapping[str, str] | None = None) -> str:
        """Replace `%NAME%`; unknown names stay, as in Windows."""
        if "%" not in text:
            return text
        known = {name.lower(): value for name, value in self.of(account, extra).items()}
        return re.sub(r"%([^%]+)%", lambda match: known.get(match[1].lower(), match[0]), text)

    def to_state(self) -> Any:
        return self.machine

    def load_state(self, state: Any) -> None:
        self.machine = state
