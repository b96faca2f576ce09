"""What win_reboot and other clients send of themselves around a restart, and shutdown.exe."""

from __future__ import annotations

import json
import re

from ..errors import WinError
from ..models import CommandCall, Output, powershell, program

_FILE_TIME_ZERO = 11_644_473_600  # seconds from 1601 to 1970


@program("shutdown")
def shutdown(call: CommandCall) -> Output:
    """`shutdown /r|/s [/t SECONDS] [/c TEXT]`, `shutdown /a`. Without /t it is 30 seconds, as in Windows."""
    switches = [argument.lower().replace("-", "/", 1) for argument in call.arguments]
    if not call.token.is_admin:
        return Output(stderr="Access is denied.(5)\r\n", rc=5)
    try:
        if "/a" in switches:
            call.host.power.cancel()
        elif "/r" in switches or "/s" in switches or "/g" in switches:
            delay = float(switches[switches.index("/t") + 1]) if "/t" in switches else 30.0
            call.host.power.schedule(delay, restart="/s" not in switches)
        else:
            return Output(
                stdout="Usage: shutdown [/i | /l | /s | /sg | /r | /g | /a | /p | /h | /e | /o] ...\r\n", rc=1
            )
    except WinError as error:
        return Output(stderr=f"{error.text}({error.number})\r\n", rc=error.number)
    return Output()


@powershell(
    r"\(Get-CimInstance -ClassName Win32_OperatingSystem -Property LastBootUpTime\)\.LastBootUpTime\.ToFileTime\(\)$"
)
def boot_time(call: CommandCall, _match: re.Match[str]) -> Output:
    return Output(f"{int((call.host.power.booted_at.timestamp() + _FILE_TIME_ZERO) * 10_000_000)}\r\n")


@powershell(
    r"\$ErrorActionPreference = 'Continue'\s+if \(\$(True|False)\) \{\s+Remove-Item -LiteralPath "
    r"'([^']+)'.*?shutdown\.exe /r /t (\d+) /c "
)
def reboot(call: CommandCall, match: re.Match[str]) -> Output:
    """win_reboot's own wrapping of shutdown.exe: it answers JSON, whatever the shell around it does."""
    if match[1] == "True":
        call.host.registry.delete_key(match[2])
    call.arguments = ["/r", "/t", match[3]]
    done = shutdown(call)
    return Output(json.dumps({"stdout": "", "stderr": done.stderr.strip(), "rc": done.rc}) + "\r\n")


@powershell(r"C:\\Windows\\System32\\shutdown\.exe /a$")
def abort(call: CommandCall, _match: re.Match[str]) -> Output:
    call.arguments = ["/a"]
    return shutdown(call)


@powershell(r"Get-Item -LiteralPath '(HK[^']+)' -ErrorAction Stop; '([^']*)'$")
def test_key(call: CommandCall, match: re.Match[str]) -> Output:
    """win_reboot looks for a key that Windows makes when it has booted, and then for its own word."""
    if not call.host.registry.exists(match[1]):
        return Output(stderr=f"Get-Item : Cannot find path '{match[1]}' because it does not exist.", rc=1)
    hive = match[1].replace("HKLM:", "HKEY_LOCAL_MACHINE").rsplit("\\", 1)[0]
    return Output(f"\r\n\r\n    Hive: {hive}\r\n\r\n{match[2]}\r\n")
