"""No secret of the estate appears anywhere: not at -vvvv, not in what the twins recorded, not in files that the
collection writes.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.prs.recovery.plugins.lookup.unknown_variables import known_names
from playbook_lab import Beginning, Estate, make_shares

NOT_HERE = {
    "prs_app_share_password",  # the role's own name of prs_share_password
    "prs_drill_login_password",  # of drill_prs alone, and by default prs_app_login_password
}


@pytest.mark.nightly
@pytest.mark.parametrize(
    "playbooks",
    [("backup_prs",), ("backup_prs", "rebuild_prs", "verify_prs")],
    ids=["a backup", "a rebuild too"],
)
def test_no_secret_in_any_output_or_file(beginning: Beginning, shared_estate: Estate, playbooks: tuple[str, ...]):
    """Of files: ConfigurationFile.ini, logs, manifests, what a later reader of the disk would find. The application's
    own are encrypted.
    """
    estate = (
        shared_estate  # at the addresses that its certificates bear, so that the page answers and the set is healthy
    )
    lab = estate.lab.description
    account = {"user": r"PRSLAB\svc-backup", "password": lab.secrets.accounts["svc-backup"]}
    keys = make_shares(estate, {"keys": [account["user"], r"PRSLAB\SQL-A$"]}, host="witness")["keys"]
    more = {
        "prs_app_identity": "SpecificUser",
        "prs_app_identity_user": r"PRSLAB\svc-prs",
        "prs_app_identity_password": lab.secrets.accounts["svc-prs"],
        "prs_backup_database_user": account["user"],
        "prs_backup_database_password": account["password"],
        "prs_backup_encryption_certificate": "PRS backup",
        "prs_backup_encryption_password": "Key-Passw0rd-of-nobody",
        "prs_backup_copies_user": account["user"],
        "prs_backup_copies_password": account["password"],
        "prs_backup_password_hashes": True,
        "prs_backup_keys_path": keys,
        "prs_backup_keys_user": account["user"],
        "prs_backup_keys_password": account["password"],
    }
    given = {
        **more,
        **yaml.safe_load((estate.lab.state_dir / "inventory/group_vars/all/secrets.yml").read_text(encoding="utf-8")),
    }
    assert {name for name in known_names() if name.endswith("_password")} - set(given) == NOT_HERE, (
        "a secret that this test does not know"
    )
    secrets = {*lab.secrets.all(), *(value for name, value in given.items() if name.endswith("_password"))}
    assert len(secrets) >= 10
    file = estate.lab.state_dir / "more.json"
    file.write_text(json.dumps(more), encoding="utf-8")

    logs = {**beginning.said, "first record": (beginning.state / "record.jsonl").read_text(encoding="utf-8")}
    for name in playbooks:
        run = estate.play(name, "-vvvv", "--diff", "-e", f"@{file}")
        assert run.code == 0, run.output[-5000:]
        logs[name] = run.output
        if name == "backup_prs" and "rebuild_prs" in playbooks:
            estate.lose_site_a()
    # A failure talks more than a success: a wrong login for SQL Server, accounts that Windows refuses, an option of a
    # wrong type beside a secret.
    logs["wrong SQL login"] = estate.play(
        "verify_prs", "--limit", "sql-a", "-vvvv", "-e", "prs_sql_admin_login=nobody"
    ).output
    logs["wrong share account"] = estate.play("backup_prs", "-vvvv", "-e", r"prs_share_user=PRSLAB\nobody").output
    logs["wrong pool account"] = estate.play(
        "provision_prs", "-vvvv", "-e", f"@{file}", "-e", r"prs_app_identity_user=PRSLAB\nobody"
    ).output
    logs["wrong type"] = estate.play(
        "provision_prs", "-vvvv", "-e", f"@{file}", "-e", "prs_app_upload_bytes=much"
    ).output
    for name in ("wrong SQL login", "wrong share account", "wrong pool account", "wrong type"):
        assert "fatal: " in logs[name], f"{name} did not fail, so it proves nothing: {logs[name][-3000:]}"
    logs["record"] = (estate.lab.state_dir / "record.jsonl").read_text(encoding="utf-8")

    looked_for = [form for secret in secrets for form in forms(secret)]
    looked_for += [
        base64.b64encode(path.read_bytes()).decode()[:64]
        for path in (estate.lab.state_dir / "certificates").glob("*.pfx")
    ]
    found = [
        (name, text[max(0, text.index(form) - 150) : text.index(form)])
        for name, text in logs.items()
        for form in looked_for
        if form in text
    ]
    assert not found, found
    in_files = [secret.encode(encoding) for secret in secrets for encoding in ("utf-8", "utf-16-le")]
    assert [str(path) for path in drives(estate) if any(secret in path.read_bytes() for secret in in_files)] == []


def forms(secret: str) -> list[str]:
    """As a text, and as PowerShell and SOAP wrap one."""
    return [
        secret,
        *(base64.b64encode(secret.encode(encoding)).decode().rstrip("=")[:-1] for encoding in ("utf-8", "utf-16-le")),
    ]


def drives(estate: Estate) -> list[Path]:
    """Every file on every drive of every host."""
    return [path for path in (estate.lab.state_dir / "hosts").rglob("*") if path.is_file() and "drives" in path.parts]
