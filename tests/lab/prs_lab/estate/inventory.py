"""The ansible inventory of a lab: the same groups and variables that an administrator copies from ``inventory.example``.

What differs from a real inventory is said here and nowhere else: addresses instead of names (the control node's resolver knows
nothing of the lab), the secrets in clear (mode 0600, random, worthless elsewhere), restarts that take no time, and a port for
the site that needs no root.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from .config import EstateConfig, HostConfig
from .secrets import Secrets

__all__ = ["write"]

_ADMINISTRATOR = "Administrator"

_WRITTEN_ANEW = "# The lab writes this file at every start. Your own settings belong in group_vars/all/settings.yml, which it leaves alone.\n"
_SETTINGS = """---
# Yours: the lab made this file once and does not touch it again. What is set here holds over what the lab writes into main.yml beside it.
# prs_ha: mirror
# prs_active_site: site_b
"""


def write(*, folder: Path, config: EstateConfig, network: str, secrets: Secrets, certificates: Path) -> Path:
    """Writes ``folder/hosts.yml`` and its variables and returns the folder, which ansible takes as an inventory. What a person sets in
    ``group_vars/all/settings.yml`` stays and, read last of that folder, holds.

    ``certificates`` holds ``ca.pem``, ``site.pfx`` and one ``<host>.pfx`` per database server.
    """
    _write(folder / "hosts.yml", _hosts(config, network))
    _write(folder / "group_vars" / "all" / "main.yml", _variables(config, network, certificates))
    _write(folder / "group_vars" / "all" / "secrets.yml", _secrets(config, secrets))
    settings = folder / "group_vars" / "all" / "settings.yml"
    if not settings.exists():
        settings.write_text(_SETTINGS, encoding="utf-8")
    _write(folder / "group_vars" / "prs_servers.yml", _connection(config, certificates))
    _write(
        folder / "group_vars" / "prs_witness.yml",
        {"prs_sql_data_dir": "", "prs_sql_log_dir": "", "prs_sql_backup_dir": ""},
    )
    return folder


def _hosts(config: EstateConfig, network: str) -> dict[str, Any]:
    groups = sorted({group for host in config.hosts for group in host.groups})
    by_group = {
        group: {"hosts": {host.name: _host(config, host, network) for host in config.in_group(group)}}
        for group in groups
    }
    sites = {
        _site(site): {"hosts": {host.name: None for host in config.hosts if host.site == site}} for site in config.sites
    }
    return {"all": {"children": {"prs_servers": {"children": by_group}, **sites}}}


def _host(config: EstateConfig, host: HostConfig, network: str) -> dict[str, Any]:
    administrator = host.character.speech.administrator
    own = {} if administrator == _ADMINISTRATOR else {"ansible_user": administrator}
    return {"ansible_host": config.address(host, network), **_scheme(config, host), **own}


def _scheme(config: EstateConfig, host: HostConfig) -> dict[str, Any]:
    """The first site is reached over HTTP with sealed NTLM, as a fresh Windows Server offers it; the others over HTTPS.

    Values and no templates, which Ansible would compile anew for each host in each task.
    """
    over_http = host.site == config.sites[0] and len(config.sites) > 2 and not config.https_only
    return {"ansible_winrm_scheme": "http" if over_http else "https", "ansible_port": 5985 if over_http else 5986}


def _variables(config: EstateConfig, network: str, certificates: Path) -> dict[str, Any]:
    active = next(host for host in config.hosts if "prs_web" in host.groups)
    data_drives = sorted(
        drive.letter
        for drive in next(host for host in config.hosts if "prs_sql" in host.groups).drives
        if drive.letter != "C"
    )
    data, log = data_drives[0], data_drives[-1]
    deduplicated = next(iter(active.character.deduplicated), "")
    media_host, media_share = config.share_host(config.media.share) or (None, None)
    backup_host, backup_share = config.share_host("backup") or (None, None)
    if media_host is None or backup_host is None:
        raise ValueError(f"the estate {config.name} needs a share '{config.media.share}' and a share 'backup'")
    return {
        "prs_active_site": _site(active.site),
        "prs_ca_file": str(certificates / "ca.pem"),
        "prs_media_path": rf"\\{config.fqdn(media_host)}\{media_share.name}",
        "prs_sql_media": "{{ prs_media_path }}\\" + config.media.sql_folder,
        "prs_app_media": config.media.application_zip,
        "prs_share_path": rf"\\{config.fqdn(backup_host)}\{backup_share.name}",
        "prs_share_user": rf"{config.domain}\svc-backup",
        # One account writes, and so reads, all that lies there; verify_prs fails over that until somebody says that it is known.
        "prs_accept_shared_readers": True,
        **({"prs_app_path": rf"{deduplicated}:\Sites\PasswordResetServer"} if deduplicated else {}),
        "prs_sql_data_dir": rf"{data}:\SQLData",
        "prs_sql_log_dir": rf"{log}:\SQLLogs",
        "prs_sql_backup_dir": rf"{data}:\SQLBackup",
        "prs_sql_alias": config.sql_alias,
        "prs_sql_partner_alias": config.partner_alias,
        "prs_sql_certificate_pfx": f"{certificates}/{{{{ inventory_hostname }}}}.pfx",
        "prs_app_login_sid": "0x5A1D0C9E7B3F4482A6E1D50B7C92F318",
        "prs_app_certificate_pfx": str(certificates / "site.pfx"),
        "prs_app_public_name": config.public_name,
        "prs_app_https_port": config.https_port,
        # The public name leads to the active site; the control node's resolver does not know it.
        "prs_app_url": "https://{{ hostvars[groups['prs_web'] | intersect(groups[prs_active_site]) | first].ansible_host }}"
        f":{config.https_port}/",
        "prs_ldap_servers": ["10.1.0.10", "10.2.0.10"],
        # A twin restarts at once and needs no time to settle.
        "prs_reboot_delay": 0,
        "prs_reboot_timeout": 60,
    }


def _secrets(config: EstateConfig, secrets: Secrets) -> dict[str, Any]:
    return {
        "ansible_password": secrets.administrator,
        "prs_share_password": secrets.accounts["svc-backup"],
        "prs_sql_admin_password": secrets.sql_admin,
        "prs_sql_master_key_password": secrets.sql_master_key,
        "prs_sql_certificate_password": secrets.certificate,
        "prs_app_login_password": secrets.application_login,
        "prs_app_certificate_password": secrets.certificate,
    }


def _connection(config: EstateConfig, certificates: Path) -> dict[str, Any]:
    return {
        "ansible_connection": "winrm",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": str(certificates / "ca.pem"),
        # A twin answers at once, so one that is lost need not be waited for half a minute.
        "ansible_winrm_operation_timeout_sec": 4,
        "ansible_winrm_read_timeout_sec": 6,
        "ansible_user": _ADMINISTRATOR,
        "prs_fqdn": f"{{{{ inventory_hostname }}}}.{config.dns_suffix}",
    }


def _site(site: str) -> str:
    """A site's name as a group: no dashes, which ansible warns of."""
    return site.replace("-", "_")


def _write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_WRITTEN_ANEW)
        yaml.safe_dump(data, file, sort_keys=False, width=150)
    temporary.replace(path)
