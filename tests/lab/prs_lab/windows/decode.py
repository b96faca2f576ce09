"""What a WinRM client asks a host to run, as a Job: everything that ansible-core 2.16 to 2.21 sends, and plain command
lines.

ansible-core 2.19 and later send a constant bootstrap on the command line and JSON on standard input: what to run first,
a divider, then a manifest whose last action tells what is wanted. 2.16 to 2.18 send the text of a wrapper, a divider
and another manifest for modules, and whole small scripts on the command line for everything else.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .process import InputPipe

__all__ = ["Async", "Become", "Job", "decode", "powershell_text"]

_ENCODED = re.compile(
    r'^\s*"?(?:[^"\s]*\\)?(?:powershell|pwsh)(?:\.exe)?"?\s+(?:.*?\s)?-e(?:nc|ncodedcommand)?\s+([A-Za-z0-9+/=]+)'
    r"(?:\s+-encodedarguments\s+([A-Za-z0-9+/=]+))?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_TYPED = re.compile(r"""^type\s+["']?([^"'|]+?)["']?\s*\|\s*(.*)$""", re.IGNORECASE | re.DOTALL)
_DIVIDER = b"\0\0\0\0"
_MODULE_FILE = re.compile(r"^ansible_collections\.(\w+)\.(\w+)\.plugins\.modules\.(\w+)$")
_QUOTED = r"'((?:[^']|'')*)'"
_MADE_FOLDER = re.compile(
    rf"\$tmp_path = \[System\.Environment\]::ExpandEnvironmentVariables\({_QUOTED}\)\s+"
    rf"\$tmp = New-Item -Type Directory -Path \$tmp_path -Name {_QUOTED}"
)
_FETCHED_FILE = re.compile(
    rf"\$path = {_QUOTED}\s+If \(Test-Path -LiteralPath \$path -PathType Leaf\).*?\$buffer_size = (\d+)\s+\$offset "
    r"= (\d+)",
    re.DOTALL,
)
# The names under which modules travel that are called without their collection, or through ansible.builtin.
_OTHER_NAMES = {
    "setup": "ansible.windows.setup",
    "slurp": "ansible.windows.slurp",
    "async_status": "ansible.windows.async_status",
    "ping": "ansible.windows.win_ping",
    "stat": "ansible.windows.win_stat",
    "file": "ansible.windows.win_file",
    "copy": "ansible.windows.win_copy",
    "find": "ansible.windows.win_find",
    "command": "ansible.windows.win_command",
    "shell": "ansible.windows.win_shell",
    "service": "ansible.windows.win_service",
}


@dataclass(frozen=True, kw_only=True)
class Become:
    """`become_method: runas`. `password` is None when none was given."""

    user: str
    password: str | None
    flags: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Async:
    """`async:` of a task: the controller's part of the job id, seconds, the folder for results."""

    job_id: str
    seconds: float
    folder: str


@dataclass(kw_only=True)
class Job:
    """One thing to run.

    `kind`: `module` (name, arguments), `exec` (a helper of ansible-core's own: name, arguments), `script` (the script
    module's text),
    `powershell` (text) or `command` (text). `stdin` is what follows for a helper that reads while it runs.
    """

    kind: str
    name: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    legacy: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    become: Become | None = None
    background: Async | None = None


def decode(command_line: str, stdin: InputPipe, *, reads_input: bool, read_file: Callable[[str], bytes]) -> Job:
    """The job behind a command line. Reads as much of `stdin` as it takes to know; `read_file` is for input that was
    put into a file before (ANSIBLE_KEEP_REMOTE_FILES).

    What follows on standard input (a file being put, input of a plain command) is left in `stdin`.
    """
    is_powershell, text, arguments = _unwrap(command_line)
    typed = _TYPED.match(text.strip())
    file = typed[1] if typed else None
    if typed:
        is_powershell, text, arguments = _unwrap(typed[2])
    if arguments and text.startswith("param([string]$InputFile)"):
        file = arguments[0]
    if file:
        stdin = InputPipe()
        stdin.write(read_file(file), end=True)
        reads_input = True
    if is_powershell and reads_input:
        if "`0`0`0`0" in text and "$input" in text:
            return _bootstrap(stdin)
        if "TransformFinalBlock" in text and "FromBase64String($input)" in text:
            path = re.search(rf"\$path = {_QUOTED}", text)
            return Job(kind="exec", name="winrm_put_file.ps1", arguments={"Path": _unquote(path[1]) if path else ""})
    if is_powershell:
        return _helper_of_older_core(text) or Job(kind="powershell", text=text)
    return Job(kind="command", text=text)


def powershell_text(command_line: str) -> str | None:
    """The text that a `powershell -EncodedCommand` line runs, or None for another command line."""
    is_powershell, text, _ = _unwrap(command_line)
    return text if is_powershell else None


def _unwrap(line: str) -> tuple[bool, str, list[str]]:
    """Peel the layers of -EncodedCommand (older ansible-core wraps twice): (was there any, text, -EncodedArguments of
    the last one).
    """
    is_powershell, arguments = False, []
    while match := _ENCODED.match(line):
        is_powershell = True
        line = _decoded(match[1])
        arguments = re.findall(r"<S>([^<]*)</S>", _decoded(match[2])) if match[2] else []
    return is_powershell, line, arguments


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode("utf-16-le")


def _bootstrap(stdin: InputPipe) -> Job:
    head, divided = stdin.read_until(_DIVIDER + b"\n")
    if not divided:
        head, _, rest = head.partition(_DIVIDER)
        if not head.lstrip().startswith(b"{"):
            return _older_manifest(json.loads(rest))
    elif not head.lstrip().startswith(b"{"):
        return _older_manifest(json.loads(stdin.read_all()))
    body, _ = stdin.read_until(_DIVIDER)
    return _manifest(json.loads(body))


def _manifest(manifest: dict[str, Any]) -> Job:
    """ansible-core 2.19 and later."""
    last = manifest["actions"][-1]
    parameters = last["params"]
    job = Job(kind="exec", name=last["name"], arguments=parameters)
    for action in manifest["actions"]:
        if action["name"] == "become_wrapper.ps1":
            given = action["params"]
            flags = {key: given[key] for key in ("LogonType", "LogonFlags") if key in given}
            job.become = Become(
                user=given["BecomeUser"],
                password=(action.get("secure_params") or {}).get("BecomePassword"),
                flags=flags,
            )
        elif action["name"] == "async_wrapper.ps1":
            job.background = Async(job_id=action["params"]["AsyncJid"], seconds=0, folder=action["params"]["AsyncDir"])
        elif action["name"] == "async_watchdog.ps1" and job.background:
            job.background = Async(
                job_id=job.background.job_id, seconds=float(action["params"]["Timeout"]), folder=job.background.folder
            )
    if last["name"] != "module_wrapper.ps1":
        return job
    job.environment = parameters.get("Environment") or {}
    if not parameters.get("ForModule"):
        job.kind, job.arguments = "script", {}
        job.text = base64.b64decode(manifest["scripts"][parameters["Script"]]["script"]).decode("utf-8", "replace")
        return job
    job.kind = "module"
    job.name = _module_name(parameters["Script"].removesuffix(".ps1"))
    job.arguments = next(
        variable["Value"] for variable in parameters["Variables"] if variable["Name"] == "complex_args"
    )
    job.legacy = any("Ansible.ModuleUtils.Legacy" in module for module in parameters.get("PowerShellModules") or [])
    return job


def _older_manifest(manifest: dict[str, Any]) -> Job:
    """ansible-core 2.16 to 2.18."""
    arguments = manifest.get("module_args") or {}
    actions = manifest["actions"]
    environment = manifest.get("environment") or {}
    job = Job(kind="module", arguments=arguments, environment=environment)
    if "become_wrapper" in actions:
        flags = dict(pair.partition("=")[::2] for pair in shlex.split(manifest.get("become_flags") or ""))
        job.become = Become(
            user=manifest.get("become_user") or "", password=manifest.get("become_password"), flags=flags
        )
    if "async_wrapper" in actions:
        folder = environment.get("ANSIBLE_ASYNC_DIR") or "%USERPROFILE%\\.ansible_async"
        job.background = Async(
            job_id=str(manifest["async_jid"]), seconds=float(manifest["async_timeout_sec"]), folder=folder
        )
    if actions[-1] == "module_script_wrapper":
        job.kind, job.arguments = "script", {}
        job.text = base64.b64decode(manifest["module_entry"]).decode("utf-8", "replace")
        return job
    job.name = _module_name(arguments.get("_ansible_module_name", ""))
    job.legacy = "Ansible.ModuleUtils.Legacy" in (manifest.get("powershell_modules") or {})
    return job


def _module_name(name: str) -> str:
    in_collection = _MODULE_FILE.match(name)
    if in_collection:
        return ".".join(in_collection.groups())
    short = re.sub(r"^ansible\.(legacy|builtin)\.", "", name.removesuffix(".ps1"))
    if "." in short:
        return short
    return _OTHER_NAMES.get(short) or f"ansible.windows.{short}"


def _helper_of_older_core(text: str) -> Job | None:
    """The small scripts that ansible-core 2.16 to 2.18 send on the command line, as the helpers that replaced them."""
    made = _MADE_FOLDER.search(text)
    if made:
        return Job(
            kind="exec",
            name="powershell_mkdtemp.ps1",
            arguments={"Directory": _unquote(made[1]), "Name": _unquote(made[2])},
        )
    fetched = _FETCHED_FILE.search(text)
    if fetched:
        path, size, offset = fetched.groups()
        return Job(
            kind="exec",
            name="winrm_fetch_file.ps1",
            arguments={"Path": _unquote(path), "BufferSize": int(size), "Offset": int(offset)},
        )
    return None


def _unquote(text: str) -> str:
    """The inside of a PowerShell string in single quotes."""
    return text.replace("''", "'")
