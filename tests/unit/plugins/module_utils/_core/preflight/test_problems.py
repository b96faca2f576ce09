"""Each sentence that preflight can say, with the facts that lead to it; and facts that just do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.control_node import (
    authority_state,
    secret_state,
    vault_name,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.problems import problems
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.reading import host_facts
from preflight_facts import (
    ANSWERED,
    INSTALLED,
    NOW,
    SKIPPED,
    control_node,
    failed_script,
    file,
    gathered,
    in_iis,
    newest,
)

SETUP, PACKAGE, WEB_CONFIG = (record["path"] for record in gathered()["shares"]["result"]["paths"])
DATABASE = gathered()["settings"]["database_path"]
ARCHIVES = gathered()["settings"]["archives"]
UPDATES = "\\\\files\\media\\updates"
FOLDER_OF_ARCHIVES = "\\\\files\\backup\\application"


def found(facts: dict[str, Any], **node: Any) -> list[str]:
    return problems(host_facts(facts), control_node(**node), NOW)


def unreachable(message: str, **changes: Any) -> dict[str, Any]:
    """Nothing else was asked."""
    asked = dict.fromkeys(("instance", "shares", "backups", "restore", "choice"), SKIPPED)
    windows = {"unreachable": True, "changed": False, "msg": message}
    return gathered(**{**asked, "windows": windows, "certificates": [], **changes})


def seen(**changes: Any) -> dict[str, Any]:
    """What was seen of the database's backups on the share."""
    return gathered(**{f"backups__result__{name}": value for name, value in changes.items()})


def test_nothing_is_wrong_with_a_host_that_has_everything():
    assert found(gathered()) == []


REFUSED = "ntlm: the specified credentials were rejected by the server"
_POOL = "ntlm: HTTPSConnectionPool(host='10.0.0.1', port=5986): Max retries exceeded with url: /wsman (Caused by "
DEAD = f'{_POOL}NewConnectionError("<HTTPSConnection>: ... [Errno 110] Connection timed out"))'
NO_LISTENER = f'{_POOL}NewConnectionError("<HTTPSConnection>: ... [Errno 111] Connection refused"))'
RESET = "ntlm: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))"
NAMELESS = f'{_POOL}NameResolutionError("<HTTPSConnection>: ... ([Errno -2] Name or service not known)"))'
PROXY = (
    "ntlm: HTTPSConnectionPool(host='10.0.0.1', port=5986): Max retries exceeded with url: /wsman (Caused by "
    "ProxyError('Unable to connect to proxy', NewConnectionError(\"HTTPSConnection(host='127.0.0.1', port=9): Failed "
    'to establish a new connection: [Errno 111] Connection refused")))'
)
NO_TICKET = "Kerberos auth failure for principal admin: kinit: Cannot contact any KDC for realm 'EXAMPLE.TEST'"
UNTRUSTED = (
    "ntlm: HTTPSConnectionPool(host='10.0.0.1', port=5986): Max retries exceeded with url: /wsman (Caused by "
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get "
    "local issuer certificate (_ssl.c:1006)')))"
)
UNREACHABLE = (
    "srv-a: cannot be reached by WinRM at 10.0.0.1:5986. Switch the server on, check its name, its WinRM listener and "
    "the firewall"
)


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        pytest.param(
            unreachable(REFUSED),
            [
                "srv-a: Windows does not accept the account admin at 10.0.0.1:5986. Correct ansible_user and "
                "ansible_password in the inventory."
            ],
            id="account refused",
        ),
        pytest.param(
            unreachable(NO_TICKET),
            [
                "srv-a: was not asked at 10.0.0.1:5986: there is no Kerberos ticket for admin. Correct ansible_user "
                "(user@REALM) and ansible_password, /etc/krb5.conf and the clock of the control node, or the name of "
                f"the server (ansible_winrm_kerberos_hostname_override). ({NO_TICKET})"
            ],
            id="no Kerberos ticket",
        ),
        pytest.param(
            unreachable(DEAD, need_backup=False), [f"{UNREACHABLE}. (Connection timed out)"], id="does not answer"
        ),
        pytest.param(
            unreachable(DEAD),
            [
                f"{UNREACHABLE}; if its site is lost, rebuild at another (-e prs_active_site=...). (Connection timed out)"
            ],
            id="does not answer, and could be rebuilt elsewhere",
        ),
        pytest.param(
            unreachable(NO_LISTENER),
            [
                "srv-a: answers at 10.0.0.1:5986, but takes no connection for WinRM. Start its service WinRM, and check "
                "ansible_port, its listener and the firewalls between. (Connection refused)"
            ],
            id="WinRM is stopped",
        ),
        pytest.param(
            unreachable(RESET),
            [
                "srv-a: takes the connection at 10.0.0.1:5986 and breaks it off. Check ansible_port and its service "
                f"WinRM, or restart it. ({RESET})"
            ],
            id="breaks off",
        ),
        pytest.param(
            unreachable(NAMELESS),
            [
                "srv-a: was not asked: the name in 10.0.0.1:5986 has no address. Correct ansible_host, or the DNS of "
                "the control node. (Name or service not known)"
            ],
            id="a name that nobody knows",
        ),
        pytest.param(
            unreachable(PROXY),
            [
                "srv-a: cannot be reached by WinRM at 10.0.0.1:5986 through the proxy of the environment (HTTP_PROXY, "
                "HTTPS_PROXY). Name the server in NO_PROXY, or set ansible_winrm_proxy: null in the inventory. "
                "(Connection refused)"
            ],
            id="a proxy that leads nowhere",
        ),
        pytest.param(
            unreachable(UNTRUSTED),
            [
                "srv-a: answers at 10.0.0.1:5986, but the certificate of its WinRM listener cannot be verified. Name "
                "the file with its authority in ansible_winrm_ca_trust_path, or give the listener a certificate of "
                "that authority for this name. (unable to get local issuer certificate)"
            ],
            id="a certificate of an unknown authority",
        ),
        pytest.param(
            unreachable("no such host " * 40, need_backup=False),
            [f"{UNREACHABLE}. ({('no such host ' * 40)[:297]}...)"],
            id="a long reason",
        ),
        pytest.param(
            unreachable("x" * 300, need_backup=False),
            [f"{UNREACHABLE}. ({'x' * 300})"],
            id="a reason that is just not too long",
        ),
        pytest.param(
            unreachable(REFUSED, windows=failed_script("The query was rejected")),
            [
                "srv-a: cannot be looked at: The query was rejected. The account must be a local administrator, and neither "
                "a policy nor a virus scanner may stop scripts there."
            ],
            id="not inspected",
        ),
    ],
)
def test_a_host_that_was_not_inspected(facts, sentences):
    assert found(facts) == sentences


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        pytest.param(
            gathered(windows__result__domain_role=4),
            [
                "srv-a: is a domain controller. Password Reset Server must never run on one: name another server in "
                "the inventory."
            ],
            id="domain controller",
        ),
        pytest.param(
            gathered(windows__result__version="10.0.9600", windows__result__caption="Windows Server 2012 R2"),
            ["srv-a: runs Windows Server 2012 R2 (10.0.9600). Windows Server 2016 or later is needed."],
            id="old Windows",
        ),
        pytest.param(gathered(windows__result__version="10.0.20348"), [], id="newer Windows"),
        pytest.param(
            gathered(windows__result__firewall_running=False),
            ["srv-a: the service of Windows Firewall (MpsSvc) does not run, so no rules can be set. Start it, or set "
             "prs_firewall: ignored where another product filters what comes in."],
            id="Windows Firewall is off",
        ),
        pytest.param(
            gathered(windows__result__firewall_running=False, settings__firewall="ignored"), [], id="ignored firewall"
        ),
        pytest.param(
            gathered(windows__result__firewall_running=False, provision=False), [], id="no rules are set by a restore"
        ),
        pytest.param(
            gathered(windows__result__dotnet_release=378674),
            [
                "srv-a: .NET Framework is too old or absent (release key 378674, at least 378675). Install .NET "
                "Framework 4.8 and restart the server."
            ],
            id="old .NET Framework",
        ),
        pytest.param(
            gathered(windows__result__dotnet_release=0, parts=["sql"]), [], id="no .NET Framework on a database server"
        ),
        pytest.param(
            gathered(windows__result__free_bytes={"C:": (20 << 30) - 1, "D:": 1}),
            ["srv-a: has 19 GB free on C:, 20 GB are needed. Make room."],
            id="too little room for SQL Server and the application",
        ),
        pytest.param(
            gathered(windows__result__free_bytes={"D:": 1}, parts=["web"], instance=SKIPPED),
            ["srv-a: has 0 GB free on C:, 20 GB are needed. Make room."],
            id="too little room for the application",
        ),
        pytest.param(
            gathered(windows__result__free_bytes={"C:": 0, "D:": 1}, parts=["sql"], shares__result__paths=[]),
            ["srv-a: has 0 GB free on C:, 20 GB are needed. Make room."],
            id="too little room for SQL Server",
        ),
        pytest.param(
            gathered(windows__result__free_bytes={"C:": 0}, instance__result=INSTALLED,
                     shares__result__paths=[file(PACKAGE, exists=False), file(WEB_CONFIG)]),
            [],
            id="no room, and what is missing is not the application",
        ),
        pytest.param(
            gathered(windows__result__free_bytes={"C:": 0, "D:": 1}, instance__result=INSTALLED, parts=["sql"],
                     shares__result__paths=[]),
            [],
            id="no room where nothing is installed",
        ),
        pytest.param(
            gathered(windows__result__free_bytes={"C:": 0}, instance__result=INSTALLED,
                     shares__result__paths=[file(WEB_CONFIG)]),
            [],
            id="no room where everything is there",
        ),
    ],
)  # fmt: skip
def test_windows(facts, sentences):
    assert found(facts) == sentences


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        pytest.param(
            gathered(instance=failed_script("Invalid class")),
            ["srv-a: SQL Server cannot be looked at: Invalid class"],
            id="not inspected",
        ),
        pytest.param(
            gathered(instance__result__partly_installed=True),
            [
                "srv-a: an installation of SQL Server MSSQLSERVER began and did not finish. Remove it under "
                '"Apps and features" and restart the server.'
            ],
            id="partly installed",
        ),
        pytest.param(
            gathered(instance__result={**INSTALLED, "collation": "Latin1_General_CI_AS"}),
            [
                "srv-a: SQL Server MSSQLSERVER has the collation Latin1_General_CI_AS, Password Reset Server needs "
                "SQL_Latin1_General_CP1_CI_AS. Name another instance, or remove this one."
            ],
            id="another collation",
        ),
        pytest.param(
            gathered(settings__sql_folders=["E:\\data", "e:\\log", "D:\\backup", "\\\\files\\x", ""]),
            [
                "srv-a: has no drive E:, which the folders of SQL Server are to lie on. Attach and format it, or "
                "correct prs_sql_data_dir, prs_sql_log_dir and prs_sql_backup_dir in the inventory."
            ],
            id="no drive for the folders",
        ),
        pytest.param(
            gathered(settings__sql_folders=["E:\\data"], instance__result=INSTALLED), [], id="an instance has its folders"
        ),
        pytest.param(
            gathered(settings__sql_folders=["E:\\data"], parts=["web"]), [], id="a web server gets no instance"
        ),
    ],
)  # fmt: skip
def test_the_instance_of_sql_server(facts, sentences):
    assert found(facts) == sentences


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        pytest.param(
            gathered(shares=failed_script("The user name or password is incorrect")),
            ["srv-a: the shares cannot be looked at as LAB\\svc-backup: The user name or password is incorrect"],
            id="not inspected",
        ),
        pytest.param(
            gathered(shares__result__paths__1=file(PACKAGE, error=44, message="End of Central Directory not found")),
            [
                f"srv-a: {PACKAGE} is not the package of Password Reset Server: it is damaged or no ZIP (End of "
                "Central Directory not found). Put the right ZIP there."
            ],
            id="damaged package",
        ),
        pytest.param(
            gathered(shares__result__paths__1=file(PACKAGE, error=5, message="denied")),
            [
                f"srv-a: {PACKAGE} cannot be read as LAB\\svc-backup: the account has no rights there: give it the "
                "right to read on the folder, and on the share if it is one."
            ],
            id="package that may not be opened",
        ),
        pytest.param(
            gathered(shares__result__paths__1=file(PACKAGE, exists=False, error=44, message="odd")),
            [f"srv-a: {PACKAGE} cannot be read as LAB\\svc-backup: odd (44)"],
            id="error that nobody knows",
        ),
        pytest.param(
            gathered(settings__sql_updates=UPDATES, shares__result__paths__1=file(UPDATES, exists=False, error=5)),
            [
                f"srv-a: the updates of SQL Server in {UPDATES} (prs_sql_updates) cannot be read as LAB\\svc-backup: the "
                "account has no rights there: give it the right to read on the folder, and on the share if it is one."
            ],
            id="updates that may not be read",
        ),
        pytest.param(
            gathered(shares__result__paths__0=file(SETUP, error=1392, message="unreadable")),
            [f"srv-a: {SETUP} cannot be read as LAB\\svc-backup: unreadable (1392)"],
            id="damaged setup",
        ),
        pytest.param(
            gathered(shares__result__paths__0=file(SETUP, exists=False, error=2, message="gone")),
            [
                f"srv-a: {SETUP} cannot be read as LAB\\svc-backup: the file does not exist for the account: put it "
                "there, or correct the path, which is one of srv-a."
            ],
            id="no setup",
        ),
        pytest.param(
            gathered(shares__result__paths__1=file(PACKAGE, missing=["web.config", "bin/"])),
            [
                f"srv-a: {PACKAGE} is not the package of Password Reset Server: it lacks web.config, bin/. Put the "
                "right ZIP there."
            ],
            id="another ZIP",
        ),
        pytest.param(
            gathered(shares__result__paths__1=file(PACKAGE, error=5, message="denied", missing=["web.config"])),
            [
                f"srv-a: {PACKAGE} cannot be read as LAB\\svc-backup: the account has no rights there: give it the "
                "right to read on the folder, and on the share if it is one."
            ],
            id="one sentence for one file",
        ),
    ],
)
def test_what_is_installed_from(facts, sentences):
    assert found(facts) == sentences


WITHOUT_SET = {"choice__chosen__archive": FOLDER_OF_ARCHIVES}
NO_SET = "There is no recovery set in \\\\files\\backup\\sets. Run backup_prs."
OTHER = "The recovery set X lacks a file."
NEWER = (
    ": a newer server's backup does not restore on an older one. Provide newer media or their update "
    "(prs_sql_updates, prs_sql_build)."
)


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        pytest.param(gathered(choice__problem=NO_SET, choice__code="no_recovery_set"), [f"backups: {NO_SET}"], id="no set, said of no host"),
        pytest.param(gathered(choice__problem=OTHER, choice__code="damaged"), [f"srv-a: {OTHER}"], id="nothing could be chosen"),
        pytest.param(gathered(choice=SKIPPED, need_backup=False), [], id="no backup is needed"),
        pytest.param(
            gathered(
                **WITHOUT_SET,
                shares__result__newest=[newest(ARCHIVES, count=0, error=5, message="denied")],
            ),
            [
                f"srv-a: {FOLDER_OF_ARCHIVES} cannot be read as LAB\\svc-backup: the account has no rights there: give it the "
                "right to read on the folder, and on the share if it is one."
            ],
            id="archives that may not be read",
        ),
        pytest.param(
            gathered(**WITHOUT_SET, shares__result__newest=[newest(ARCHIVES, count=0, error=44, message="odd")]),
            [f"srv-a: {FOLDER_OF_ARCHIVES} cannot be read as LAB\\svc-backup: odd"],
            id="archives with an error that nobody knows",
        ),
        pytest.param(
            gathered(**WITHOUT_SET, shares__result__newest=[newest(ARCHIVES, count=0)]),
            [
                f"srv-a: no archive of the application in {FOLDER_OF_ARCHIVES}. Without it the database is useless "
                "(the keys lie in it). Name the folder of another copy in prs_backup_application_path. A new installation, "
                "which has no backup yet, is made by provision_prs."
            ],
            id="no archive",
        ),
        pytest.param(
            gathered(**WITHOUT_SET, shares__result__newest=[newest(ARCHIVES, count=0, error=3, message="no path")]),
            [
                f"srv-a: {FOLDER_OF_ARCHIVES} cannot be read as LAB\\svc-backup: the folder does not exist for the account: "
                "create it, or correct the path, which is one of srv-a; drive letters of people are unknown to services. A "
                "new installation, which has no backup yet, is made by provision_prs."
            ],
            id="no folder of archives, as on the first day",
        ),
        pytest.param(gathered(**WITHOUT_SET), [], id="an archive"),
        pytest.param(
            gathered(shares__result__newest=[newest(ARCHIVES, count=0)]), [], id="no other archive than the set's"
        ),
        pytest.param(
            gathered(**WITHOUT_SET, parts=["sql"], shares__result__newest=[]), [], id="a database server needs no archive"
        ),
        pytest.param(
            gathered(**WITHOUT_SET, shares=failed_script("logon failure")),
            ["srv-a: the shares cannot be looked at as LAB\\svc-backup: logon failure"],
            id="nothing is said of archives on shares that were not inspected",
        ),
        pytest.param(
            gathered(restore={**ANSWERED, "msg": "There is no room on D:"}, parts=["web"], instance=SKIPPED),
            [],
            id="a plan is no matter of a web server",
        ),
        pytest.param(
            gathered(restore={**ANSWERED, "msg": "No file"}, choice__problem=OTHER, choice__code="damaged"),
            [f"srv-a: {OTHER}"],
            id="without a choice nothing was planned",
        ),
        pytest.param(
            gathered(backups=failed_script("logon failure"), choice__problem=OTHER, choice__code="damaged"),
            [f"srv-a: {OTHER}"],
            id="without a choice no backups are inspected",
        ),
        pytest.param(
            gathered(restore={**ANSWERED, "msg": "There is no room on D:"}),
            ["srv-a: There is no room on D:"],
            id="SQL Server refuses the plan",
        ),
        pytest.param(
            gathered(restore={**ANSWERED, "msg": "There is no room on D:"}, backups=failed_script("logon failure")),
            ["srv-a: There is no room on D:"],
            id="where SQL Server was asked, Windows is not",
        ),
        pytest.param(
            gathered(restore=ANSWERED), ["srv-a: SQL Server cannot plan the restore"], id="no plan and no reason"
        ),
        pytest.param(
            gathered(backups=failed_script("logon failure")),
            ["srv-a: the backups cannot be looked at: logon failure"],
            id="backups not inspected",
        ),
        pytest.param(
            gathered(backups=failed_script("logon failure"), parts=["web"], instance=SKIPPED),
            [],
            id="backups are no matter of a web server",
        ),
        pytest.param(
            seen(paths=[file(DATABASE, error=67), file("a.bak", error=5)]),
            [
                f"srv-a: {DATABASE} cannot be read by the account of SQL Server (lab.test\\SRV-A$ on the network): "
                "the server has no share of that name: check the second part of \\\\server\\share."
            ],
            id="backups that SQL Server may not read",
        ),
        pytest.param(
            gathered(
                backups__result__paths=[file(DATABASE, error=44, message="odd")],
                settings__staged_by="LAB\\svc-data",
                settings__sql_service_account="LAB\\gmsa$",
            ),
            [
                f"srv-a: {DATABASE} cannot be read by LAB\\svc-data, which brings the backups to SQL Server "
                "(prs_backup_stage_path): odd"
            ],
            id="backups that the account that stages them may not read, whoever SQL Server is",
        ),
        pytest.param(
            seen(paths=[file(DATABASE, error=44, message="odd")], newest=[newest("*.bak", count=0)]),
            [
                f"srv-a: {DATABASE} cannot be read by the account of SQL Server (lab.test\\SRV-A$ on the network): odd"
            ],
            id="backups with an error that nobody knows",
        ),
        pytest.param(
            gathered(
                backups__result__paths=[file(DATABASE, error=5)], settings__sql_service_account="LAB\\svc-sql"
            ),
            [],
            id="another account will read them",
        ),
        pytest.param(
            gathered(
                backups__result__paths=[file(DATABASE, error=5)],
                instance__result={**INSTALLED, "service_account": "LAB\\svc-sql", "service_state": "Running"},
            ),
            [],
            id="the account of the instance will read them",
        ),
        pytest.param(
            gathered(choice__chosen__build="16.0.1000.6", instance__result=INSTALLED, parts=["web"]),
            [],
            id="a web server restores no backup",
        ),
        pytest.param(
            gathered(
                backups__result__paths=[file(DATABASE, error=5)],
                restore={**ANSWERED, "plan": {}},
            ),
            [],
            id="SQL Server itself can read them",
        ),
        pytest.param(
            seen(newest=[newest("*.bak", count=0, unreadable=["\\\\files\\backup\\database\\~snapshot"])]),
            [
                f"srv-a: no backup of the database (*.bak) in {DATABASE}. Nobody could look into "
                f"{DATABASE}\\~snapshot. Name the folder of another copy in prs_backup_database_path."
            ],
            id="no backup, and a folder that may not be read",
        ),
        pytest.param(
            seen(newest=[newest("*.bak", count=0)]),
            [
                f"srv-a: no backup of the database (*.bak) in {DATABASE}. Name the folder of another copy in "
                "prs_backup_database_path."
            ],
            id="no backup",
        ),
        pytest.param(seen(newest=[newest("*.bak")]), [], id="a backup"),
        pytest.param(
            gathered(choice__chosen__build="16.0.1000.6"),
            [f"srv-a: the newest backup was made by SQL Server 16.0.1000.6, and the media install 15.0.2000.5{NEWER}"],
            id="backup newer than the media",
        ),
        pytest.param(
            gathered(choice__chosen__build="16.0.1000.6", choice__named=True, settings__sql_build="15.0.4430.1"),
            [f"srv-a: the chosen backup was made by SQL Server 16.0.1000.6, and the media install 15.0.4430.1{NEWER}"],
            id="chosen backup newer than the build that the inventory says",
        ),
        pytest.param(
            gathered(choice__chosen__build="16.0.1000.6", instance__result=INSTALLED),
            [f"srv-a: the newest backup was made by SQL Server 16.0.1000.6, and the instance is 15.0.4430.1{NEWER}"],
            id="backup newer than the instance",
        ),
        pytest.param(gathered(choice__chosen__build="9.0.5000.0"), [], id="numbers are compared, not texts"),
        pytest.param(
            gathered(choice__chosen__build="16.0.1000.6", shares__result__paths__0=file(SETUP, version=None)),
            [],
            id="nobody knows the build of the media",
        ),
        pytest.param(gathered(choice__chosen__build="15.0.4430.1"), [], id="only updates are newer"),
        pytest.param(gathered(choice__chosen__build=""), [], id="nobody knows the build of the backup"),
    ],
)  # fmt: skip
def test_what_is_restored_from(facts, sentences):
    assert found(facts) == sentences


NOT_FOR_SQL_SERVER = (
    "srv-a: the key of the certificate site.pfx is none that SQL Server can use: it takes an exchange key "
    "(AT_KEYEXCHANGE) of a legacy provider (CSP) alone, none of a key storage provider (CNG). Write the PFX anew for "
    '"Microsoft RSA SChannel Cryptographic Provider" (openssl pkcs12 -export -keyex -CSP), or have the certificate '
    "issued from a template of a legacy provider."
)
ITEM = {"part": "web", "pfx": "site.pfx", "names": ["reset.lab.test"]}


def certificate(part: str = "web", **result: Any) -> dict[str, Any]:
    return gathered(
        certificates=[
            {**ANSWERED, "item": ITEM | {"part": part}, "result": {"names": ["reset.lab.test"], "not_after": "2027-01-01T00:00:00Z",
                                                "key": "exchange", "thumbprint": "AB"} | result}
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        pytest.param(
            gathered(certificates=[{**SKIPPED, "item": ITEM}]),
            [
                "srv-a: there is no certificate site.pfx on the control node. Put the PFX there, or correct the path "
                "in the inventory."
            ],
            id="no file",
        ),
        pytest.param(
            gathered(certificates=[{**SKIPPED, "item": {**ITEM, "pfx": ""}}]),
            [
                "srv-a: there is no certificate named on the control node. Put the PFX there, or correct the path "
                "in the inventory."
            ],
            id="no name",
        ),
        pytest.param(
            gathered(certificates=[{**failed_script("The password\r\n is wrong."), "item": ITEM}]),
            [
                "srv-a: the certificate site.pfx cannot be read: The password is wrong. Is its password right? If it "
                "is: Windows Server 2016 reads no PFX that is encrypted by AES, as OpenSSL 3 writes them. Write it "
                "anew with openssl pkcs12 -export -legacy."
            ],
            id="not read by Windows Server 2016",
        ),
        pytest.param(
            gathered(
                windows__result__version="10.0.17763",
                certificates=[{**failed_script("The password\r\n is wrong."), "item": ITEM}],
            ),
            ["srv-a: the certificate site.pfx cannot be read: The password is wrong. Is its password right?"],
            id="not read",
        ),
        pytest.param(
            certificate(names=["a.lab.test", "b.lab.test"]),
            [
                "srv-a: the certificate site.pfx is not valid for reset.lab.test, only for a.lab.test, b.lab.test. "
                "Have one issued with that name."
            ],
            id="other names",
        ),
        pytest.param(
            gathered(
                windows__result__version="10.0.14393.2248",
                certificates=[{**failed_script("The password\r\n is wrong."), "item": ITEM}],
            ),
            [
                "srv-a: the certificate site.pfx cannot be read: The password is wrong. Is its password right? If it "
                "is: Windows Server 2016 reads no PFX that is encrypted by AES, as OpenSSL 3 writes them. Write it "
                "anew with openssl pkcs12 -export -legacy."
            ],
            id="not read by Windows Server 2016 with its updates",
        ),
        pytest.param(certificate(names=["*.LAB.test"]), [], id="a wildcard"),
        pytest.param(
            certificate(not_after="2026-03-01T11:59:59Z"),
            ["srv-a: the certificate site.pfx expired at 2026-03-01T11:59:59Z. Have a new one issued."],
            id="expired",
        ),
        pytest.param(certificate("sql"), [], id="a key for SQL Server"),
        pytest.param(certificate("sql", key="other"), [NOT_FOR_SQL_SERVER], id="a key of a key storage provider"),
        pytest.param(certificate("sql", key="signature"), [NOT_FOR_SQL_SERVER], id="a signature key"),
        pytest.param(certificate("web", key="other"), [], id="IIS takes any key"),
    ],
)
def test_certificates(facts, sentences):
    assert found(facts) == sentences


@pytest.mark.parametrize(
    ("node", "sentences"),
    [
        pytest.param(
            {"ha": "availability_group"},
            [
                "control node: prs_ha: availability_group is not built yet. Use prs_ha: mirror, which SQL Server has "
                "from Standard on, standby, which every edition can do, or none."
            ],
            id="availability group",
        ),
        pytest.param(
            {"authorities": {"/etc/ca.pem": "absent"}},
            [
                "control node: there is no file /etc/ca.pem with the authorities to trust. Put it there, or correct "
                "prs_ca_file (and ansible_winrm_ca_trust_path) in the inventory."
            ],
            id="no authorities",
        ),
        pytest.param(
            {"roots": {"/etc/a.cer": "absent", "/etc/b.cer": "utf-16"}},
            [
                "control node: the file /etc/a.cer of prs_trusted_roots is not there. Put it there, or correct "
                "prs_trusted_roots in the inventory.",
                "control node: the file /etc/b.cer of prs_trusted_roots is text in UTF-16, as PowerShell writes it, and "
                "must be plain ASCII or UTF-8, or DER. Save it anew.",
            ],
            id="roots that cannot be read",
        ),
        pytest.param(
            {"roots": {"/etc/a.cer": "no_certificate", "/etc/b.cer": "no_root"}},
            [
                "control node: the file /etc/a.cer of prs_trusted_roots holds no certificate in PEM or DER. Put the "
                "right file there.",
                "control node: the file /etc/b.cer of prs_trusted_roots holds a certificate that another authority "
                "issued, which is no root. Name the file of that authority.",
            ],
            id="roots that are none",
        ),
        pytest.param(
            {"authorities": {"/etc/ca.cer": "der"}},
            [
                "control node: the authorities to trust in /etc/ca.cer cannot be read: it is in DER, and must be in "
                "PEM. Convert it with openssl x509 -inform der -in FILE -out FILE.pem."
            ],
            id="authorities in DER",
        ),
        pytest.param(
            {"authorities": {"/etc/ca.pem": "utf-16"}},
            [
                "control node: the authorities to trust in /etc/ca.pem cannot be read: it is text in UTF-16, as "
                "PowerShell writes it, and must be plain ASCII or UTF-8. Save it anew."
            ],
            id="authorities in UTF-16",
        ),
        pytest.param(
            {"authorities": {"/etc/ca.pem": "no_pem"}},
            [
                "control node: the authorities to trust in /etc/ca.pem cannot be read: it holds no certificate in PEM "
                "(-----BEGIN CERTIFICATE-----). Put the right file there."
            ],
            id="authorities without a certificate",
        ),
        pytest.param(
            {"secrets": {"prs_app_login_sid": "number", "prs_share_password": "set"}},
            [
                "control node: the value of prs_app_login_sid is no text to YAML, which reads 0x5A1D, 01234567 or yes "
                "as something else. Put it into quotes in the inventory."
            ],
            id="no quotes",
        ),
        pytest.param(
            {"driver_problem": "libodbc.so.2: not found"},
            [
                "control node: the Python package pyodbc cannot be loaded (libodbc.so.2: not found). For the Python "
                "that runs ansible (/usr/bin/python3): pip install pyodbc mssql-python-odbc; also unixODBC (Debian: "
                "apt install unixodbc)."
            ],
            id="no driver",
        ),
        pytest.param(
            {"secrets": {"prs_share_password": "missing", "prs_other": "set"}},
            ["control node: the secret prs_share_password is not set. Set it in the inventory's vault."],
            id="secret not set",
        ),
        pytest.param(
            {"secrets": {"prs_share_password": "placeholder"}},
            [
                "control node: the secret prs_share_password is still CHANGE-ME. Set vault_prs_share_password in the "
                "inventory's vault."
            ],
            id="placeholder",
        ),
        pytest.param(
            {"secrets": {"ansible_password": "placeholder"}},
            [
                "control node: the secret ansible_password is still CHANGE-ME. Set vault_prs_windows_password in the "
                "inventory's vault."
            ],
            id="placeholder of a variable that is named otherwise in the vault",
        ),
    ],
)
def test_the_control_node(node, sentences):
    assert found(gathered(), **node) == sentences


def test_without_authorities_no_server_is_called_dead():
    [sentence] = found(unreachable(DEAD), authorities={"/etc/ca.pem": "absent"})
    assert sentence.startswith("control node: there is no file /etc/ca.pem")


def test_a_host_that_answers_and_cannot_be_inspected_is_no_matter_of_authorities():
    failed = gathered(windows={"failed": True, "msg": "the script did not run"})
    assert len(found(failed, authorities={"/etc/ca.pem": "absent"})) == 2


def test_a_host_that_answers_is_judged_without_authorities_too():
    assert len(found(gathered(windows__result__domain_role=5), authorities={"/etc/ca.pem": "absent"})) == 2


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("", "missing"),
        ("CHANGE-ME", "placeholder"),
        ("s3cret", "set"),
        ("1", "set"),
        (1, "number"),
        (0.5, "number"),
        (True, "number"),
    ],
)
def test_state_of_a_secret(value, state):
    assert secret_state(value) == state


def test_all_problems_are_said_in_one_order():
    facts = gathered(
        windows__result__domain_role=5,
        instance=failed_script("x"),
        choice__problem=OTHER,
        certificates=[{**SKIPPED, "item": ITEM}],
    )
    begins = ["is a domain", "SQL Server cannot", OTHER, "there is no certificate", "prs_ha"]
    begins = [f"srv-a: {text}" for text in begins[:4]] + [f"control node: {begins[4]}"]
    # What is missing to install the application is judged although nobody knows the instance.
    sentences = found(facts, ha="availability_group")
    assert [sentence[: len(begin)] for sentence, begin in zip(sentences, begins, strict=True)] == begins


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b"a comment\n-----BEGIN CERTIFICATE-----\n", "usable"),
        (b"-----BEGIN TRUSTED CERTIFICATE-----\n", "usable"),
        ("-----BEGIN CERTIFICATE-----".encode("utf-16"), "utf-16"),
        (b"\xfe\xff\x00-", "utf-16"),
        (b"\x30\x82\x03\x01", "der"),
        (b"hello", "no_pem"),
        (b"", "no_pem"),
    ],
)
def test_state_of_a_file_of_authorities(content, state):
    assert authority_state(content) == state


@pytest.mark.parametrize("name", ["prs_sql_certificate_password", "prs_app_certificate_password"])
def test_both_certificates_have_one_password_in_the_vault(name):
    assert vault_name(name) == "vault_prs_certificate_password"


DENIED = "Cannot read configuration file\r\ndue to insufficient permissions\r\n"
NOT_ASKED = (
    "srv-a: nobody can tell whether the application runs: IIS cannot be asked: {}. Connect with an account that is a "
    "local administrator (ansible_user), or mend IIS' configuration as it says."
)


@pytest.mark.parametrize(
    ("iis", "said"),
    [
        (in_iis(), []),
        (SKIPPED, []),
        (in_iis(installed=False, service="", site="", asked_state=""), []),
        (in_iis(asked_state=""), []),
        (in_iis(asked_state="Stopped"), []),
        (
            in_iis(error=5, message=DENIED, site="", asked_state=""),
            [NOT_ASKED.format("Cannot read configuration file due to insufficient permissions")],
        ),
        (
            in_iis(error=5, message="Access is denied.", asked_state="Unknown"),
            [NOT_ASKED.format("Access is denied")],
        ),
        (in_iis(asked_state="Unknown"), [NOT_ASKED.format("Windows does not tell the state of its pool")]),
        (in_iis(site="Stopped", asked_state="Unknown"), []),
        (
            failed_script("blocked by your antivirus software") | {"failed": False, "failed_when_result": False},
            [NOT_ASKED.format("blocked by your antivirus software")],
        ),
    ],
)
def test_iis_that_cannot_be_asked(iis: dict[str, Any], said: list[str]):
    assert found(gathered(iis=iis)) == said
    assert found(gathered(iis=iis, parts=["sql"])) == []


def test_a_folder_of_the_application_that_may_not_be_looked_into():
    facts = gathered(shares__result__paths__2=file(WEB_CONFIG, exists=False, error=5, message="Access is denied."))
    [sentence] = found(facts)
    assert sentence.startswith(
        f"srv-a: nobody can tell whether the application is there: {WEB_CONFIG} cannot be looked at: Access is denied."
    )
