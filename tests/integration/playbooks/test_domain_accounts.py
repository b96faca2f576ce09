"""Rebuilding with what a domain has in place of a local administrator's password: a Kerberos ticket that nobody obtained
beforehand, from a real KDC, and a client certificate.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from playbook_lab import MARKERS, Estate
from prs_lab.estate.config import built_in
from prs_lab.estate.kdc import missing_programs

pytestmark = pytest.mark.nightly
LACKS = missing_programs() or ("" if find_spec("kerberos") else "no Kerberos without pywinrm[kerberos] (pykerberos)")
TICKET_LIFE = 20
"""Seconds; a rebuild takes several times as long."""
ACCOUNT = "svc-ansible"
LOST = ("web-a", "sql-a")


def joined(protected_state: Path, folder: Path, **settings: Any) -> Iterator[Estate]:
    """A running copy of the protected estate whose description says more, with the account svc-ansible."""
    description = yaml.safe_load(built_in("default").read_text(encoding="utf-8"))
    description |= {"accounts": [*description["accounts"], ACCOUNT], "administrators": [ACCOUNT], **settings}
    file = folder / "default.yml"  # its name is the estate's
    file.write_text(yaml.safe_dump(description), encoding="utf-8")
    state = folder / "lab"
    shutil.copytree(protected_state, state, ignore=shutil.ignore_patterns("record.jsonl"))
    copy = Estate(state)
    copy.up(str(file), network=Estate(protected_state).network)
    yield copy
    copy.lab.down()
    shutil.rmtree(state)


@pytest.fixture
def with_kdc(protected_state: Path, tmp_path: Path) -> Iterator[Estate]:
    yield from joined(protected_state, tmp_path, ticket_life=TICKET_LIFE)


@pytest.fixture
def with_certificates(protected_state: Path, tmp_path: Path) -> Iterator[Estate]:
    yield from joined(protected_state, tmp_path, client_certificates=True)


def rebuild(estate: Estate, variables: dict[str, Any], environment: dict[str, str]) -> list[dict[str, Any]]:
    """Lose site A and bring it back; what the hosts' event logs say of the logons meanwhile."""
    for host in LOST:
        estate.lab.wipe(host)
    begin = estate.lab.mark_record()
    file = estate.lab.state_dir / "connection.json"
    file.write_text(json.dumps(variables), encoding="utf-8")
    run = estate.play("rebuild_prs", "-e", f"@{file}", environment=environment)
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS
    assert not [secret for secret in estate.lab.description.secrets.all() if secret in run.output]
    logons = estate.lab.record("logon", since=begin)
    assert {logon["host"].lower() for logon in logons} >= set(LOST)
    return logons


@pytest.mark.skipif(bool(LACKS), reason=LACKS)
def test_a_domain_account_without_a_ticket_at_hand(with_kdc: Estate, tmp_path: Path):
    """The run lasts longer than its tickets."""
    lab = with_kdc.lab
    variables = {
        "ansible_winrm_transport": "kerberos",
        "ansible_user": f"{ACCOUNT}@PRSLAB.TEST",
        "ansible_password": lab.description.secrets.accounts[ACCOUNT],
        "ansible_winrm_kerberos_hostname_override": "{{ prs_fqdn }}",
        "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
    }
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {
        "KRB5_CONFIG": str(lab.state_dir / "kerberos" / "krb5.conf"),
        "KRB5CCNAME": f"FILE:{tmp_path}/nobody-has-a-ticket-here",
        "TMPDIR": str(temporary),
    }
    logons = rebuild(with_kdc, variables, environment)
    assert {(logon["package"], logon["account"]) for logon in logons} == {("Kerberos", f"PRSLAB\\{ACCOUNT}")}
    assert not (tmp_path / "nobody-has-a-ticket-here").exists()
    assert list(temporary.glob("prs-recovery-*")) == []


def test_a_client_certificate(with_certificates: Estate):
    certificates = with_certificates.lab.state_dir / "certificates"
    variables = {
        "ansible_winrm_transport": "certificate",
        "ansible_winrm_cert_pem": str(certificates / "client.pem"),
        "ansible_winrm_cert_key_pem": str(certificates / "client.key"),
        "ansible_user": None,
        "ansible_password": None,
    }
    logons = rebuild(with_certificates, variables, {})
    assert {logon["package"] for logon in logons} == {"Certificate"}
    assert {logon["account"].partition("\\")[2] for logon in logons} == {"Administrator"}
