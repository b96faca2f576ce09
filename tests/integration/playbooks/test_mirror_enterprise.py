"""What the vendor supports, and what only Enterprise has: Windows authentication under one account of the domain, and a
mirror that nothing waits for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml
from mirrored import ask, protection, said
from playbook_lab import MARKERS, ROOT, Estate

pytestmark = pytest.mark.nightly

ACCOUNT = r"PRSLAB\svc-sql$"
"""A group managed one: its password is the domain's business."""


@pytest.fixture(scope="module")
def enterprise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """Two sites with Enterprise under an account of the domain, the application at site A."""
    folder = tmp_path_factory.mktemp("enterprise")
    description = yaml.safe_load((ROOT / "tests/lab/prs_lab/estates/default.yml").read_text(encoding="utf-8"))
    description["accounts"].append("svc-sql$")
    description["media"]["sql_edition"] = "Enterprise Edition (64-bit)"
    description["hosts"]["files"]["shares"]["backup"]["change"].append(ACCOUNT)
    (folder / "enterprise.yml").write_text(yaml.safe_dump(description), encoding="utf-8")
    estate = Estate(folder / "lab")
    estate.up(str(folder / "enterprise.yml"))
    yield estate
    estate.lab.down()


def settings(**more: object) -> tuple[str, str]:
    return "-e", json.dumps(
        {
            "prs_ha": "mirror",
            "prs_mirror_safety": "asynchronous",
            "prs_mirror_authentication": "windows",
            "prs_mirror_account": ACCOUNT,
            "sql_server_service_account": ACCOUNT,
            **more,
        }
    )


def test_an_asynchronous_mirror_under_one_account_of_the_domain(enterprise: Estate):
    provisioned = enterprise.play("provision_prs", *settings())
    assert provisioned.code == 0, provisioned.output
    assert enterprise.lab.wizard().state == "ready"
    enterprise.lab.mark(MARKERS)
    assert enterprise.lab.partner("prs-sql-partner").state == "ready"
    mirrored = enterprise.play("mirror_prs", *settings())
    assert mirrored.code == 0, mirrored.output
    backed_up = enterprise.play("backup_prs", *settings())
    assert backed_up.code == 0, backed_up.output
    for host, expected in (("sql-a", "PRINCIPAL"), ("sql-b", "MIRROR")):
        role, state, safety, _partner, witness = protection(enterprise)[host]
        assert (role, state, safety, witness or "") == (expected, "SYNCHRONIZED", "OFF", "")
        assert ask(enterprise, host, "SELECT connection_auth_desc FROM sys.database_mirroring_endpoints") == [
            ("NEGOTIATE",)
        ]
        assert ask(enterprise, host, "SELECT COUNT(*) FROM sys.certificates WHERE name LIKE '%_mirroring%'") == [(0,)]
    again = enterprise.play("mirror_prs", *settings())
    assert (again.code, again.changed) == (0, 0), again.output


def test_what_was_not_sent_may_be_lost_and_is_told(enterprise: Estate, one_message):
    before = enterprise.labels()
    enterprise.lab.fault("mirror-lag", host="sql-a")
    enterprise.lab.mark(["never sent"])
    for host in ("web-a", "sql-a"):
        enterprise.lab.kill(host)
    to_b = settings(prs_active_site="site_b")
    one_message(enterprise.play("failover_prs", *to_b), "sql-b", "can only be forced", "allow_data_loss")
    forced = enterprise.play("failover_prs", *settings(prs_active_site="site_b", prs_allow_data_loss=True))
    said(forced, "WARNING, MAY BE LOST")
    assert [row["label"] for row in enterprise.lab.page(host="web-b").rows] == before


def test_the_old_principal_comes_back_and_the_service_goes_home_as_planned(enterprise: Estate):
    for host in ("web-a", "sql-a"):
        enterprise.lab.start(host)
    rejoined = enterprise.play("failover_prs", *settings(prs_active_site="site_b", prs_allow_data_loss=True))
    assert rejoined.code == 0, rejoined.output
    home = enterprise.play("failover_prs", *settings(prs_active_site="site_a"))
    assert home.code == 0, home.output
    assert {host: facts[:3] for host, facts in protection(enterprise).items()} == {
        "sql-a": ("PRINCIPAL", "SYNCHRONIZED", "OFF"),
        "sql-b": ("MIRROR", "SYNCHRONIZED", "OFF"),
    }
    assert enterprise.labels() == MARKERS
