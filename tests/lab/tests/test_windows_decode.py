"""What clients send, taken apart: layers of -EncodedCommand, both manifests of ansible-core, command lines, secrets."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from prs_lab.windows.arguments import mask_command_line, mask_secrets
from prs_lab.windows.decode import Async, Become, Job, decode
from prs_lab.windows.execution import own_script, split_command_line
from prs_lab.windows.process import InputPipe

BOOTSTRAP = 'foreach ($in in $input) { if ([string]::Equals($in, "`0`0`0`0")) { break } }'
DIVIDER = b"\n\0\0\0\0\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-le")).decode()


def powershell(text: str, arguments: str = "") -> str:
    line = f"PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand {encoded(text)}"
    return f"{line} -EncodedArguments {encoded(arguments)}" if arguments else line


def pipe(data: bytes) -> InputPipe:
    stdin = InputPipe()
    stdin.write(data, end=True)
    return stdin


def job(line: str, data: bytes = b"", files: dict[str, bytes] | None = None) -> Job:
    return decode(line, pipe(data), reads_input=bool(data), read_file=(files or {}).__getitem__)


def manifest(*actions: dict[str, Any], **scripts: str) -> bytes:
    """What 2.19 and later put after the divider."""
    content = {name: {"script": base64.b64encode(text.encode()).decode()} for name, text in scripts.items()}
    return (
        json.dumps({"name": "exec_wrapper"}).encode()
        + DIVIDER
        + json.dumps({"scripts": content, "actions": list(actions)}).encode()
    )


MODULE = {
    "name": "module_wrapper.ps1",
    "params": {
        "Script": "ansible_collections.ansible.windows.plugins.modules.win_ping.ps1", "ForModule": True, "Environment": {"A": "1"},
        "Variables": [{"Name": "complex_args", "Value": {"data": "x", "_ansible_check_mode": True}}], "PowerShellModules": ["Ansible.ModuleUtils.Legacy.psm1"],
    },
}  # fmt: skip


def test_a_module_of_2_19() -> None:
    found = job(powershell(BOOTSTRAP), manifest(MODULE))
    assert (found.kind, found.name, found.legacy) == ("module", "ansible.windows.win_ping", True)
    assert found.arguments == {"data": "x", "_ansible_check_mode": True}
    assert found.environment == {"A": "1"}


def test_become_and_async_of_2_19() -> None:
    become = {
        "name": "become_wrapper.ps1", "params": {"BecomeUser": "SYSTEM", "LogonType": "Interactive", "LogonFlags": "WithProfile"},
        "secure_params": {"BecomePassword": None},
    }  # fmt: skip
    wrapper = {"name": "async_wrapper.ps1", "params": {"AsyncJid": "j1", "AsyncDir": "%USERPROFILE%\\.ansible_async"}}
    watchdog = {"name": "async_watchdog.ps1", "params": {"Timeout": 60}}
    found = job(powershell(BOOTSTRAP), manifest(become, wrapper, watchdog, MODULE))
    assert found.become == Become(
        user="SYSTEM", password=None, flags={"LogonType": "Interactive", "LogonFlags": "WithProfile"}
    )
    assert found.background == Async(job_id="j1", seconds=60, folder="%USERPROFILE%\\.ansible_async")


def test_a_file_that_follows_the_manifest_stays_on_standard_input() -> None:
    stdin = pipe(manifest({"name": "winrm_put_file.ps1", "params": {"Path": "C:\\x"}}) + DIVIDER + b"QUJD\r\n")
    found = decode(powershell(BOOTSTRAP), stdin, reads_input=True, read_file=lambda _: b"")
    assert (found.kind, found.name, found.arguments) == ("exec", "winrm_put_file.ps1", {"Path": "C:\\x"})
    assert stdin.read_all().strip() == b"QUJD"


def test_a_script_of_the_script_module() -> None:
    action = {"name": "module_wrapper.ps1", "params": {"Script": "script.ps1", "ForModule": False, "Variables": []}}
    data = manifest(action, **{"script.ps1": "& 'C:\\t\\a.ps1'"})
    assert (job(powershell(BOOTSTRAP), data).kind, job(powershell(BOOTSTRAP), data).text) == (
        "script",
        "& 'C:\\t\\a.ps1'",
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ansible.windows.win_file", "ansible.windows.win_file"), ("win_file", "ansible.windows.win_file"), ("setup", "ansible.windows.setup"),
        ("ansible.legacy.setup", "ansible.windows.setup"), ("ansible.legacy.async_status", "ansible.windows.async_status"),
        ("community.windows.win_unzip", "community.windows.win_unzip"),
    ],
)  # fmt: skip
def test_a_module_of_2_16(name: str, expected: str) -> None:
    sent = {
        "module_args": {"_ansible_module_name": name, "path": "C:\\"}, "actions": ["become_wrapper", "module_powershell_wrapper"], "module_entry": "",
        "become_user": "PRSLAB\\x", "become_password": "secret", "become_flags": ("logon_type=new_credentials "
                                                                                  "logon_flags=netcredentials_only"),
        "environment": {}, "powershell_modules": {},
    }  # fmt: skip
    line = powershell(powershell(BOOTSTRAP))
    found = job(line, b"begin { }\0\0\0\0" + json.dumps(sent).encode())
    assert (found.kind, found.name, found.legacy) == ("module", expected, False)
    assert found.become == Become(
        user="PRSLAB\\x",
        password="secret",
        flags={"logon_type": "new_credentials", "logon_flags": "netcredentials_only"},
    )


def test_helpers_of_2_16_are_text_on_the_command_line() -> None:
    made = (
        "$tmp_path = [System.Environment]::ExpandEnvironmentVariables('%TEMP%')\n$tmp = New-Item -Type Directory "
        "-Path $tmp_path -Name 'it''s'\n"
    )
    found = job(powershell(made))
    assert (found.name, found.arguments) == ("powershell_mkdtemp.ps1", {"Directory": "%TEMP%", "Name": "it's"})


def test_input_from_a_file_instead_of_standard_input() -> None:
    files = {"C:\\t\\AnsiballZ.ps1": manifest(MODULE)}
    assert job(f'type "C:\\t\\AnsiballZ.ps1" | {powershell(BOOTSTRAP)}', files=files).name == "ansible.windows.win_ping"
    assert (
        job(powershell(f"type 'C:\\t\\AnsiballZ.ps1' | {powershell(BOOTSTRAP)}"), files=files).name
        == "ansible.windows.win_ping"
    )
    newer = powershell(
        "param([string]$InputFile)\n" + BOOTSTRAP, "<Objs><Obj><LST><S>C:\\t\\AnsiballZ.ps1</S></LST></Obj></Objs>"
    )
    assert job(newer, files=files).name == "ansible.windows.win_ping"


def test_everything_else_is_a_text_or_a_command_line() -> None:
    assert job(powershell("hostname")) == Job(kind="powershell", text="hostname")
    assert job("ipconfig /all") == Job(kind="command", text="ipconfig /all")
    assert own_script("# prs.recovery inspect_server\n...") == "inspect_server"
    assert own_script("Get-Item x # prs.recovery no") is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b  c", ["a", "b", "c"]), ('"a b" c', ["a b", "c"]), (r'a\\b "c\\" d', ["a\\\\b", "c\\", "d"]), (r'a "b\"c"', ["a", 'b"c']),
        ('/X="C:\\Program Files\\x" /q', ["/X=C:\\Program Files\\x", "/q"]), ('""', [""]), ("  ", []), (r"C:\dir\ x", ["C:\\dir\\", "x"]),
    ],
)  # fmt: skip
def test_command_lines(line: str, words: list[str]) -> None:
    assert split_command_line(line) == words


def test_secrets_do_not_reach_the_record() -> None:
    assert (
        mask_command_line('setup.exe /SAPWD="a b" /SQLSVCPASSWORD=x /FEATURES=SQL')
        == "setup.exe /SAPWD=******** /SQLSVCPASSWORD=******** /FEATURES=SQL"
    )
    shown = mask_secrets(
        {"password": "p", "update_password": "always", "nested": [{"client_secret": "s", "name": "n"}], "arguments": "/pwd=z", "wanted": "w"},
        ["wanted"], in_texts=True,
    )  # fmt: skip
    hidden = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert shown == {
        "password": hidden, "update_password": "always", "nested": [{"client_secret": hidden, "name": "n"}], "arguments": "/pwd=********", "wanted": hidden,
    }  # fmt: skip
