"""Every option of Ansible's connections winrm and psrp, in each ansible-core that is installed: it reaches the module,
makes no difference to it, or is refused. None is dropped in silence.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import yaml
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    winrm_connection_argument_spec,
)
from ansible_collections.prs.recovery.plugins.plugin_utils._connection_options import PLUGINS, NotHonoured
from ansible_collections.prs.recovery.plugins.plugin_utils._host_connection import HostConnection, options_for
from winrm.protocol import Protocol

ROOT = Path(__file__).resolve().parents[4]
CORES = sorted((ROOT / "build").glob("venv*/lib/python3*/site-packages/ansible"))
OF_EVERY_HOST = {"remote_addr": "10.0.0.5", "remote_user": "admin", "remote_password": "pw"}


def documentation(core: Path, kind: str, name: str) -> dict:
    """The DOCUMENTATION of a plugin or fragment, without importing another ansible-core."""
    tree = ast.parse((core / "plugins" / kind / f"{name}.py").read_text(encoding="utf-8"))
    texts = [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION"
    ]
    return yaml.safe_load(texts[0])


def documented(core: Path, connection: str) -> set[str]:
    described = documentation(core, "connection", connection)
    names = set(described["options"])
    for fragment in described["extends_documentation_fragment"]:
        names |= set(documentation(core, "doc_fragments", fragment)["options"])
    return names


def test_there_is_something_to_compare_with():
    assert {core.parents[3].name for core in CORES} >= {"venv"}


@pytest.mark.parametrize("connection", sorted(PLUGINS))
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.parents[3].name)
def test_every_documented_option_is_known(core, connection):
    plugin = PLUGINS[connection]
    tables = [set(plugin.same), set(plugin.read), set(plugin.immaterial), set(plugin.refused)]
    known = set().union(*tables)
    assert sum(map(len, tables)) == len(known), "an option stands in two tables"
    assert documented(core, connection) - known == set(), "say what becomes of these in _connection_options.py"


def test_no_option_is_known_that_no_ansible_core_has():
    for connection, plugin in PLUGINS.items():
        everywhere = set().union(*(documented(core, connection) for core in CORES))
        newest = {"certificate_key_password", "no_profile"}  # of ansible-core 2.21, which not every machine can have
        assert {*plugin.same, *plugin.read, *plugin.immaterial, *plugin.refused} - everywhere <= newest


def test_every_argument_of_pywinrm_is_known():
    winrm = PLUGINS["winrm"]
    tables = [set(winrm.extras), set(winrm.extras_read), set(winrm.extras_immaterial)]
    known = set().union(*tables)
    assert sum(map(len, tables)) == len(known)
    assert set(inspect.getfullargspec(Protocol.__init__).args) - known == set()


def test_what_a_module_is_given_it_takes():
    ours = {name for plugin in PLUGINS.values() for name in (*plugin.same.values(), *plugin.extras.values())}
    assert ours - set(winrm_connection_argument_spec()) == set()


def filled(connection: str, options: dict, **more) -> dict:
    known = {**OF_EVERY_HOST, **options}
    host = HostConnection(host="web01", transport=connection, option=known.get, **more)
    return options_for("app_backup", given={}, connection=host, run="admin@control pid 7")


def difference(connection: str, options: dict) -> dict:
    """What another value of an option changes for the module."""
    before, after = filled(connection, {}), filled(connection, options)
    return {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}


def extra(**values) -> dict:
    return {"_extras": {f"ansible_winrm_{name}": value for name, value in values.items()}}


HONOURED = {
    "winrm": [
        ({"remote_addr": "10.0.0.6"}, {"winrm_host": "10.0.0.6"}),
        ({"remote_user": "other"}, {"winrm_user": "other"}),
        ({"remote_user": "a@EXAMPLE.TEST"}, {"winrm_user": "a@EXAMPLE.TEST", "winrm_transport": ["kerberos"]}),
        ({"remote_password": "other"}, {"winrm_password": "other"}),
        ({"port": 5985}, {"winrm_port": 5985, "winrm_scheme": "http", "winrm_transport": ["plaintext"]}),
        ({"scheme": "http"}, {"winrm_scheme": "http", "winrm_transport": ["plaintext"]}),
        ({"path": "/iis"}, {"winrm_path": "/iis"}),
        ({"transport": ["kerberos", "ntlm"]}, {"winrm_transport": ["kerberos", "ntlm"]}),
        ({"kerberos_command": "/opt/kinit"}, {"winrm_kinit_cmd": "/opt/kinit"}),
        ({"kerberos_mode": "manual"}, {"winrm_kinit_mode": "manual"}),
        ({"kinit_args": "-l 1h"}, {"winrm_kinit_args": "-l 1h"}),
        ({"kinit_env_vars": ["KRB5_CONFIG"]}, {"winrm_kinit_env_vars": ["KRB5_CONFIG"]}),
        ({"connection_timeout": 90}, {"winrm_timeout": 90}),
        (extra(operation_timeout_sec=50, read_timeout_sec=70), {"winrm_timeout": 50, "winrm_read_timeout": 70}),
        ({"connection_timeout": 90, **extra(operation_timeout_sec=50, read_timeout_sec=70)}, {"winrm_timeout": 90}),
        (extra(cert_pem="/c.pem"), {"winrm_cert_pem": "/c.pem"}),
        (extra(cert_key_pem="/c.key"), {"winrm_cert_key_pem": "/c.key"}),
        (extra(ca_trust_path="/ca.pem"), {"winrm_ca_file": "/ca.pem"}),
        (extra(ca_trust_path="legacy_requests"), {}),
        (extra(server_cert_validation="ignore"), {"winrm_server_cert_validation": "ignore"}),
        (extra(kerberos_delegation=True), {"winrm_kerberos_delegation": True}),
        (extra(kerberos_hostname_override="web.x"), {"winrm_kerberos_hostname_override": "web.x"}),
        (extra(message_encryption="always"), {"winrm_message_encryption": "always"}),
        (extra(send_cbt=False), {"winrm_send_cbt": False}),
        (extra(service="WSMAN"), {"winrm_service": "WSMAN"}),
        (extra(credssp_disable_tlsv1_2=True), {"winrm_credssp_disable_tlsv1_2": True}),
        (extra(proxy="http://proxy:3128"), {"winrm_proxy": "http://proxy:3128"}),
        (extra(proxy=None), {"winrm_ignore_proxy": True}),
        (extra(proxy="legacy_requests"), {}),
    ],
    "psrp": [
        ({"remote_addr": "10.0.0.6"}, {"winrm_host": "10.0.0.6"}),
        ({"remote_user": "a@EXAMPLE.TEST"}, {"winrm_user": "a@EXAMPLE.TEST", "winrm_transport": ["kerberos", "ntlm"]}),
        ({"remote_password": "other"}, {"winrm_password": "other"}),
        ({"port": 5985}, {"winrm_port": 5985, "winrm_scheme": "http"}),
        ({"protocol": "http"}, {"winrm_port": 5985, "winrm_scheme": "http"}),
        ({"port": 80, "protocol": "http"}, {"winrm_port": 80, "winrm_scheme": "http"}),
        ({"path": "wsman"}, {"winrm_path": "/wsman"}),
        ({"auth": "basic"}, {"winrm_transport": ["ssl"]}),
        (
            {"auth": "basic", "port": 5985},
            {"winrm_transport": ["plaintext"], "winrm_port": 5985, "winrm_scheme": "http"},
        ),
        ({"auth": "kerberos"}, {"winrm_transport": ["kerberos"]}),
        ({"auth": "credssp"}, {"winrm_transport": ["credssp"]}),
        ({"auth": "certificate"}, {"winrm_transport": ["certificate"]}),
        (
            {"auth": "certificate", "certificate_pem": "/c.pem", "certificate_key_pem": "/c.key"},
            {"winrm_transport": ["certificate"], "winrm_cert_pem": "/c.pem", "winrm_cert_key_pem": "/c.key"},
        ),
        ({"certificate_pem": "/c.pem", "certificate_key_pem": "/c.key"}, {}),  # of another way to log in
        ({"cert_validation": "ignore"}, {"winrm_server_cert_validation": "ignore"}),
        ({"ca_cert": "/ca.pem"}, {"winrm_ca_file": "/ca.pem"}),
        ({"connection_timeout": 5}, {"winrm_connect_timeout": 5}),
        ({"read_timeout": 80}, {"winrm_read_timeout": 80}),
        ({"operation_timeout": 60}, {"winrm_timeout": 60}),
        ({"reconnection_retries": 4}, {"winrm_connect_retries": 4}),
        ({"reconnection_backoff": 1.5}, {"winrm_connect_backoff": 1.5}),
        ({"message_encryption": "never"}, {"winrm_message_encryption": "never"}),
        ({"proxy": "http://proxy:3128"}, {"winrm_proxy": "http://proxy:3128"}),
        ({"ignore_proxy": True}, {"winrm_ignore_proxy": True}),
        ({"ignore_proxy": True, "proxy": "http://proxy:3128"}, {"winrm_proxy": "http://proxy:3128"}),
        ({"credssp_auth_mechanism": "ntlm"}, {"winrm_credssp_auth_mechanism": "ntlm"}),
        ({"credssp_disable_tlsv1_2": True}, {"winrm_credssp_disable_tlsv1_2": True}),
        ({"credssp_minimum_version": 5}, {"winrm_credssp_minimum_version": 5}),
        ({"negotiate_delegate": True}, {"winrm_kerberos_delegation": True}),
        ({"negotiate_hostname_override": "web.x"}, {"winrm_kerberos_hostname_override": "web.x"}),
        ({"negotiate_send_cbt": False}, {"winrm_send_cbt": False}),
        ({"negotiate_service": "host"}, {"winrm_service": "host"}),
        ({"max_envelope_size": 512000}, {"winrm_max_envelope_size": 512000}),
        ({"configuration_name": "Microsoft.PowerShell"}, {}),
    ],
}


@pytest.mark.parametrize(
    ("connection", "options", "expected"),
    [(connection, *row) for connection, rows in HONOURED.items() for row in rows],
)
def test_an_option_reaches_the_module(connection, options, expected):
    assert difference(connection, options) == expected


@pytest.mark.parametrize("connection", sorted(PLUGINS))
def test_no_option_was_forgotten_above(connection):
    plugin = PLUGINS[connection]
    shown = {name for options, _expected in HONOURED[connection] for name in options}
    assert {*plugin.same, *plugin.read} - shown == set()
    extras = {name for options, _expected in HONOURED[connection] for name in options.get("_extras", {})}
    assert {f"ansible_winrm_{name}" for name in (*plugin.extras, *plugin.extras_read)} - extras == set()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"configuration_name": "Jea"}, r"configuration_name is set, and this module cannot do the same"),
        ({"certificate_key_password": "secret!"}, r"certificate_key_password is set.*key file without one"),
    ],
)
def test_what_pywinrm_cannot_do_is_refused(options, sentence):
    with pytest.raises(NotHonoured, match=sentence) as caught:
        filled("psrp", options)
    assert "secret!" not in str(caught.value)


def test_a_newer_argument_of_pywinrm_is_refused_and_one_that_it_does_not_have_left_out_as_ansible_does():
    options = extra(quantum_safe=True)
    assert difference("winrm", options) == {}
    with pytest.raises(NotHonoured, match=r"ansible_winrm_quantum_safe is set"):
        filled("winrm", options, known_to_pywinrm=["endpoint", "quantum_safe"])
