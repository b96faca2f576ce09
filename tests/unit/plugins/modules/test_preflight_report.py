"""What the module says of facts, and of the control node on which it runs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.modules import preflight_report
from preflight_facts import gathered


def report(facts, **changes):
    facts["certificates"] = []  # they are judged by the clock
    params = {"facts": facts, "authorities": [], "trusted_roots": [], "secrets": {}, "ha": "none", **changes}
    return preflight_report.report(SimpleNamespace(params=params))


def test_a_plan_where_nothing_is_wrong():
    result = report(gathered())
    assert result["problems"] == []
    assert result["plan"][0] == "srv-a: install SQL Server 15.0.2000.5 (MSSQLSERVER)"


def test_no_plan_where_something_is_wrong(tmp_path):
    absent = str(tmp_path / "ca.pem")
    result = report(gathered(), authorities=[absent], secrets={"prs_x": "missing"}, ha="availability_group")
    assert result["plan"] == []
    assert [sentence.split(".")[0] for sentence in result["problems"]] == [
        "control node: prs_ha: availability_group is not built yet",
        f"control node: there is no file {absent.removesuffix('.pem')}",
        "control node: the secret prs_x is not set",
    ]


def test_a_missing_fact_is_an_error_and_no_guess():
    with pytest.raises(RecoveryError, match=r"windows\.version was not gathered"):
        report(gathered(windows__result__version=None))
