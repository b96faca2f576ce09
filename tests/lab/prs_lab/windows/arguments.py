"""Arguments of modules, checked against their real documentation (`ansible-doc -j`), with the messages of
Ansible.Basic.

The documentation of all modelled modules is read once by the real tool and kept in a cache folder, under the versions
of the collections.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["ArgumentError", "Specs", "check_arguments", "default_specs", "mask_command_line", "mask_secrets"]

_TRUE = {"y", "yes", "on", "1", "true", "t", "1.0"}
_FALSE = {"n", "no", "off", "0", "false", "f", "0.0"}
_DOTNET_TYPES = {
    "str": "System.String",
    "int": "System.Int32",
    "list": "System.Object[]",
    "dict": "System.Collections.Hashtable",
    "bool": "System.Boolean",
}
# Options that action plugins add on the way, and documented ones that they use up.
_ADDED = {
    "ansible.windows.win_copy": {"_copy_mode", "_original_basename", "files", "directories", "symlinks"},
    "ansible.windows.win_file": {"_original_basename"},
    "ansible.windows.win_shell": {"_raw_params"},
    "ansible.windows.win_command": {"_raw_params"},
    "ansible.windows.async_status": {"_async_dir"},
}
_USED_UP = {
    "ansible.windows.win_shell": {"free_form", "cmd"},
    "ansible.windows.win_command": {"free_form", "cmd"},
    "ansible.windows.win_copy": {"content", "local_follow", "decrypt"},
    "ansible.windows.async_status": {"_async_dir"},
}
# Documented as required, but the module itself does without in some of its states.
_REALLY_OPTIONAL = {"ansible.windows.win_share": {"path"}}
_SECRET_WORDS = ("password", "secret", "passphrase", "token", "credential")
_NOT_SECRET = {"update_password", "password_expired", "password_never_expires", "user_cannot_change_password"}
_MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


class ArgumentError(Exception):
    """The module would refuse these arguments; the text is what it would say."""


class Specs:
    """Options of modules by full name.

    `cache` is a folder of this machine; `collections` the folder that holds `ansible_collections` (None: where ansible
    looks by itself).
    """

    def __init__(self, *, cache: Path, collections: Path | None = None) -> None:
        self._cache = cache
        self._collections = collections
        self._options: dict[str, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def options(self, name: str, known: Iterable[str]) -> dict[str, Any]:
        """The documented options of a module; KeyError when it has no documentation. `known` are all modules that may
        be asked for.
        """
        with self._lock:
            if self._options is None:
                self._options = self._load(sorted(known))
        return self._options[name]

    def _load(self, names: list[str]) -> dict[str, dict[str, Any]]:
        file = self._cache / f"ansible-doc-{self._fingerprint(names)}.json"
        if not file.exists():
            documentation = self._ask(names)
            self._cache.mkdir(parents=True, exist_ok=True)
            scratch = file.with_suffix(f".{os.getpid()}.tmp")
            scratch.write_text(
                json.dumps({name: entry["doc"].get("options", {}) for name, entry in documentation.items()}),
                encoding="utf-8",
            )
            os.replace(scratch, file)
        return json.loads(file.read_text(encoding="utf-8"))

    def _ask(self, names: list[str]) -> dict[str, Any]:
        beside = Path(sys.executable).with_name("ansible-doc")
        tool = str(beside) if beside.exists() else shutil.which("ansible-doc")
        if tool is None:
            raise RuntimeError(
                "ansible-doc is not installed here; the lab reads the modules' documentation with it (pip install "
                "ansible-core)"
            )
        environment = dict(os.environ)
        if self._collections:
            environment["ANSIBLE_COLLECTIONS_PATH"] = str(self._collections)
        done = subprocess.run(
            [tool, "-t", "module", "-j", *names], capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            raise RuntimeError(f"ansible-doc failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def _fingerprint(self, names: list[str]) -> str:
        digest = hashlib.sha256("\n".join(names).encode())
        for namespace, collection in sorted({tuple(name.split(".")[:2]) for name in names}):
            manifest = (self._collections or Path()) / "ansible_collections" / namespace / collection / "MANIFEST.json"
            digest.update(
                manifest.read_bytes()
                if self._collections and manifest.exists()
                else f"{namespace}.{collection}".encode()
            )
        return digest.hexdigest()[:16]


@functools.cache
def default_specs() -> Specs:
    """The specs in a checkout: its build folder holds collections and cache. Elsewhere ansible's own collections and
    the user's cache folder.
    """
    build = Path(__file__).parents[4] / "build"
    if (build / "collections").is_dir():
        return Specs(cache=build / "cache", collections=build / "collections")
    return Specs(cache=Path.home() / ".cache" / "prs-lab")


def check_arguments(name: str, options: Mapping[str, Any], given: Mapping[str, Any], *, legacy: bool) -> dict[str, Any]:
    """The arguments as the module gets them: real names, converted, defaults filled in; those that nobody gave are
    None.

    Raises `ArgumentError`. A misspelt option is refused even where a real module of the legacy kind would silently
    ignore it, because that is a mistake that nobody sees on real hosts.
    """
    optional = _REALLY_OPTIONAL.get(name, ())
    wanted = {
        key: {**option, "required": False} if key in optional else option
        for key, option in options.items()
        if key not in _USED_UP.get(name, ())
    }
    arguments = {key: value for key, value in given.items() if not key.startswith("_ansible_")}
    added = {key: arguments.pop(key) for key in _ADDED.get(name, ()) if key in arguments}
    try:
        checked = _check(wanted, arguments, module=name, context="")
    except ArgumentError as error:
        raise ArgumentError(
            f"{error} (the real module ignores this silently)" if legacy and "Unsupported" in str(error) else str(error)
        ) from None
    return checked | added


def mask_secrets(
    arguments: Mapping[str, Any], sensitive: Collection[str] = (), *, in_texts: bool = False
) -> dict[str, Any]:
    """A copy without the values of options that hold secrets; with `in_texts` (for records) also without those inside
    command lines.
    """

    def mask(name: str, value: Any) -> Any:
        lowered = name.lower()
        secret = name in sensitive or (any(word in lowered for word in _SECRET_WORDS) and lowered not in _NOT_SECRET)
        if secret and isinstance(value, (str, int, float, list, dict)) and not isinstance(value, bool) and value:
            return _MASK
        if isinstance(value, Mapping):
            return {key: mask(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [mask("", inner) for inner in value]
        return mask_command_line(value) if in_texts and isinstance(value, str) else value

    return {key: mask(str(key), value) for key, value in arguments.items()}


def mask_command_line(text: str) -> str:
    """A command line for the record, without the values of switches that hold secrets (`/SAPWD=...`, `-password x`)."""
    return re.sub(r'(?i)([/-]\w*(?:pwd|password|pass|secret|key|pid)\w*[=: ]+)("[^"]*"|\S+)', r"\1********", text)


def _check(options: Mapping[str, Any], given: Mapping[str, Any], *, module: str, context: str) -> dict[str, Any]:
    where = f" found in {context}" if context else ""
    names = {alias.lower(): key for key, option in options.items() for alias in (key, *(option.get("aliases") or ()))}
    found: dict[str, Any] = {}
    unknown = []
    for key, value in given.items():
        if key.lower() in names:
            found[names[key.lower()]] = value
        else:
            unknown.append(key)
    if unknown:
        supported = ", ".join(
            alias for key, option in options.items() for alias in (key, *(option.get("aliases") or ()))
        )
        raise ArgumentError(
            f"Unsupported parameters for ({module}) module: {', '.join(unknown)}{where}. Supported parameters "
            f"include: {supported}"
        )
    missing = [key for key, option in options.items() if option.get("required") and found.get(key) is None]
    if missing:
        raise ArgumentError(f"missing required arguments: {', '.join(missing)}{where}")
    checked = {}
    for key, option in options.items():
        value = found.get(key)
        value = option.get("default") if value is None else value
        checked[key] = _choice(key, option, _convert(key, option, value, module=module), where)
    return checked


def _choice(key: str, option: Mapping[str, Any], value: Any, where: str) -> Any:
    choices = [str(choice) for choice in option.get("choices") or ()]
    if not choices or value is None:
        return value
    lowered = {choice.lower(): choice for choice in choices}
    values = value if isinstance(value, list) else [value]
    wrong = [str(one) for one in values if str(one).lower() not in lowered]
    if wrong:
        kind = "one or more of" if isinstance(value, list) else "one of"
        raise ArgumentError(
            f"value of {key} must be {kind}: {', '.join(choices)}. Got no match for: {', '.join(wrong)}{where}"
        )
    if all(isinstance(one, str) for one in values):
        return [lowered[one.lower()] for one in values] if isinstance(value, list) else lowered[value.lower()]
    return value


def _convert(key: str, option: Mapping[str, Any], value: Any, *, module: str) -> Any:
    kind = option.get("type") or "str"
    if value is None:
        return None
    try:
        if kind == "list":
            values = (
                value
                if isinstance(value, list)
                else [part.strip() for part in value.split(",")]
                if isinstance(value, str)
                else [value]
            )
            element = {**option, "type": option.get("elements") or "raw", "choices": None}
            return [_convert(key, element, one, module=module) for one in values]
        if kind == "dict":
            value = json.loads(value) if isinstance(value, str) and value.lstrip().startswith("{") else value
            if not isinstance(value, Mapping):
                raise ValueError("it is not a dictionary")
            return (
                _check(option["suboptions"], value, module=module, context=key) if option.get("suboptions") else value
            )
        return _scalar(kind, value)
    except (ValueError, TypeError) as error:
        dotnet = _DOTNET_TYPES.get(type(value).__name__, type(value).__name__)
        raise ArgumentError(
            f"argument for {key} is of type {dotnet} and we were unable to convert to {kind}: {error}"
        ) from None


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("raw", "any"):
        return value
    if kind == "bool":
        text = str(value).strip().lower()
        if text not in _TRUE | _FALSE:
            raise ValueError(
                f"The value '{value}' is not a valid boolean. Valid booleans include: "
                f"{', '.join(sorted(_TRUE | _FALSE))}"
            )
        return text in _TRUE
    if kind == "int":
        return int(str(value), 10) if not isinstance(value, bool) else int(value)
    if kind == "float":
        return float(value)
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)
