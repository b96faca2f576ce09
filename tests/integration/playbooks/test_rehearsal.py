"""The rehearsal of a user's own estate: copies of the example inventories, with other names, drives, instances and disasters."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playbook_lab import ROOT
from prs_lab.client import Lab
from prs_lab.estate import config
from prs_lab.rehearsal import inventory as rehearsed
from prs_lab.rehearsal.disasters import DISASTERS
from prs_lab.rehearsal.estate import plan_estate
from prs_lab.rehearsal.playbooks import PlaybookFailed, Playbooks
from prs_lab.rehearsal.reading import RehearsalError, read
from prs_lab.rehearsal.rehearsal import rehearse

EXAMPLES = ROOT / "inventory.example"
OTHER_NAMES = {
    r"\\files.example.com\media": r"\\nas.corp.contoso.com\install$",
    r"\\files.example.com\backup": r"\\10.1.2.3\prs",
    "EXAMPLE": "CONTOSO",
    "example.com": "contoso.com",
    "prs_sql_instance: MSSQLSERVER": "prs_sql_instance: PRS",
    "prs_sql_port: 1433": "prs_sql_port: 14330",
    r"D:\SQLData": r"F:\Data",
    r"D:\SQLLogs": r"G:\Logs",
    r"D:\SQLBackup": r"H:\Backup",
    "prs_database: PasswordResetServer": "prs_database: PRS_Prod",
    r"prs_app_path: C:\inetpub\wwwroot\PasswordResetServer": r"prs_app_path: E:\Sites\PRS",
    "prs_app_name: PasswordResetServer": "prs_app_name: Passwords",
    "prs_app_site: PasswordResetServer": "prs_app_site: Default Web Site",
    "prs_app_https_port: 443": "prs_app_https_port: 9443",
    "prs_app_login: prs_app": "prs_app_login: prs_live",
    "prs-sql": "pw-db",
    "site_a": "vienna",
    "            prs:": "            VIE-PRS01:",
    "        prs:": "        VIE-PRS01:",
    "            files:": "            vie-nas:",
}
_networks = (f"127.{160 + os.getpid() % 60}.{number}.0" for number in itertools.count(1))


def renamed(folder: Path) -> Path:
    """The single server with other names, an instance name, other drives, one site; its vault is encrypted."""
    inventory = folder / "inventory"
    shutil.copytree(EXAMPLES / "single_server", inventory)
    for file in inventory.rglob("*.yml"):
        text = file.read_text(encoding="utf-8")
        for before, after in OTHER_NAMES.items():
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")
    (inventory / "group_vars" / "all" / "vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n30\n", encoding="utf-8")
    return inventory


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a rehearsal lies; its lab is ended and removed afterwards."""
    yield tmp_path / "rehearsal"
    Lab(tmp_path / "rehearsal" / "lab").down()
    shutil.rmtree(tmp_path / "rehearsal", ignore_errors=True)


def test_the_playbooks_take_the_inventory_of_a_rehearsal(tmp_path: Path, folder: Path):
    """The whole of it takes minutes, at night. A variable that is missing there is missing here, too."""
    source = renamed(tmp_path)
    variables = source / "group_vars" / "all" / "main.yml"
    variables.write_text(
        variables.read_text(encoding="utf-8").replace("prs_sql_admin_password", "prs_sql_admn_password")
    )
    user = read(source)
    planned = plan_estate(user, low_ports=True)
    lab = Lab(folder / "lab")
    folder.mkdir()
    (folder / "estate.yml").write_text(yaml.safe_dump(planned.document), encoding="utf-8")
    lab.up(estate=folder / "estate.yml", network=next(_networks))
    assert config.load(folder / "estate.yml").host("VIE-PRS01").groups == ("prs_web", "prs_sql")
    target = folder / "lab" / "inventory"

    def written() -> Playbooks:
        rehearsed.write(folder=target, source=source, inventory=user, planned=planned, description=lab.description)
        return Playbooks(inventory=target, logs=folder / "logs", reports=folder / "reports")

    with pytest.raises(PlaybookFailed) as failure:
        written().play("provision_prs", "--check")
    (reason,) = failure.value.reasons
    assert "The inventory does not say prs_sql_admin_password" in reason
    variables.write_text(
        variables.read_text(encoding="utf-8").replace("prs_sql_admn_password", "prs_sql_admin_password")
    )
    user = read(source)
    assert written().play("provision_prs", "--check").changed > 0
    plan = (folder / "logs" / "provision_prs.log").read_text(encoding="utf-8")
    assert "VIE-PRS01: install SQL Server 15.0.4430.1 (PRS)" in plan
    assert re.search(r"set up IIS and the application in E:\\+Sites\\+PRS", plan)
    assert lab.unmodelled() == []


@pytest.mark.nightly
@pytest.mark.parametrize("disaster", DISASTERS)
def test_every_disaster_on_two_sites(tmp_path: Path, folder: Path, disaster: str):
    shutil.copytree(EXAMPLES / "two_sites", tmp_path / "inventory")
    figures = rehearse(source=tmp_path / "inventory", disaster=disaster, folder=folder, network=next(_networks))
    assert figures["rows"] == figures["rows_expected"] and Path(figures["report"]).exists()


@pytest.mark.nightly
@pytest.mark.parametrize("disaster", ["total-loss", "database-suspect", "keys-lost"])
def test_other_names_an_instance_name_other_drives_and_one_site(tmp_path: Path, folder: Path, disaster: str):
    figures = rehearse(source=renamed(tmp_path), disaster=disaster, folder=folder, network=next(_networks))
    assert figures["rows"] == figures["rows_expected"] and figures["again_changed"] == 0


@pytest.mark.nightly
def test_a_lost_site_that_is_mirrored(tmp_path: Path, folder: Path):
    shutil.copytree(EXAMPLES / "two_sites", tmp_path / "inventory")
    file = tmp_path / "inventory" / "group_vars" / "all" / "main.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("prs_ha: none", "prs_ha: mirror"), encoding="utf-8")
    figures = rehearse(source=tmp_path / "inventory", disaster="site-lost", folder=folder, network=next(_networks))
    assert figures["rows"] == figures["rows_expected"] == 7


@pytest.mark.nightly
def test_what_only_the_playbooks_can_see_is_said_by_the_rehearsal(tmp_path: Path, folder: Path):
    """With the path of the report, since a run that fails has one as well."""
    source = renamed(tmp_path)
    file = source / "group_vars" / "all" / "main.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("SQL_Latin1_General_CP1_CI_AS", "Latin1_General_100_CI_AS")
    )
    with pytest.raises(RehearsalError) as error:
        rehearse(source=source, disaster="total-loss", folder=folder, network=next(_networks))
    assert "Latin1_General_100_CI_AS" in str(error.value)
