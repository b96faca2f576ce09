"""A user's inventory as Ansible reads it, without his secrets: no vault is opened, and no password is kept.

Ansible itself is asked (its inventory and variable managers), so that precedence, group variables and inventory plugins are
those of a real run.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["PLACEHOLDER", "RehearsalError", "Unsafe", "UserInventory", "is_secret", "plain", "read"]

PLACEHOLDER = "Rehearsal-0nly"
"""What stands where a secret stood, unless the lab has one of its own for it."""
_ENCRYPTED = b"$ANSIBLE_VAULT;"
_SECRET = re.compile(r"(passw(or)?d|passphrase|secret|token|product_key)$", re.IGNORECASE)
_VAULTED = re.compile(r"\bvault_\w+")
_UNDEFINED = re.compile(r"'([A-Za-z_]\w*)' is undefined")
_CONNECTION = re.compile(
    r"ansible_(winrm|psrp|ssh|become)_?\w*|ansible_(connection|host|port|user|password|shell_type|timeout)"
)
_MAGIC = re.compile(
    r"ansible_(version|check_mode|config_file|diff_mode|facts|forks|inventory_sources|limit|playbook_python|run_tags|"
    r"skip_tags|verbosity|collection_name|role_name|delegated_vars|local|date_time)|groups|group_names|hostvars|"
    r"inventory_\w+|omit|playbook_dir|play_hosts|vars"
)


class RehearsalError(Exception):
    """The inventory cannot be rehearsed; ``problems`` holds one sentence for each reason, for whoever wrote it."""

    def __init__(self, problems: Iterable[str]):
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class Unsafe(str):
    """A text that looks like a template and is none."""


@dataclass(frozen=True, kw_only=True)
class UserInventory:
    """``groups``: name -> hosts, with those of child groups. ``variables``: host -> its variables as they were written, with
    templates, without secrets and without what says how Ansible connects. ``values``: host -> the same, worked out; ``address``
    is where Ansible would connect to.
    """

    groups: dict[str, list[str]]
    variables: dict[str, dict[str, Any]]
    values: dict[str, dict[str, Any]]
    addresses: dict[str, str] = field(default_factory=dict)


def is_secret(name: str) -> bool:
    """Whether a variable's name says that it holds a secret."""
    return bool(_SECRET.search(name)) or name.startswith("vault_")


def plain(value: Any) -> Any:
    """Without the types that Ansible gives what it reads; what it would not template stays so."""
    if isinstance(value, Mapping):
        return {"".join(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return Unsafe(value) if "{{" in value and getattr(value, "__UNSAFE__", False) else "".join(value)
    if isinstance(value, bool) or value is None:
        return value
    return next((kind(value) for kind in (int, float) if isinstance(value, kind)), value)


def read(source: Path) -> UserInventory:
    """Reads an inventory (a folder or a file). Raises RehearsalError with every variable that cannot be worked out."""
    if not source.exists():
        raise RehearsalError([f"{source} is not there: give the inventory's folder or file"])
    with tempfile.TemporaryDirectory(prefix="prs-rehearsal-") as folder:
        copy, encrypted = _without_vaults(source.resolve(), Path(folder))
        return _read(copy, encrypted)


def _without_vaults(source: Path, folder: Path) -> tuple[Path, list[str]]:
    """A copy in which encrypted files are empty, and their names. Of a file its neighbours group_vars and host_vars are copied as
    well.
    """
    copy = folder / "inventory"
    if source.is_dir():
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".git"))
    else:
        copy.mkdir()
        shutil.copy2(source, copy)
        for name in ("group_vars", "host_vars"):
            if (source.parent / name).is_dir():
                shutil.copytree(source.parent / name, copy / name)
    encrypted = [
        file for file in sorted(copy.rglob("*")) if file.is_file() and file.read_bytes().startswith(_ENCRYPTED)
    ]
    for file in encrypted:
        file.write_bytes(b"")
    return (copy if source.is_dir() else copy / source.name), [str(file.relative_to(copy)) for file in encrypted]


def _read(source: Path, encrypted: list[str]) -> UserInventory:
    from ansible.errors import AnsibleError
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.vars.hostvars import HostVars
    from ansible.vars.manager import VariableManager

    loader = DataLoader()
    try:
        inventory = InventoryManager(loader=loader, sources=[str(source)])
        manager = VariableManager(loader=loader, inventory=inventory)
        everything = {host.name: manager.get_vars(host=host) for host in inventory.get_hosts()}
    except AnsibleError as error:
        raise RehearsalError([f"Ansible cannot read the inventory: {_short(error)}"]) from error
    shared = {
        "hostvars": HostVars(inventory=inventory, variable_manager=manager, loader=loader),
        "groups": inventory.get_groups_dict(),
    }
    written = {host: _without_secrets(_own(variables)) for host, variables in everything.items()}
    values, problems = {}, {}
    for host, variables in everything.items():
        written[host] = {**_vaulted(written[host]), **written[host]}
        values[host] = _resolved(loader, {**shared, **variables, **written[host]}, written[host], problems)
    if problems:
        raise RehearsalError(_sentences(problems, encrypted))
    kept = {
        host: {name: value for name, value in variables.items() if not _CONNECTION.fullmatch(name)}
        for host, variables in written.items()
    }
    addresses = {host: str(values[host].get("ansible_host", host)) for host in written}
    return UserInventory(groups=inventory.get_groups_dict(), variables=kept, values=values, addresses=addresses)


def _sentences(problems: dict[tuple[str, str], list[str]], encrypted: list[str]) -> Iterator[str]:
    hint = (
        f" (names in {', '.join(encrypted)}, which stay closed, are known by their beginning vault_)"
        if encrypted
        else ""
    )
    for (name, reason), hosts in problems.items():
        yield f"{name} (of {', '.join(hosts)}) cannot be worked out: {reason}{hint if 'is defined nowhere' in reason else ''}"


def _vaulted(written: Mapping[str, Any]) -> dict[str, str]:
    """What is named vault_... and stands nowhere lies in a file that stays closed."""
    return dict.fromkeys(sorted(set(_VAULTED.findall(repr(written)))), PLACEHOLDER)


def _own(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Without what Ansible puts there by itself."""
    return {name: value for name, value in variables.items() if not _MAGIC.fullmatch(name)}


def _without_secrets(value: Any, name: str = "") -> Any:
    """The value as plain data; a secret by its name, and what is encrypted in place, is the placeholder."""
    if isinstance(value, Mapping):
        return {str(key): _without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    if is_secret(name) or type(value).__name__ in ("AnsibleVaultEncryptedUnicode", "EncryptedString"):
        return PLACEHOLDER
    return value


def _resolved(
    loader: Any, variables: dict[str, Any], written: Mapping[str, Any], problems: dict[tuple[str, str], list[str]]
) -> dict[str, Any]:
    """The values of a host's variables; ``problems`` gets (name, reason) of each that has none, with the host."""
    from ansible.template import Templar

    templar = Templar(loader=loader, variables=variables)
    values = {}
    for name, value in written.items():
        try:
            values[name] = templar.template(value)
        except Exception as error:  # templates can raise anything
            problems.setdefault((name, _reason(error)), []).append(str(variables["inventory_hostname"]))
    return values


def _reason(error: Exception) -> str:
    undefined = _UNDEFINED.search(str(error))
    return f"{undefined[1]} is defined nowhere" if undefined else _short(error)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
