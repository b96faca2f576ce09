"""From a user's inventory to an estate of the lab: what is taken over, what is replaced, and what is said of one that cannot pass."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from prs_lab.cli import main
from prs_lab.estate import config
from prs_lab.estate.description import describe
from prs_lab.rehearsal import inventory as rehearsed
from prs_lab.rehearsal.estate import plan_estate
from prs_lab.rehearsal.reading import RehearsalError, read

EXAMPLES = Path(__file__).resolve().parents[3] / "inventory.example"
ENCRYPTED = "$ANSIBLE_VAULT;1.1;AES256\n3031323334\n"
SECRET = "Real-Passw0rd"


def copied(folder: Path, example: str = "two_sites", **replaced: str) -> Path:
    """An example inventory with variables of group_vars/all/main.yml in another way; '' takes one out."""
    inventory = folder / "inventory"
    shutil.copytree(EXAMPLES / example, inventory)
    file = inventory / "group_vars" / "all" / "main.yml"
    text = file.read_text(encoding="utf-8")
    for name, value in replaced.items():
        text, count = re.subn(
            rf"^{name}:.*$", lambda _, name=name, value=value: f"{name}: {value}" if value else "", text, flags=re.M
        )
        text += "" if count else f"\n{name}: {value}\n"
    file.write_text(text, encoding="utf-8")
    return inventory


def planned_problems(inventory: Path) -> str:
    with pytest.raises(RehearsalError) as error:
        plan_estate(read(inventory), low_ports=True)
    return "\n".join(error.value.problems)


@pytest.mark.parametrize("example", ["two_sites", "single_server"])
def test_the_examples_make_estates_that_the_lab_takes(tmp_path: Path, example: str):
    planned = plan_estate(read(copied(tmp_path, example)), low_ports=True)
    estate = config.parse(planned.document)
    assert (estate.domain, estate.dns_suffix, estate.public_name) == ("EXAMPLE", "example.com", "reset.example.com")
    assert estate.https_port == 443 and planned.notes == ()
    host, share = estate.share_host("backup")
    assert host.groups == ("prs_share",) and "EXAMPLE\\svc-backup" in share.rights["change"]
    assert estate.media.sql_folder == "sql" and estate.media.application_zip == "PasswordResetServer.zip"


def test_names_drives_shares_and_ports_are_those_of_the_inventory(tmp_path: Path):
    inventory = copied(
        tmp_path,
        prs_sql_data_dir=r"F:\Data",
        prs_sql_log_dir=r"G:\Logs",
        prs_app_path=r"E:\Sites\PRS",
        prs_share_path=r"\\nas.corp.contoso.com\prs$\backups",
        prs_backup_copies=r"[{path: '\\10.1.2.3\copies', share_user: 'EXAMPLE\svc-copies', share_password: Real-Passw0rd}]",
        prs_app_https_port="9443",
        prs_sql_build="16.0.4135.4",
    )
    planned = plan_estate(read(inventory), low_ports=False)
    estate = config.parse(planned.document)
    drives = {host.name: "".join(drive.letter for drive in host.drives) for host in estate.hosts}
    assert (drives["sql-a"], drives["web-a"]) == ("CDEFG", "CE")
    assert estate.aliases == {"nas.corp.contoso.com": "nas", "10.1.2.3": "s10-1-2-3"}
    assert [share.name for share in estate.host("nas").shares] == ["prs$"]
    assert estate.accounts == ("svc-backup", "svc-copies", "svc-prs")
    assert (estate.https_port, estate.media.sql_version) == (8443, "16.0.4135.4")
    assert [note.split(",")[0] for note in planned.notes] == ["nas.corp.contoso.com", "10.1.2.3"]


def test_vaults_stay_closed_and_no_secret_of_the_user_is_kept(tmp_path: Path):
    inventory = copied(
        tmp_path,
        prs_share_user='"{{ vault_share_user }}"',
        prs_app_login='"{{ vault_login }}"',
        prs_sql_admin_password=SECRET,
        prs_backup_copies=r"[{path: '\\files-b\copies', share_user: 'EXAMPLE\svc-copies', share_password: Real-Passw0rd}]",
        prs_app_login_password=f"!vault |\n  {ENCRYPTED.strip()}".replace("\n3", "\n  3"),
    )
    (inventory / "group_vars" / "all" / "vault.yml").write_text(ENCRYPTED, encoding="utf-8")
    user = read(inventory)
    planned = plan_estate(user, low_ports=True)
    state = tmp_path / "lab"
    state.mkdir()
    description = describe(config=config.parse(planned.document), state_dir=state, network="127.64.0.0")
    folder = rehearsed.write(
        folder=state / "inventory", source=inventory, inventory=user, planned=planned, description=description
    )
    texts = [file.read_text(encoding="utf-8") for file in folder.rglob("*.yml")]
    assert not [text for text in texts if SECRET in text or "ANSIBLE_VAULT" in text]
    again = read(folder)
    common = yaml.safe_load((folder / "group_vars" / "all.yml").read_text(encoding="utf-8"))
    assert common["prs_sql_admin_password"] == description.secrets.sql_admin
    assert common["prs_app_login_password"] == description.secrets.application_login
    assert common["prs_backup_copies"][0]["share_password"] == description.secrets.accounts["svc-copies"]
    assert common["prs_app_login"] == "{{ vault_login }}" and "vault_login" in again.values["sql-a"]
    assert again.groups["site_b"] == ["web-b", "sql-b"]
    assert again.values["web-b"]["prs_fqdn"] == "web-b.example.com"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("prs_sql_data_dir", r'"{{ prs_drive }}:\\Data"', "prs_sql_data_dir (of web-a, sql-a, web-b, sql-b, files) cannot be worked out: "
                                                          "prs_drive is defined nowhere"),
        ("prs_app_https_port", "https", "prs_app_https_port (of web-a) is 'https', which is no port"),
        ("prs_active_site", "site_c", "prs_active_site is site_c, and no group has that name"),
        ("prs_active_site", "", "prs_active_site is not set"),
        ("prs_sql_media", r"D:\media", r"prs_sql_media is 'D:\\media': a rehearsal needs a folder on a share"),
        ("prs_media_path", "", "prs_media_path is defined nowhere"),
        ("prs_backup_database_user", r"OTHER\svc", "accounts are of several domains: EXAMPLE (prs_share_user), OTHER"),
    ],
)  # fmt: skip
def test_a_broken_variable_is_named(tmp_path: Path, name: str, value: str, said: str):
    assert said in planned_problems(copied(tmp_path, **{name: value}))


HALF = {"all": {"children": {"prs_web": {"hosts": {"web-a": None}}, "site_a": {"hosts": {"web-a": None}}}}}
SITES = {
    "site_a": ["web-a", "sql-a"],
    "site_b": ["web-b", "sql-b"],
    "prs_web": ["web-a", "web-b"],
    "prs_sql": ["sql-a", "sql-b"],
}


def grouped(**groups: list[str]) -> dict:
    return {"all": {"children": {name: {"hosts": dict.fromkeys(hosts)} for name, hosts in {**SITES, **groups}.items()}}}


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        (HALF, "the inventory has no hosts in prs_sql"),
        (grouped(site_b=["web-b", "sql-b", "sql-c"], prs_sql=["sql-a", "sql-b", "sql-c"]), "site_b has 2 hosts of prs_sql (sql-b, sql-c)"),
        (grouped(site_b=["web-b"]), "site_b has 0 hosts of prs_sql; a site has exactly one"),
        (grouped(site_c=["web-b", "sql-b"]), "web-b stands at site_b and at site_c"),
        (grouped(prs_share=["Web-A"]), "web-a and Web-A are the same server, web-a"),
        (grouped(prs_share=["a-file-server-of-ours"]), "a-file-server-of-ours: its full name is 'a-file-server-of-ours.example.com'"),
    ],
)  # fmt: skip
def test_what_is_missing_or_stands_twice_is_said(tmp_path: Path, hosts: dict, said: str):
    inventory = copied(tmp_path)
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    variables = inventory / "group_vars" / "prs_servers.yml"
    variables.rename(inventory / "group_vars" / "all" / "servers.yml")
    assert said in planned_problems(inventory)


def test_the_command_says_what_is_wrong_before_a_lab_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    state = tmp_path / "rehearsal"

    def said(*arguments: str) -> str:
        assert main(["rehearse", "--state", str(state), *arguments]) == 1
        return capsys.readouterr().err

    assert "nowhere is not there" in said("--inventory", str(tmp_path / "nowhere"))
    (tmp_path / "broken.yml").write_text("all: [", encoding="utf-8")
    assert "the inventory has no hosts in prs_web and prs_sql" in said("--inventory", str(tmp_path / "broken.yml"))
    single = str(copied(tmp_path, "single_server"))
    assert "site-lost needs another site to move to; the inventory has site_a alone" in said(
        "--inventory", single, "--disaster", "site-lost"
    )
    assert not state.exists()
