"""Each sentence of the plan, with the facts that lead to it."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.plan import plan
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.reading import host_facts
from preflight_facts import ANSWERED, SKIPPED, failed_script, file, gathered, newest
from preflight_facts import INSTALLED as VIRTUAL

INSTALLED = {**VIRTUAL, "service_account": "LAB\\svc-sql"}
KEPT = "keep SQL Server 15.0.4430.1 (MSSQLSERVER)"
RESTART = "RESTART SQL Server (MSSQLSERVER), and all databases with it, for"
SQL_CERTIFICATE = {
    **ANSWERED,
    "item": {"part": "sql", "pfx": "sql.pfx", "names": []},
    "result": {"names": [], "not_after": "2027-01-01T00:00:00Z", "key": "exchange", "thumbprint": "ab12"},
}
SET = "recovery set 20260228T100000Z of the site site_a, taken on SQL-A"
POINT = "; recovery point 2026-02-28T10:00:00 UTC"
BRING_BACK = "bring back the database unless a healthy one is there; from"
WEB_CONFIG = "C:\\PRS\\web.config"
PRESENT = {"shares__result__paths": [file(WEB_CONFIG)]}
BROUGHT = "bring back the application from \\\\files\\backup\\application\\set.zip, version 5.2.1"
NOT_TRIED = (
    "whether LAB\\svc-sql, the account of SQL Server, may read \\\\files\\backup\\database could not be tried; "
    "lab.test\\SRV-A$ was, and"
)


def planned(time: str | None, *, ends_mirroring: bool = False) -> dict:
    return {**ANSWERED, "plan": {"recovery_point": {"time": time}, "ends_mirroring": ends_mirroring, "steps": [{}]}}


def sentences(**changes) -> list[str]:
    said = plan(host_facts(gathered(**changes)))
    assert all(sentence.startswith("srv-a: ") for sentence in said)
    return [sentence.removeprefix("srv-a: ") for sentence in said]


def test_what_is_done_on_a_host_that_has_nothing():
    assert sentences() == [
        "install SQL Server 15.0.2000.5 (MSSQLSERVER)",
        f"{BRING_BACK} {SET}{POINT}",
        "set up IIS and the application in C:\\PRS",
        BROUGHT,
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({}, ["install SQL Server 15.0.2000.5 (MSSQLSERVER)"], id="installed"),
        pytest.param(
            {"settings__sql_build": "15.0.4430.1"}, ["install SQL Server 15.0.4430.1 (MSSQLSERVER)"], id="with updates"
        ),
        pytest.param(
            {"windows__result__pending_restart": ["file rename"]},
            [
                "install SQL Server 15.0.2000.5 (MSSQLSERVER), after a RESTART of Windows, which waits for one (file "
                "rename)"
            ],
            id="a restart is due",
        ),
        pytest.param({"instance__result": INSTALLED}, [KEPT], id="kept"),
        pytest.param(
            {"instance__result": {**INSTALLED, "tcp_port": "14330, 1433", "certificate": "ff"}},
            [KEPT],
            id="kept with a further port, and a certificate that was not read",
        ),
        pytest.param(
            {"instance__result": {**INSTALLED, "tcp_port": "14330"}},
            [KEPT, f"{RESTART} TCP port 14330,1433 (now 14330)"],
            id="a port is added",
        ),
        pytest.param(
            {"instance__result": {**INSTALLED, "login_mode": 1, "tcp_enabled": 0, "tcp_dynamic_ports": "1433"}},
            [KEPT, f"{RESTART} logins of SQL Server beside those of Windows, TCP, no dynamic TCP port (now 1433)"],
            id="others are set",
        ),
        pytest.param(
            {"instance__result": INSTALLED, "certificates__0": SQL_CERTIFICATE},
            [KEPT, f"{RESTART} its certificate"],
            id="another certificate",
        ),
        pytest.param(
            {"instance__result": {**INSTALLED, "certificate": "AB12"}, "certificates__0": SQL_CERTIFICATE},
            [KEPT],
            id="the same certificate",
        ),
        pytest.param(
            {"instance__result": {**INSTALLED, "tcp_port": "14330"}, "provision": False}, [KEPT], id="only restored to"
        ),
    ],
)
def test_sql_server(changes, said):
    assert sentences(parts=["sql"], need_backup=False, choice=SKIPPED, **changes) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({}, [f"{BRING_BACK} {SET}{POINT}"], id="from a set"),
        pytest.param(
            {"overwrite_database": True},
            [
                "OVERWRITE the database, also a healthy one (prs_allow_data_loss); what was written after the backup "
                f"is lost; from {SET}{POINT}"
            ],
            id="overwritten",
        ),
        pytest.param({"choice__chosen__healthy": False}, [f"{BRING_BACK} {SET} (NOT HEALTHY){POINT}"], id="not healthy"),
        pytest.param(
            {"backups__result__newest": [newest("*.bak", unreadable=["D:\\b\\~snapshot"])]},
            [
                f"{BRING_BACK} {SET}{POINT}",
                "NOTE: D:\\b\\~snapshot cannot be looked into, so backups in it do not count",
            ],
            id="a folder that may not be read",
        ),
        pytest.param(
            {"choice__chosen__site": "", "choice__chosen__server": "", "choice__chosen__recovery_point": ""},
            [f"{BRING_BACK} recovery set 20260228T100000Z"],
            id="a set that says little",
        ),
        pytest.param(
            {"choice__chosen__label": "", "choice__chosen__recovery_point": "", "choice__chosen__files": ["a", "b"]},
            [f"{BRING_BACK} a, b"],
            id="from files",
        ),
        pytest.param(
            {
                "choice__chosen__label": "", "choice__chosen__recovery_point": "", "choice__chosen__files": [],
                "choice__chosen__folders": ["a", "b"],
            },
            [f"{BRING_BACK} the newest backup in a, b"],
            id="from folders",
        ),
        pytest.param(
            {"restore": planned("2026-02-28T09:00:00Z")},
            [f"{BRING_BACK} {SET}; recovery point 2026-02-28T09:00:00 UTC"],
            id="the point that SQL Server says",
        ),
        pytest.param({"restore": planned(None)}, [f"{BRING_BACK} {SET}{POINT}"], id="no point that SQL Server says"),
        pytest.param({"restore": {**ANSWERED, "plan": {}}}, [f"{BRING_BACK} {SET}{POINT}"], id="a database that stays"),
        pytest.param(
            {"restore": {**ANSWERED, "plan": {"steps": [], "notes": ["3 files have to be brought"]}}},
            [f"{BRING_BACK} {SET}{POINT}"],
            id="backups that have to be brought before anything can be planned",
        ),
        pytest.param(
            {"restore": planned(None, ends_mirroring=True)},
            [
                f"{BRING_BACK} {SET}{POINT}",
                "END the mirroring of the database before that, and mirror the restored one anew afterwards",
            ],
            id="mirrored",
        ),
        pytest.param(
            {"choice__chosen__build": "15.0.4430.1"},
            [
                f"{BRING_BACK} {SET}{POINT}",
                "NOTE: the backup was made by SQL Server 15.0.4430.1, which has more updates than 15.0.2000.5; it "
                "restores there all the same",
            ],
            id="more updates",
        ),
        pytest.param({"choice__chosen__build": ""}, [f"{BRING_BACK} {SET}{POINT}"], id="nobody knows the build"),
        pytest.param({"shares__result__paths": []}, [f"{BRING_BACK} {SET}{POINT}"], id="nobody knows the media"),
        pytest.param(
            {"choice__chosen__notes": ["3 newer files"]},
            [f"{BRING_BACK} {SET}{POINT}", "NOTE: 3 newer files"],
            id="a note",
        ),
        pytest.param(
            {"settings__sql_service_account": "LAB\\svc-sql"},
            [f"{BRING_BACK} {SET}{POINT}", f"{NOT_TRIED} may"],
            id="an account that could not be tried",
        ),
        pytest.param(
            {"settings__sql_service_account": "LAB\\svc-sql", "backups__result__paths": [file("a", error=5)]},
            [f"{BRING_BACK} {SET}{POINT}", f"{NOT_TRIED} may not"],
            id="an account that could not be tried, and the server's may not",
        ),
        pytest.param(
            {"settings__sql_service_account": "LAB\\svc-sql", "backups": SKIPPED, "restore": planned(None)},
            [f"{BRING_BACK} {SET}{POINT}"],
            id="an account that SQL Server tried itself",
        ),
        pytest.param(
            {"settings__sql_service_account": "nt service\\MSSQLSERVER"},
            [f"{BRING_BACK} {SET}{POINT}"],
            id="a virtual account",
        ),
    ],
)  # fmt: skip
def test_the_database(changes, said):
    assert sentences(parts=["sql"], **changes)[1:] == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({}, ["set up IIS and the application in C:\\PRS", BROUGHT], id="nothing there"),
        pytest.param(
            {"need_backup": False, "choice": SKIPPED}, ["set up IIS and the application in C:\\PRS"], id="first time"
        ),
        pytest.param(
            {"need_backup": False, "choice": SKIPPED, "windows__result__pending_restart": ["Windows update", "x"]},
            [
                "set up IIS and the application in C:\\PRS",
                "RESTART Windows before IIS is installed, since it waits for one (Windows update)",
            ],
            id="a restart is due",
        ),
        pytest.param(
            {"need_backup": False, "choice": SKIPPED, "windows__result__pending_restart": ["file rename"]},
            ["set up IIS and the application in C:\\PRS"],
            id="a restart is due that features do not need",
        ),
        pytest.param(
            {**PRESENT, "need_backup": False, "choice": SKIPPED, "windows__result__pending_restart": ["x"]},
            ["keep IIS and the application, and correct what differs"],
            id="a restart is due, and IIS is there",
        ),
        pytest.param(
            PRESENT,
            [
                "keep IIS and the application unless files of it are missing or damaged, which set.zip then brings "
                "back, and correct what differs"
            ],
            id="kept",
        ),
        pytest.param(
            {**PRESENT, "need_backup": False, "choice": SKIPPED},
            ["keep IIS and the application, and correct what differs"],
            id="kept, and no backup at hand",
        ),
        pytest.param(
            {**PRESENT, "overwrite_application": True, "need_backup": False, "choice": SKIPPED},
            ["keep IIS and the application, and correct what differs"],
            id="nothing to overwrite it with",
        ),
        pytest.param(
            {**PRESENT, "overwrite_application": True},
            [
                "keep IIS, OVERWRITE the application with the archive (prs_allow_data_loss), and correct what differs",
                BROUGHT,
            ],
            id="overwritten",
        ),
        pytest.param(
            {"choice__chosen__archive": "\\\\files\\backup\\application", "choice__chosen__web": {}},
            [
                "set up IIS and the application in C:\\PRS",
                "bring back the application from \\\\files\\backup\\application\\new.zip, written 2026-02-28T10:00:00Z",
            ],
            id="from the newest archive",
        ),
        pytest.param(
            {**PRESENT, "choice__chosen__archive": "\\\\files\\backup\\application"},
            [
                "keep IIS and the application unless files of it are missing or damaged, which new.zip then brings "
                "back, and correct what differs"
            ],
            id="kept, repaired from the newest archive",
        ),
    ],
)
def test_the_web_server(changes, said):
    assert sentences(parts=["web"], instance=SKIPPED, backups=SKIPPED, **changes) == said


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"instance": SKIPPED}, "instance"),
        ({"instance": failed_script("x")}, "instance"),
        ({"instance__result": {}}, "instance.installed"),
        ({"choice": SKIPPED}, "choice"),
        ({"shares": SKIPPED, "parts": ["web"]}, "shares"),
        ({"shares__result__paths": [], "parts": ["web"]}, f"shares.{WEB_CONFIG}"),
        (
            {"shares__result__newest": [], "choice__chosen__archive": "\\\\files\\backup\\application"},
            "shares.\\\\files\\backup\\application\\*.zip",
        ),
    ],
)
def test_a_plan_from_missing_facts_is_none(changes, lacking):
    """Without the facts of the instance it once said that SQL Server would be installed."""
    with pytest.raises(RecoveryError) as raised:
        plan(host_facts(gathered(**changes)))
    assert f"the fact {lacking} was not gathered" in str(raised.value)
