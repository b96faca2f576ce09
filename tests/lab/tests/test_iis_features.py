"""Roles and features, as win_feature and win_optional_feature meet them."""

from __future__ import annotations

import pytest
from prs_lab.windows.registry import REBOOT_PENDING

from .windows_lab import Network, Runner


@pytest.fixture
def network(tmp_path):
    one = Network(tmp_path)
    yield one
    one.close()


@pytest.fixture
def run(network):
    return Runner(network.add("web"))


def _names(result):
    return [entry["display_name"] for entry in result["feature_result"]]


def test_the_role_brings_its_defaults_and_nothing_more(run):
    result = run.ok("win_feature", name=["Web-Server"])
    assert result["changed"] and result["exitcode"] == "Success"
    assert {"Web Server (IIS)", "Default Document", "Static Content", "Request Filtering"} <= set(_names(result))
    assert not {"ASP.NET 4.8", "IIS Management Console"} & set(_names(result))


def test_aspnet_brings_what_it_needs(run):
    run.ok("win_feature", name=["Web-Asp-Net45"])
    for needed in ("Web-ISAPI-Ext", "Web-ISAPI-Filter", "Web-Net-Ext45", "NET-Framework-45-ASPNET", "Web-Server"):
        assert run.host.features.installed(needed), needed


def test_management_tools_on_request(run):
    run.ok("win_feature", name=["Web-Server"], include_management_tools=True)
    assert run.host.features.installed("Web-Mgmt-Console")


def test_check_mode_says_all_and_installs_nothing(run):
    before = run.host.to_state()
    checked = run.ok("win_feature", name=["Web-Server", "Web-Asp-Net45"], check=True)
    assert run.host.to_state() == before
    assert checked["changed"] and _names(checked) == _names(run.ok("win_feature", name=["Web-Server", "Web-Asp-Net45"]))


def test_features_are_refused_while_a_restart_is_due(run):
    run.host.registry.create(REBOOT_PENDING)
    assert "requires a restart" in run("win_feature", name=["Web-Server"])["msg"]
    assert run.ok("win_feature", name=["Web-Server"], check=True)["changed"]


def test_again_is_unchanged(run):
    run.ok("win_feature", name=["Web-Server"])
    again = run.ok("win_feature", name=["web-server"])
    assert not again["changed"] and again["exitcode"] == "NoChangeNeeded" and again["feature_result"] == []


def test_removing_takes_along_what_lies_below_and_wants_a_restart(run):
    run.ok("win_feature", name=["Web-Asp-Net45"])
    removed = run.ok("win_feature", name=["Web-Server"], state="absent")
    assert removed["reboot_required"] and run.host.power.restart_pending
    assert run.host.services.find("W3SVC") is None and not run.host.features.installed("Web-Asp-Net45")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ["Web-Nonsense"]}, "feature name is not valid: 'Web-Nonsense'"),
        ({"name": ["NET-Framework-Core"]}, "The source files could not be found"),
        ({"name": ["Web-Server"], "source": "D:\\sxs"}, "Failed to find source path D:\\sxs"),
    ],
)
def test_refusals(run, arguments, message):
    assert message in run.failure("win_feature", **arguments)
    assert not run.host.features.installed("Web-Server")


def test_the_console_is_not_for_server_core(run):
    run.host.registry.set(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "InstallationType", "Server Core")
    assert "not available on Server Core" in run.failure("win_feature", name=["Web-Mgmt-Console"])
    run.ok("win_feature", name=["Web-Server"])


def test_client_windows_has_optional_features_only(run):
    run.host.registry.set(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "InstallationType", "Client")
    assert "does not support the cmdlets" in run.failure("win_feature", name=["Web-Server"])
    assert "parent features are disabled" in run.failure("win_optional_feature", name=["IIS-ASPNET45"])
    assert run.ok("win_optional_feature", name=["IIS-ASPNET45"], include_parent=True)["changed"]
    assert not run.ok("win_optional_feature", name=["IIS-WebServer"])["changed"]
    assert "was not loaded" in run.failure("microsoft.iis.website_info")
    run.ok("win_optional_feature", name=["IIS-ManagementScriptingTools"], include_parent=True)
    run.ok("microsoft.iis.website_info")
    assert "Failed to find feature 'IIS-Nonsense'" in run.failure("win_optional_feature", name=["IIS-Nonsense"])


def test_feature_info(run):
    run.ok("win_feature", name=["Web-Server"])
    info = run.ok("win_feature_info", name="Web-*")
    by_name = {feature["name"]: feature for feature in info["features"]}
    assert by_name["Web-Server"]["installed"] and by_name["Web-Asp-Net45"]["install_state"] == "Available"
    assert by_name["Web-Default-Doc"]["depth"] == 4
    assert run.ok("win_feature_info", name="Nothing")["exists"] is False
