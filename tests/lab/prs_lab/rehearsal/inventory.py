"""The inventory of a rehearsal: the user's own, with what has to be the lab's in its place: how a host is reached, passwords,
certificates, and files and addresses of the control node.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..estate.description import Description
from ..estate.secrets import Secrets
from .estate import PlannedEstate
from .reading import PLACEHOLDER, Unsafe, UserInventory, is_secret, plain

__all__ = ["write"]

_DROPPED = (
    "prs_failover_hook",
    "prs_drill_database_config",
    "prs_sql_updates",
    "prs_dotnet_media",
    "prs_app_certificate_thumbprint",
)
"""What reaches for the world outside, or for media that the lab has none of."""
_HEADER = "# The rehearsal of {source}, written by prs-lab. Its passwords are the lab's own.\n"
_OF_SECRETS = {
    "prs_sql_admin_password": "sql_admin",
    "prs_sql_master_key_password": "sql_master_key",
    "prs_app_login_password": "application_login",
    "prs_sql_certificate_password": "certificate",
    "prs_app_certificate_password": "certificate",
}


def write(
    *, folder: Path, source: Path, inventory: UserInventory, planned: PlannedEstate, description: Description
) -> Path:
    """Writes ``folder`` and returns it: groups, what all hosts have in common, and a file for each host."""
    variables = {host: _variables(host, inventory, planned, description) for host in planned.computers}
    first = next(iter(variables.values()))
    common = {name: value for name, value in first.items() if all(own.get(name) == value for own in variables.values())}
    groups = {
        group: {"hosts": {host: None for host in hosts if host in planned.computers}}
        for group, hosts in inventory.groups.items()
        if group not in ("all", "ungrouped")
    }
    header = _HEADER.format(source=source)
    _write(folder / "hosts.yml", header, {"all": {"children": groups}})
    _write(folder / "group_vars" / "all.yml", header, common)
    for host, own in variables.items():
        _write(
            folder / "host_vars" / f"{host}.yml",
            header,
            {name: value for name, value in own.items() if name not in common},
        )
    return folder


def _variables(host: str, inventory: UserInventory, planned: PlannedEstate, description: Description) -> dict[str, Any]:
    secrets = description.secrets
    own = {name: value for name, value in inventory.variables[host].items() if name not in _DROPPED}
    with_accounts = _with_passwords(own, inventory.values[host], planned.domain, secrets)
    return {**with_accounts, **_of_the_lab(host, planned, description, own)}


def _with_passwords(
    written: Mapping[str, Any], values: Mapping[str, Any], domain: str, secrets: Secrets
) -> dict[str, Any]:
    """Each secret is the lab's: of the account that stands beside it, of its own purpose, or the placeholder."""
    result = {}
    for name, value in written.items():
        resolved = values.get(name)
        if isinstance(value, Mapping) and isinstance(resolved, Mapping):
            result[name] = _with_passwords(value, resolved, domain, secrets)
        elif isinstance(value, list) and isinstance(resolved, list) and len(value) == len(resolved):
            result[name] = [
                _with_passwords(item, other, domain, secrets) if isinstance(item, Mapping) else item
                for item, other in zip(value, resolved, strict=True)
            ]
        elif is_secret(name):
            account = _account(values.get(f"{name.removesuffix('password')}user"))
            purpose = getattr(secrets, _OF_SECRETS.get(name, ""), "")
            result[name] = purpose or secrets.accounts.get(account, PLACEHOLDER)
        elif name.endswith("_user") and _account(resolved) in secrets.accounts:
            result[name] = f"{domain}\\{_account(resolved)}"
        else:
            result[name] = value
    return result


def _account(user: Any) -> str:
    """``EXAMPLE\\svc`` and ``svc@example.com`` -> ``svc``."""
    return str(user or "").rpartition("\\")[2].partition("@")[0].lower()


def _of_the_lab(host: str, planned: PlannedEstate, description: Description, own: Mapping[str, Any]) -> dict[str, Any]:
    certificates = Path(description.ca_file).parent
    computer = description.host(planned.computers[host].lower())
    page = "https://{{ hostvars[groups['prs_web'] | intersect(groups[prs_active_site]) | first].ansible_host }}"
    path = (
        f"/{own.get('prs_app_name') or 'PasswordResetServer'}/"
        if own.get("prs_app_site") == "Default Web Site"
        else "/"
    )
    reports = Path(description.state_dir) / "reports"
    connection = {
        key: value
        for key, value in dict(own.get("prs_sql_connection") or {}).items()
        if key not in ("login_user", "login_password", "login_host", "ca_file", "driver")
    }
    return {
        "ansible_connection": "winrm",
        "ansible_host": computer.address,
        "ansible_port": 5986,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": description.ca_file,
        "ansible_winrm_operation_timeout_sec": 4,
        "ansible_winrm_read_timeout_sec": 6,
        "ansible_user": description.administrator,
        "ansible_password": description.secrets.administrator,
        "prs_fqdn": computer.fqdn,
        "prs_files": str(certificates),
        "prs_ca_file": description.ca_file,
        "prs_app_certificate_pfx": description.site_pfx,
        "prs_app_https_port": description.https_port,
        "prs_app_url": f"{page}:{description.https_port}{path}",
        "prs_report_path": str(reports),
        # A twin restarts at once and needs no time to settle.
        "prs_reboot_delay": 0,
        "prs_reboot_timeout": 60,
        **({"prs_sql_certificate_pfx": computer.pfx} if computer.pfx else {}),
        **({"prs_report_folder": str(reports)} if own.get("prs_report_folder") else {}),
        **({"prs_trusted_roots": [description.ca_file]} if own.get("prs_trusted_roots") else {}),
        **({"prs_sql_connection": connection} if connection else {}),
        **({"prs_mirror_authentication": "certificates"} if own.get("prs_mirror_authentication") == "windows" else {}),
    }


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def _write(path: Path, header: str, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(header)
        yaml.dump(plain(data), file, Dumper=_Dumper, sort_keys=False, width=150)
