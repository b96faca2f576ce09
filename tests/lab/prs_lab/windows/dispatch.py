"""From a process in a remote shell to its result: decode, act as the right account, run the model, answer as the real
thing would.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import ntpath
import threading
import time
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .accounts import Token
from .arguments import ArgumentError, check_arguments, mask_secrets
from .decode import Async, Become, Job, decode, powershell_text
from .errors import WinError
from .execution import NotModelled, clixml, own_script, run_command_line, run_powershell
from .filesystem import FileView
from .languages import SPOKEN, calling
from .models import MODULES, WITHOUT_CHECK_MODE, Caller, ModuleFailed, Output, Task, load_models
from .power import PowerLost
from .process import Killed, Process
from .sessions import converse

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["Dispatcher"]

_JOB_NUMBERS = itertools.count(4712, 4)
_LINE_END = b"\r\n"


class _BecomeFailed(Exception):
    """The wrapper could not start a process under the other account."""


class _Skipped(Exception):
    """The real module does nothing in check mode."""


class Dispatcher:
    """Runs the processes of one host, each in a thread of its own."""

    def __init__(self, host: WindowsHost) -> None:
        self._host = host
        self._warm_since = 0

    def start(self, process: Process, token: Token, environment: dict[str, str]) -> None:
        threading.Thread(
            target=self._run, args=(process, token, environment), name=f"process on {self._host.name}", daemon=True
        ).start()

    def _run(self, process: Process, token: Token, environment: dict[str, str]) -> None:
        boot = self._host.power.boot_count
        SPOKEN.set(self._host.character.language)
        is_powershell = powershell_text(process.command_line) is not None
        try:
            load_models()
            if is_powershell:
                self._warm_up(boot)
            caller = self._caller(token, environment)
            if is_powershell and "constrained-language" in self._host.character.policies:
                output = _constrained(process)
            elif self._is_session(process):
                output = Output(rc=converse(caller, process))
            else:
                job = decode(
                    process.command_line, process.stdin, reads_input=process.reads_input, read_file=caller.files.read
                )
                output = self._perform(job, caller, process)
        except (PowerLost, Killed):
            return
        except (NotModelled, WinError) as error:
            output = Output(stderr=str(error), rc=1)
        except Exception:  # a defect of the twin itself must not look like an answer of Windows
            defect = traceback.format_exc()
            self._host.record.unmodelled(self._host.name, "a request on which the twin broke", defect)
            output = Output(
                stderr=f"The lab's Windows twin broke on this request; this is a defect of the lab.\n{defect}", rc=1
            )
        if self._host.power.boot_count == boot:
            stdout = output.stdout.encode() if isinstance(output.stdout, str) else output.stdout
            process.emit(
                stdout, b"" if not output.stderr else clixml(output.stderr) if is_powershell else output.stderr.encode()
            )
            process.finish(output.rc)

    def _warm_up(self, boot: int) -> None:
        """The first PowerShell after a start of Windows reads its files from the disk, and an antivirus reads along."""
        if self._warm_since != boot:
            self._host.pause(self._host.character.slow_start)
            self._warm_since = boot

    @staticmethod
    def _is_session(process: Process) -> bool:
        text = powershell_text(process.command_line) if process.reads_input else None
        return text is not None and own_script(text) == "bootstrap"

    # Who

    def _caller(self, token: Token, environment: dict[str, str]) -> Caller:
        """A process of a plain WinRM logon: no second hop."""
        host = self._host
        self._make_profile(token)
        return Caller(
            host=host,
            token=token,
            delegated=False,
            files=FileView(host, token, delegated=False),
            environment=host.environment.of(token.name, environment),
        )

    def _become(self, caller: Caller, become: Become) -> Caller:
        """The process of `become_method: runas`: LogonUser with the password; the service accounts need none, but an
        administrator.
        """
        host = self._host
        flags = "".join(become.flags.values()).lower().replace("_", "")
        if "netcredentialsonly" in flags or "newcredentials" in flags:
            files = FileView(host, caller.token, network_credentials=(become.user, become.password or ""))
            return replace(caller, files=files, delegated=True)
        try:
            sid = host.accounts.lookup(become.user)
            is_service_account = sid in ("S-1-5-18", "S-1-5-19", "S-1-5-20") or sid.startswith("S-1-5-80-")
            delegated = True
            if is_service_account or become.password is None:
                if not caller.token.is_admin and sid != caller.token.sid:
                    raise WinError(1314, become.user)
                token = host.accounts.token(become.user)
                # Without a password the logon is local only (S4U): no credentials for other hosts.
                delegated = is_service_account
            else:
                token = host.accounts.log_on(become.user, become.password)
        except WinError as error:
            if error.number == 1332:
                text = host.character.speech.untranslated
            else:
                number = f"Win32ErrorCode {error.number} - 0x{error.number:08X}"
                text = f"Failed to logon {become.user} ({error.text.rstrip('.')}, {number})"
            raise _BecomeFailed(calling("CreateProcessAsUser", 9, text)) from None
        self._make_profile(token)
        return Caller(
            host=host,
            token=token,
            delegated=delegated,
            files=FileView(host, token, delegated=delegated),
            environment=host.environment.of(token.name),
        )

    def _make_profile(self, token: Token) -> None:
        if self._host.accounts.find_user(token.name):
            self._host.drives.make_profile(token.name.rsplit("\\", 1)[-1], token.sid)

    # What

    def _perform(self, job: Job, caller: Caller, process: Process) -> Output:
        if job.kind == "module" and job.background:
            return self._start_in_background(job, caller)
        if job.become:
            try:
                caller = self._become(caller, job.become)
            except _BecomeFailed as error:
                result = {"failed": True, "msg": f"internal error: failed to become user '{job.become.user}': {error}"}
                return Output(_json_line(result), "" if job.kind == "module" else result["msg"], 1)
        if job.environment:
            caller = replace(caller, environment={**caller.environment, **job.environment})
        if job.kind == "module":
            result = self._module(job, caller)
            return Output(_json_line(result), rc=1 if result.get("failed") else 0)
        if job.kind == "exec":
            return self._helper(job, caller, process)
        if job.kind == "script":
            return self._script_module(job, caller)
        if job.kind == "powershell":
            return run_powershell(caller, job.text)
        stdin = process.stdin.read_all() if process.reads_input else b""
        return run_command_line(caller, job.text, stdin=stdin)

    def _module(self, job: Job, caller: Caller) -> dict[str, Any]:
        """Run a module's model; answers its whole result."""
        host = self._host
        started = time.perf_counter()
        check_mode, diff_mode = bool(job.arguments.get("_ansible_check_mode")), bool(job.arguments.get("_ansible_diff"))
        shown = mask_secrets({key: value for key, value in job.arguments.items() if not key.startswith("_ansible_")})
        model = MODULES.get(job.name)
        try:
            if model is None:
                raise NotModelled(caller, f"module {job.name}", json.dumps(shown, default=str))
            options = host.specs.options(job.name, MODULES)
            parameters = check_arguments(job.name, options, job.arguments, legacy=job.legacy)
            shown = mask_secrets(
                parameters, (parameters.get("sensitive_parameters") and ("sensitive_parameters",)) or ()
            )
            if check_mode and job.name in WITHOUT_CHECK_MODE:
                raise _Skipped(
                    "remote module does not support check mode"
                    if job.legacy
                    else f"remote module ({job.name}) does not support check mode"
                )
            if host.module_faults and not check_mode:
                call = f"{job.name} {json.dumps(shown, default=str, ensure_ascii=False)}"
                for fault in host.module_faults:
                    if fault.is_due(call):
                        raise ModuleFailed(fault.text)
            task = Task(**_fields(caller), name=job.name, params=parameters, check_mode=check_mode, diff_mode=diff_mode)
            result = {"changed": False, **model(task)}
            if task.warnings:
                result["warnings"] = task.warnings
        except (ArgumentError, NotModelled) as error:
            result = {"changed": False, "failed": True, "msg": str(error)}
        except _Skipped as reason:
            result = {"changed": False, "skipped": True, "msg": str(reason)}
        except ModuleFailed as error:
            result = {"changed": False, "failed": True, "msg": str(error), **error.extra}
        except WinError as error:
            result = {
                "changed": False,
                "failed": True,
                "msg": f"Unhandled exception while executing module: {error.dotnet}",
            }
        if not job.legacy:
            result["invocation"] = {"module_args": shown}
        if not diff_mode:
            result.pop("diff", None)
        host.record.add(
            "module", host.name, module=job.name, arguments=mask_secrets(shown, in_texts=True), check_mode=check_mode, account=caller.token.name,
            changed=bool(result.get("changed")), failed=bool(result.get("failed")), msg=str(result.get("msg", "")) if result.get("failed") else "",
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )  # fmt: skip
        host.changed()
        return result

    def _script_module(self, job: Job, caller: Caller) -> Output:
        """`ansible.builtin.script`: the text calls a file that was put before."""
        command = job.text.strip().removeprefix("&").split(";", 1)[0].strip().strip("'\"")
        text = caller.files.read(command).decode("utf-8-sig", "replace") if caller.files.is_file(command) else job.text
        return run_powershell(caller, text, module="ansible.builtin.script")

    # ansible-core's own helpers

    def _helper(self, job: Job, caller: Caller, process: Process) -> Output:
        arguments = job.arguments
        try:
            if job.name == "winrm_put_file.ps1":
                return self._put(arguments["Path"], caller, process)
            if job.name == "winrm_fetch_file.ps1":
                return self._fetch(arguments, caller)
            if job.name == "powershell_mkdtemp.ps1":
                path = ntpath.join(caller.expand(arguments["Directory"]), arguments["Name"])
                caller.files.make_dir(path)
                return Output(_line(path))
            if job.name == "powershell_expand_user.ps1":
                path, home = arguments["Path"], caller.environment["USERPROFILE"]
                return Output(
                    _line(home if path == "~" else ntpath.join(home, path[2:]) if path.startswith("~\\") else path)
                )
        except WinError as error:
            return Output(stderr=error.dotnet, rc=1)
        raise NotModelled(caller, f"helper {job.name}", json.dumps(arguments, default=str))

    @staticmethod
    def _put(path: str, caller: Caller, process: Process) -> Output:
        """A file that arrives as lines of base64, written while it arrives."""
        digest = hashlib.sha1()
        with caller.files.open(path, "wb") as file:
            complete = True
            while complete:
                line, complete = process.stdin.read_until(b"\n")
                piece = base64.b64decode(line)
                digest.update(piece)
                file.write(piece)
        return Output(_json_line({"sha1": digest.hexdigest()}))

    @staticmethod
    def _fetch(arguments: dict[str, Any], caller: Caller) -> Output:
        path = arguments["Path"]
        if caller.files.is_dir(path):
            return Output(_line("[DIR]"))
        if not caller.files.is_file(path):
            return Output(stderr=f"{path} does not exist", rc=1)
        with caller.files.open(path) as file:
            file.seek(arguments["Offset"])
            piece = file.read(arguments["BufferSize"])
        return Output(_line(base64.b64encode(piece).decode()) if piece else b"")

    # async

    def _start_in_background(self, job: Job, caller: Caller) -> Output:
        background = job.background
        assert background is not None
        process_id = next(_JOB_NUMBERS)
        home = caller.environment["USERPROFILE"]
        folder = caller.expand(background.folder or "%USERPROFILE%\\.ansible_async").replace("~", home)
        job_id = f"{background.job_id}.{process_id}"
        path = ntpath.join(folder, job_id)
        started = {
            "started": True, "finished": False, "results_file": path, "ansible_job_id": job_id, "_ansible_suppress_tmpdir_delete": True,
            "ansible_async_watchdog_pid": process_id,
        }  # fmt: skip
        caller.files.make_dir(folder)
        caller.files.write(path, _json_line(started))
        threading.Thread(target=self._watch, args=(job, caller, background, path, started), daemon=True).start()
        return Output(_json_line(started))

    def _watch(self, job: Job, caller: Caller, background: Async, path: str, started: dict[str, Any]) -> None:
        """The watchdog: runs the module, waits as long as the task allows, writes the result."""
        boot = self._host.power.boot_count
        results: list[dict[str, Any]] = []

        def work() -> None:
            SPOKEN.set(self._host.character.language)
            try:
                as_account = self._become(caller, job.become) if job.become else caller
                results.append(
                    self._module(
                        replace(job, background=None),
                        replace(as_account, environment={**as_account.environment, **job.environment}),
                    )
                )
            except Exception as error:
                results.append({"failed": True, "msg": f"failure during async watchdog: {error}"})

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(background.seconds or None)
        timed_out = {
            "failed": True,
            "msg": "failure during async watchdog: timed out waiting for module completion",
            "stdout": None,
            "stderr": "",
        }
        result = {**started, "finished": True, **(results[0] if results else timed_out)}
        if self._host.power.is_on and self._host.power.boot_count == boot and caller.files.exists(path):
            caller.files.write(path, _json_line(result))
            self._host.changed()


def _constrained(process: Process) -> Output:
    """What little still happens where policies allow the core types of PowerShell alone."""
    if Dispatcher._is_session(process):
        return Output(
            '{"error":{"number":0,"kind":"LanguageMode","message":"PowerShell runs in a restricted language mode"}}\r\n',
            rc=1,
        )
    return Output(
        stderr="Cannot invoke method. Method invocation is supported only on core types in this language mode.", rc=1
    )


def _fields(caller: Caller) -> dict[str, Any]:
    return {name: getattr(caller, name) for name in ("host", "token", "delegated", "files", "environment")}


def _json_line(value: Any) -> bytes:
    return json.dumps(value, default=str).encode() + _LINE_END


def _line(text: str) -> bytes:
    return text.encode() + _LINE_END
