"""What a host can answer: models of Ansible modules, PowerShell scripts, command lines, each registered under its name
by a decorator.

    @module("ansible.windows.win_ping")
    def win_ping(task: Task) -> dict: ... # in windows/modules/*.py; the result's keys, as the real module returns them

    @script("inspect_server")
    def inspect_server(call: ScriptCall) -> ScriptResult: ... # in windows/scripts/*.py; found by the first line `#
    prs.recovery NAME`
                                                                   # a verb of a session may as well yield its items

    @program("icacls")
    def icacls(call: CommandCall) -> Output: ... # windows/scripts/ or windows/modules/; an executable by its base name
    without .exe

    @powershell(r"^hostname$")
    def hostname(call: CommandCall, match: re.Match) -> Output: ... # a few words of PowerShell that a client sends by
    itself

    @executable
    def installer(call: CommandCall) -> Output | None: ... # asked about every other program that is a file on the host

Every file in windows/modules and windows/scripts is imported when the first host runs something. A model may take its
time (it runs in a thread of its own), may raise `WinError` (shown as PowerShell would) and changes the host's parts
directly; the state is kept afterwards.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..occasions import Occasions
from .accounts import Token
from .filesystem import FileView

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = [
    "COMMANDS", "EXECUTABLES", "MODULES", "POWERSHELL", "SCRIPTS", "WITHOUT_CHECK_MODE", "Caller", "CommandCall", "ModuleFailed", "ModuleFault",
    "Output", "ScriptCall", "ScriptResult", "Task", "executable", "load_models", "module", "powershell", "program", "script",
]  # fmt: skip


class ModuleFailed(Exception):
    """The module ends with `failed: true`. `extra` are further keys of its result."""

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.extra = extra


@dataclass(kw_only=True)
class ModuleFault(Occasions):
    """Ansible's modules that fail with `text`. What `pattern` sees of a call is the module's name and its arguments
    (JSON).
    """

    text: str


@dataclass(kw_only=True)
class Caller:
    """In whose name something runs.

    `files` are the files as this account sees them; over plain WinRM it has no second hop. `delegated` is True after
    become, for SYSTEM and for services.
    `environment` are the variables of the process.
    """

    host: WindowsHost
    token: Token
    delegated: bool
    files: FileView
    environment: Mapping[str, str]

    def expand(self, text: str) -> str:
        """Replace `%NAME%` by the process' variables."""
        if "%" not in text:
            return text
        known = {name.lower(): value for name, value in self.environment.items()}
        return re.sub(r"%([^%]+)%", lambda match: known.get(match[1].lower(), match[0]), text)


@dataclass(kw_only=True)
class Task(Caller):
    """One run of an Ansible module. `params` are its options, checked, converted and with defaults, keyed by their real
    names.
    """

    name: str
    params: dict[str, Any]
    check_mode: bool
    diff_mode: bool
    warnings: list[str] = field(default_factory=list)

    def fail(self, message: str, **extra: Any) -> NoReturn:
        raise ModuleFailed(message, **extra)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@dataclass(kw_only=True)
class CommandCall(Caller):
    """A command line or PowerShell text. `program` is the executable as written, `arguments` what follows it, `stdin`
    what it reads.

    `module` is the Ansible module that runs it, such as `ansible.windows.win_command`, or "" when a client sent it
    directly.
    """

    text: str
    program: str = ""
    arguments: list[str] = field(default_factory=list)
    stdin: bytes = b""
    module: str = ""
    working_directory: str = ""


@dataclass(kw_only=True)
class ScriptCall(Caller):
    """A PowerShell script of a known name.

    `parameters` are keyed as written (a secret's text in clear). A verb of a session (`prs.recovery bootstrap`) has its
    lines in `Items`, tells how far it is by `progress`, and keeps `files` from one call to the next, connections to
    shares included.
    """

    name: str
    text: str
    parameters: dict[str, Any]
    check_mode: bool = False
    progress: Callable[[dict[str, Any]], None] = lambda _: None

    def parameter(self, name: str, default: Any = None) -> Any:
        """A parameter without regard to case, as PowerShell binds them."""
        return next((value for key, value in self.parameters.items() if key.lower() == name.lower()), default)


@dataclass(kw_only=True)
class ScriptResult:
    """What a script leaves in `$Ansible` and its streams: `output` are the objects it put out, `error` the text of a
    terminating error.
    """

    result: Any = None
    changed: bool = True
    failed: bool = False
    output: list[Any] = field(default_factory=list)
    error: str | None = None
    warning: list[str] = field(default_factory=list)
    diff: dict[str, Any] | None = None


@dataclass
class Output:
    """What a process leaves."""

    stdout: str | bytes = ""
    stderr: str = ""
    rc: int = 0


MODULES: dict[str, Callable[[Task], dict[str, Any]]] = {}
WITHOUT_CHECK_MODE: set[str] = set()
SCRIPTS: dict[str, Callable[[ScriptCall], ScriptResult | Iterable[Any]]] = {}
COMMANDS: dict[str, Callable[[CommandCall], Output]] = {}
POWERSHELL: list[tuple[re.Pattern[str], Callable[[CommandCall, re.Match[str]], Output]]] = []
EXECUTABLES: list[Callable[[CommandCall], Output | None]] = []

_Model = TypeVar("_Model", bound=Callable[..., Any])


def _register(table: dict[str, Any], names: tuple[str, ...]) -> Callable[[_Model], _Model]:
    def add(model: _Model) -> _Model:
        for name in names:
            if name in table and table[name].__module__ != model.__module__:
                raise ValueError(f"two models for {name}: in {table[name].__module__} and in {model.__module__}")
            table[name] = model
        return model

    return add


def module(*names: str, check_mode: bool = True) -> Callable[[_Model], _Model]:
    """Model of a module, by full names. `check_mode=False`: the real one does not support it and is skipped then."""
    if not check_mode:
        WITHOUT_CHECK_MODE.update(names)
    return _register(MODULES, names)


def script(*names: str) -> Callable[[_Model], _Model]:
    """Model of a script of ours, by the name in its first line."""
    return _register(SCRIPTS, names)


def program(*names: str) -> Callable[[_Model], _Model]:
    """Model of an executable, by its base name in lower case without `.exe`."""
    return _register(COMMANDS, names)


def powershell(pattern: str) -> Callable[[_Model], _Model]:
    """Model of PowerShell text that matches from its start (ignoring case, `.` matches line ends)."""

    def add(model: _Model) -> _Model:
        POWERSHELL.append((re.compile(pattern, re.IGNORECASE | re.DOTALL), model))
        return model

    return add


def executable(model: _Model) -> _Model:
    """Model asked about programs that are files on the host; answers None when it does not know the file."""
    EXECUTABLES.append(model)
    return model


@cache
def load_models() -> None:
    """Import every file of windows/modules and windows/scripts, once."""
    for name in ("modules", "scripts"):
        package = importlib.import_module(f"{__package__}.{name}")
        for found in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{found.name}")
