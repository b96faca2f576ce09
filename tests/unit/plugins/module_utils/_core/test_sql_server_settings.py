"""What an instance of SQL Server has to read from the registry when it starts, beside what it reads already."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.sql_server import registry_settings

FOUND = {
    "id": "MSSQL15.PRS", "login_mode": 2, "listens_on_all_addresses": True, "tcp_enabled": 1, "tcp_port": "1433",
    "tcp_dynamic_ports": "", "certificate": "AB12",
}  # fmt: skip
FACTS = {"found": FOUND, "mixed_mode": True, "certificate": "ab12", "port": "1433", "installed_now": False}
KEY = "HKLM:\\SOFTWARE\\Microsoft\\Microsoft SQL Server\\MSSQL15.PRS\\MSSQLServer"
NETWORK = f"{KEY}\\SuperSocketNetLib"


def written(changes: dict, **facts) -> dict[str, str]:
    return {
        entry["name"]: entry["data"] for entry in registry_settings({**FACTS, **facts, "found": {**FOUND, **changes}})
    }


@pytest.mark.parametrize(
    ("fixed", "dynamic", "set_to"),
    [
        pytest.param("1433", "", {}, id="as wanted"),
        pytest.param("14330,1433", "", {}, id="one of several"),
        pytest.param("14330, 1433", "", {}, id="with a blank"),
        pytest.param("1433", "49712", {}, id="a dynamic port beside it"),
        pytest.param("14330", "", {"TcpPort": "14330,1433"}, id="others use another port"),
        pytest.param("14330, 14331", "0", {"TcpPort": "14330,14331,1433"}, id="others use several"),
        pytest.param("", "49712", {"TcpPort": "1433"}, id="others ask SQL Server Browser"),
        pytest.param("0", "", {"TcpPort": "1433"}, id="no port"),
        pytest.param("", "1433", {"TcpPort": "1433", "TcpDynamicPorts": ""}, id="the same one, by chance"),
        pytest.param("11433", "", {"TcpPort": "11433,1433"}, id="a number that contains it"),
    ],
)
def test_ports_of_others_are_kept(fixed, dynamic, set_to):
    assert written({"tcp_port": fixed, "tcp_dynamic_ports": dynamic}) == set_to


def test_ports_of_an_instance_that_was_just_installed_are_nobodys():
    changes = {"tcp_port": "", "tcp_dynamic_ports": "49712"}
    assert written(changes, installed_now=True) == {"TcpPort": "1433", "TcpDynamicPorts": ""}


def test_an_instance_on_single_addresses_keeps_its_ports():
    assert written({"tcp_port": "", "listens_on_all_addresses": False}) == {}


def test_what_differs_is_said_as_the_registry_has_it():
    found = {**FOUND, "login_mode": 1, "tcp_enabled": 0, "certificate": "", "tcp_port": ""}
    assert registry_settings({**FACTS, "found": found}) == [
        {"key": KEY, "name": "LoginMode", "type": "dword", "data": "2"},
        {"key": NETWORK, "name": "Certificate", "type": "string", "data": "ab12"},
        {"key": f"{NETWORK}\\Tcp", "name": "Enabled", "type": "dword", "data": "1"},
        {"key": f"{NETWORK}\\Tcp\\IPAll", "name": "TcpPort", "type": "string", "data": "1433"},
    ]


def test_logins_of_windows_alone_may_be_wanted():
    assert written({"login_mode": 1}, mixed_mode=False) == {}
