from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.plugin_utils._host_connection import HostConnection, Refused, options_for

WINRM = {
    "remote_addr": "10.0.0.5",
    "remote_user": "admin",
    "remote_password": "pw",
    "port": 5985,
    "path": "/wsman",
    "transport": ["ntlm"],
}
RUN = "admin@control pid 7"


def sql(*, module="sql_info", given=None, transport="winrm", options=None, **changes):
    known = {"remote_addr": "10.0.0.5"} if options is None else options
    connection = HostConnection(host="sql01", transport=transport, option=known.get, **changes)
    return options_for(module, given=given or {}, connection=connection, run=RUN)


def winrm(*, module="app_backup", given=None, transport="winrm", options=None, **changes):
    known = WINRM if options is None else options
    connection = HostConnection(host="web01", transport=transport, option=known.get, **changes)
    return options_for(module, given=given or {}, connection=connection, run=RUN)


@pytest.mark.parametrize(
    ("how", "filled"),
    [
        ({}, {"login_host": "10.0.0.5"}),
        ({"given": {"login_host": "other"}}, {}),
        ({"given": {"login_host": "other"}, "transport": "local", "options": {}}, {}),
        ({"transport": "ssh", "options": {"host": "10.0.0.6"}}, {"login_host": "10.0.0.6"}),
        ({"options": {}, "fallback_address": "10.0.0.7"}, {"login_host": "10.0.0.7"}),
    ],
)
def test_sql_modules_get_the_address_and_nothing_else(how, filled):
    assert sql(**how) == filled


@pytest.mark.parametrize(("how", "part"), [({"transport": "local"}, "login_host"), ({"options": {}}, "ansible_host")])
def test_sql_modules_that_cannot_know_their_server(how, part):
    with pytest.raises(Refused, match=part):
        sql(**how)


@pytest.mark.parametrize("module", ["sql_backup", "sql_restore", "sql_standby_failover"])
def test_modules_that_need_windows_too_get_the_hosts_own_connection(module):
    assert sql(module=module, options=WINRM) == {"login_host": "10.0.0.5", "lease_owner": RUN, **winrm()}
    assert sql(module=module, options=WINRM, given={"login_host": "10.0.0.5"}) == {"lease_owner": RUN, **winrm()}


@pytest.mark.parametrize(
    "how",
    [
        {"given": {"login_host": "other"}, "options": WINRM},  # one host's password is not for another
        {"transport": "ssh", "options": WINRM},
        {"options": {**WINRM, "remote_user": None}},
    ],
)
def test_without_winrm_they_do_with_sql_alone(how):
    filled = sql(module="sql_backup", **how)
    assert filled["lease_owner"] == RUN and not [name for name in filled if name.startswith("winrm_")]


def test_a_lease_is_held_in_the_name_of_the_run():
    assert winrm(module="recovery_lease") == {"owner": RUN, **winrm()}
    with pytest.raises(Refused, match="ansible_connection to winrm"):
        winrm(module="recovery_lease", transport="ssh")


def test_winrm_connection_as_it_is():
    assert winrm() == {
        "winrm_host": "10.0.0.5",
        "winrm_user": "admin",
        "winrm_password": "pw",
        "winrm_port": 5985,
        "winrm_scheme": "http",
        "winrm_path": "/wsman",
        "winrm_transport": ["ntlm"],
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"port": 5986}, {"winrm_scheme": "https", "winrm_port": 5986}),
        ({"port": None}, {"winrm_scheme": "https", "winrm_port": 5986}),
        ({"port": 5986, "scheme": "http"}, {"winrm_scheme": "http"}),
        ({"transport": None, "port": 5986}, {"winrm_transport": ["ssl"]}),
        ({"transport": None, "port": 5985}, {"winrm_transport": ["plaintext"]}),
        ({"transport": None, "remote_user": "a@EXAMPLE.TEST"}, {"winrm_transport": ["kerberos"]}),
        ({"connection_timeout": 90}, {"winrm_timeout": 90}),
        ({"_extras": {"ansible_winrm_ca_trust_path": "/ca.pem"}}, {"winrm_ca_file": "/ca.pem"}),
        ({"_extras": {"ansible_winrm_server_cert_validation": "ignore"}}, {"winrm_server_cert_validation": "ignore"}),
    ],
)
def test_winrm_words(options, expected):
    filled = winrm(options={**WINRM, **options})
    assert {name: filled.get(name) for name in expected} == expected


def test_a_password_asked_for_at_the_start_is_used():
    assert winrm(options={**WINRM, "remote_password": None}, fallback_password="asked")["winrm_password"] == "asked"


def test_psrp_is_the_same_listener_in_other_words():
    options = {
        "remote_addr": "h",
        "remote_user": "u",
        "remote_password": "p",
        "port": 5986,
        "path": "wsman",
        "auth": "negotiate",
        "ca_cert": "/ca.pem",
    }
    filled = winrm(transport="psrp", options=options)
    assert filled["winrm_scheme"] == "https" and filled["winrm_path"] == "/wsman"
    assert filled["winrm_transport"] == ["ntlm"] and filled["winrm_ca_file"] == "/ca.pem"


@pytest.mark.parametrize("transport", ["ssh", "local", ""])
def test_other_connections_are_refused_with_what_to_set(transport):
    with pytest.raises(Refused, match="ansible_connection to winrm"):
        winrm(transport=transport)


def test_a_server_outside_the_inventory_needs_no_connection():
    assert winrm(transport="ssh", given={"winrm_host": "h", "winrm_user": "u", "winrm_password": "p"}) == {}


def test_no_password_goes_to_another_server():
    assert winrm(given={"winrm_host": "elsewhere"}) == {}
    assert winrm(given={"winrm_host": "10.0.0.5"})["winrm_password"] == "pw"


@pytest.mark.parametrize(
    "transport", [["kerberos"], ["certificate"], ["certificate", "kerberos"], ["ntlm", "kerberos"]]
)
def test_a_ticket_or_a_certificate_knows_its_user(transport):
    assert "winrm_user" not in winrm(options={**WINRM, "remote_user": None, "transport": transport})
    without = {**WINRM, "remote_user": None}
    assert "winrm_user" not in winrm(options=without, given={"winrm_transport": ",".join(transport)})


JEA = {"remote_addr": "h", "remote_user": "u", "remote_password": "p", "configuration_name": "Backup.Operators"}


@pytest.mark.parametrize(
    ("module", "given"),
    [
        ("app_backup", {}),
        ("recovery_lease", {}),
        ("sql_backup", {"stage_path": "D:\\stage"}),
        ("sql_backup", {"copy_to": "\\\\files\\copy"}),
        ("sql_backup", {"retention": {"keep": 3}}),
        ("sql_backup", {"manifest_beside": "true"}),
        ("sql_backup", {"manifest_beside": True}),
        ("sql_restore", {"stage_path": "D:\\stage"}),
        ("sql_restore", {"read_headers": "files"}),
        ("sql_restore", {"source": {"folders": ["D:\\Backup"]}}),
    ],
)
def test_what_cannot_be_honoured_is_refused_before_anything_runs(module, given):
    with pytest.raises(Refused, match=r"psrp's option configuration_name is set.*ansible_psrp_configuration_name out"):
        winrm(module=module, given=given, transport="psrp", options=JEA)


@pytest.mark.parametrize(
    ("module", "given"),
    [
        ("sql_backup", {}),
        ("sql_backup", {"manifest_beside": "auto"}),
        ("sql_backup", {"manifest_beside": False}),
        ("sql_restore", {"source": {"files": ["D:\\Backup\\full.bak"]}}),
        ("sql_restore", {"read_headers": "server"}),
    ],
)
def test_what_cannot_be_honoured_does_not_matter_where_winrm_is_not_used(module, given):
    assert winrm(module=module, given=given, transport="psrp", options=JEA) == {"login_host": "h", "lease_owner": RUN}


def test_a_missing_user_is_named():
    with pytest.raises(Refused, match="ansible_user"):
        winrm(options={**WINRM, "remote_user": None})
    with pytest.raises(Refused, match="ansible_user"):
        winrm(options={**WINRM, "remote_user": None, "transport": ["credssp", "ntlm"]})
    assert "winrm_user" not in winrm(options={**WINRM, "remote_user": None}, given={"winrm_user": "given"})
