"""IIS: pools, sites, bindings and the sockets behind them."""

from __future__ import annotations

import http.client
import ssl
import time

import pytest
from prs_lab.estate.authority import Authority
from prs_lab.windows.certificates import read_file

from .windows_lab import Network, Runner

PORT, SECURE_PORT = 8080, 8443
PLAIN = {"ip": "*", "port": PORT, "protocol": "http"}
FOLDER = r"C:\inetpub\wwwroot\site"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ca")
    one = Authority(folder=folder)
    issued = one.issue(label="site", names=("reset.prslab.test",), password="x")
    return one, issued


@pytest.fixture
def run(tmp_path):
    """A host with the role, a folder with a page, and a firewall that lets both ports in."""
    network = Network(tmp_path)
    one = Runner(network.add("web"))
    one.host.features.add(one.host.features.plan_install(["Web-Server"]))
    files = one.host.files("NT AUTHORITY\\SYSTEM")
    files.make_dir(FOLDER)
    files.write(FOLDER + r"\index.html", b"a page")
    one.ok(
        "community.windows.win_firewall_rule",
        name="in",
        direction="in",
        action="allow",
        protocol="tcp",
        localport=f"{PORT},{SECURE_PORT}",
    )
    yield one
    network.close()


def _site(run, *bindings, **options):
    return run.ok(
        "microsoft.iis.website", name="Site", physical_path=FOLDER, bindings={"set": list(bindings)}, **options
    )


def _get(run, port=PORT, host="anything", path="/", patience=60):
    """Status, or None when nothing listens, or nobody answers in so many seconds."""
    connection = http.client.HTTPConnection(run.host.address, port, timeout=patience)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def _certificate(run, authority):
    certificate, key = read_file(authority[1].pfx.read_bytes(), "x")[0]
    return run.host.certificates.add("My", certificate, key).thumbprint


def test_without_the_role_every_module_fails_as_on_a_real_host(tmp_path):
    network = Network(tmp_path)
    run = Runner(network.add("bare"))
    try:
        for module, arguments in (
            ("web_app_pool", {"name": "x"}), ("web_app_pool_info", {}), ("website", {"name": "x"}), ("website_info", {}),
            ("web_application", {"name": "x", "site": "y"}), ("web_application_info", {}),
        ):  # fmt: skip
            assert "The specified module 'WebAdministration' was not loaded" in run.failure(
                f"microsoft.iis.{module}", **arguments
            )
    finally:
        network.close()


def test_a_started_site_answers_and_a_stopped_one_does_not(run):
    assert _site(run, PLAIN)["changed"]
    assert _get(run) == 200
    assert run.ok("microsoft.iis.website", name="Site", state="stopped")["changed"]
    assert _get(run) is None
    run.ok("microsoft.iis.website", name="Site", state="started")
    assert _get(run) == 200
    assert not _site(run, PLAIN)["changed"]


def test_the_service_decides_too(run):
    _site(run, PLAIN)
    run.ok("win_service", name="W3SVC", state="stopped")
    assert _get(run) is None
    run.ok("win_service", name="W3SVC", state="started")
    assert _get(run) == 200


def test_what_is_configured_while_the_service_is_stopped_waits_for_it(run):
    run.ok("win_service", name="W3SVC", state="stopped")
    _site(run, PLAIN)
    assert _get(run) is None
    run.ok("win_service", name="W3SVC", state="started")
    assert _get(run) == 200


def test_power_decides_as_well(run):
    _site(run, PLAIN)
    run.host.power.kill()
    assert _get(run, patience=1) is None  # what is off is silent
    run.host.power.start()
    assert _get(run) == 200
    run.host.power.wipe()
    assert _get(run, patience=1) is None and run.host.iis.sites == {}


def test_the_firewall_decides_who_comes_in(run):
    _site(run, PLAIN)
    run.ok("community.windows.win_firewall_rule", name="in", state="absent")
    assert _get(run) is None
    run.ok(
        "community.windows.win_firewall_rule",
        name="in",
        direction="in",
        action="allow",
        protocol="tcp",
        localport=str(PORT),
        remoteip="10.0.0.1",
    )
    assert _get(run) is None


def test_check_mode_changes_nothing(run):
    before = run.host.to_state()
    assert _site(run, PLAIN, check=True)["changed"]
    assert run.ok("microsoft.iis.web_app_pool", name="P", attributes={"managedPipelineMode": "Classic"}, check=True)[
        "changed"
    ]
    assert run.host.to_state() == before


def test_a_stopped_pool_is_503(run):
    run.ok("microsoft.iis.web_app_pool", name="P", state="started")
    _site(run, PLAIN, application_pool="P")
    assert _get(run) == 200
    run.ok("microsoft.iis.web_app_pool", name="P", state="stopped")
    assert _get(run) == 503
    run.ok("microsoft.iis.web_app_pool", name="P", state="absent")
    assert _get(run) == 503


def test_a_pool_whose_account_cannot_log_on_is_503_and_stopped(run):
    attributes = {
        "processModel.identityType": "SpecificUser",
        "processModel.userName": "PRSLAB\\svc-backup",
        "processModel.password": "wrong",
    }
    run.ok("microsoft.iis.web_app_pool", name="P", state="started", attributes=attributes)
    _site(run, PLAIN, application_pool="P")
    assert _get(run) == 503
    assert run.host.iis.pool("P").state == "Stopped"
    run.ok("microsoft.iis.web_app_pool", name="P", state="started", attributes={"processModel.password": "Backup1!"})
    assert _get(run) == 200


def test_host_names_choose_the_site(run):
    _site(run, {**PLAIN, "hostname": "reset.prslab.test"})
    assert _get(run, host="reset.prslab.test") == 200
    assert _get(run, host="other.prslab.test") == 400


def test_applications_choose_by_the_longest_path(run):
    _site(run, PLAIN)
    run.host.files("NT AUTHORITY\\SYSTEM").make_dir(r"C:\app")
    assert run.ok("microsoft.iis.web_application", name="App", site="Site", physical_path=r"C:\app")["changed"]
    assert _get(run, path="/index.html") == 200
    assert _get(run, path="/app/") == 403, "an empty folder has no default document, and listing is off"
    assert _get(run, path="/application/") == 404
    info = run.ok("microsoft.iis.web_application_info", site="Site")["applications"]
    assert [(entry["name"], entry["physical_path"]) for entry in info] == [("App", r"C:\app")]
    assert not run.ok("microsoft.iis.web_application", name="App", site="Site", physical_path=r"C:\app")["changed"]
    run.ok("microsoft.iis.web_application", name="App", site="Site", state="absent")
    assert _get(run, path="/app/") == 404


def test_hidden_files_stay_hidden(run):
    _site(run, PLAIN)
    run.host.files("NT AUTHORITY\\SYSTEM").write(FOLDER + r"\database.config", b"secret")
    assert _get(run, path="/database.config") == 404
    assert _get(run, path="/bin/x.dll") == 404


def test_https_serves_the_bound_certificate(run, authority):
    thumbprint = _certificate(run, authority)
    _site(run, {"ip": "*", "port": SECURE_PORT, "protocol": "https", "certificate_hash": thumbprint})
    context = ssl.create_default_context(cafile=str(authority[0].ca_file))
    connection = http.client.HTTPConnection(run.host.address, SECURE_PORT, timeout=60)
    connection.connect()
    with context.wrap_socket(connection.sock, server_hostname="reset.prslab.test") as secure:
        assert ("DNS", "reset.prslab.test") in secure.getpeercert()["subjectAltName"]
    binding = run.ok("microsoft.iis.website_info", name="Site")["site"][0]["bindings"][0]
    assert (binding["certificate_hash"], binding["protocol"]) == (thumbprint, "https")


def test_https_needs_its_certificate_first(run, authority):
    wanted = {"ip": "*", "port": SECURE_PORT, "protocol": "https", "certificate_hash": authority[1].thumbprint}
    message = run.failure("microsoft.iis.website", name="Site", physical_path=FOLDER, bindings={"set": [wanted]})
    assert message == f"Unable to locate certificate at cert:\\LocalMachine\\my\\{authority[1].thumbprint}"
    message = run.failure(
        "microsoft.iis.website", name="Site", bindings={"set": [{**wanted, "certificate_hash": None}]}
    )
    assert message == "must either specify a certificate_hash or use_ccs."


def test_a_certificate_that_is_gone_ends_https(run, authority):
    thumbprint = _certificate(run, authority)
    _site(run, {"ip": "*", "port": SECURE_PORT, "protocol": "https", "certificate_hash": thumbprint})
    run.host.certificates.remove("My", thumbprint)
    run.ok("win_service", name="W3SVC", state="restarted")
    assert _get(run, SECURE_PORT) is None


def test_the_module_sets_a_certificate_even_in_check_mode(run, authority):
    """A trap of the real module, which roles have to know."""
    thumbprint = _certificate(run, authority)
    _site(run, {"ip": "*", "port": SECURE_PORT, "protocol": "https", "certificate_hash": thumbprint})
    run.host.iis.site("Site").bindings[0].certificate_hash = "00"
    result = _site(
        run, {"ip": "*", "port": SECURE_PORT, "protocol": "https", "certificate_hash": thumbprint}, check=True
    )
    assert not result["changed"]
    assert run.host.iis.site("Site").bindings[0].certificate_hash == thumbprint


def test_two_sites_cannot_have_one_binding(run):
    _site(run, PLAIN)
    message = run.failure(
        "microsoft.iis.website", name="Other", physical_path=FOLDER, bindings={"add": [PLAIN]}, state="restarted"
    )
    assert "0x800700B7" in message


def test_folders_must_exist(run):
    assert run.failure("microsoft.iis.website", name="New") == "missing required arguments: physical_path"
    assert "must already exist" in run.failure("microsoft.iis.website", name="New", physical_path=r"C:\absent")
    assert "Cannot find path" in run.failure(
        "microsoft.iis.web_application", name="A", site="absent", physical_path=FOLDER
    )


@pytest.mark.parametrize(
    ("attribute", "given", "shown"),
    [
        ("managedPipelineMode", "classic", "Classic"),
        ("managedPipelineMode", 1, "Classic"),
        ("processModel.identityType", "NetworkService", "NetworkService"),
        ("processModel.idleTimeout", "00:00:00", "00:00:00"),
        ("processModel.idleTimeout", 0, "00:00:00"),
        ("recycling.periodicRestart.time", "1.02:30:00", "1.02:30:00"),
        ("startMode", "AlwaysRunning", "AlwaysRunning"),
        ("enable32BitAppOnWin64", "true", True),
        ("queueLength", "2000", 2000),
    ],
)
def test_pool_attributes(run, attribute, given, shown):
    assert run.ok("microsoft.iis.web_app_pool", name="P", attributes={attribute: given})["changed"]
    assert not run.ok("microsoft.iis.web_app_pool", name="P", attributes={attribute: given})["changed"]
    value = run.ok("microsoft.iis.web_app_pool_info", name="P")["app_pools"][0]["attributes"]
    for part in attribute.split("."):
        value = value[part]
    assert value == shown


@pytest.mark.parametrize(
    ("attribute", "value"), [("managedPipelineMod", "Classic"), ("startMode", "Sometimes"), ("queueLength", "many")]
)
def test_pool_attributes_that_iis_does_not_know(run, attribute, value):
    assert f"Failed to set attribute to Web App Pool P. Attribute: {attribute}" in run.failure(
        "microsoft.iis.web_app_pool", name="P", attributes={attribute: value}
    )


def test_passwords_of_pools_are_never_shown(run):
    run.ok("microsoft.iis.web_app_pool", name="P", attributes={"processModel.password": "Hidden-1"})
    assert "Hidden-1" not in str(run.ok("microsoft.iis.web_app_pool_info"))


def test_a_worker_holds_its_folder_until_its_pool_stops(run):
    run.ok("microsoft.iis.web_app_pool", name="P", state="started")
    _site(run, PLAIN, application_pool="P")
    assert run.host.iis.workers("P") == []
    assert _get(run) == 200 and len(run.host.iis.workers("P")) == 1
    files = run.host.files("NT AUTHORITY\\SYSTEM")
    with pytest.raises(Exception, match="being used by another process"):
        files.rename(FOLDER, FOLDER + "-old")
    run.ok("microsoft.iis.web_app_pool", name="P", state="stopped")
    files.rename(FOLDER, FOLDER + "-old")


def test_a_lingering_worker_keeps_holding(run):
    run.ok("microsoft.iis.web_app_pool", name="P", state="started")
    _site(run, PLAIN, application_pool="P")
    _get(run)
    run.host.iis.linger_seconds = 600
    run.ok("microsoft.iis.web_app_pool", name="P", state="stopped")
    assert run.host.iis.workers("P")
    run.ok("microsoft.iis.web_app_pool", name="P", state="started")
    run.host.iis.linger_seconds = 0.1
    run.ok("microsoft.iis.web_app_pool", name="P", state="stopped")
    ends = time.monotonic() + 60
    while run.host.iis.workers("P"):
        assert time.monotonic() < ends, "it lingers for ever"
        time.sleep(0.02)


def test_state_survives(run, authority):
    thumbprint = _certificate(run, authority)
    _site(run, PLAIN, {"ip": "*", "port": SECURE_PORT, "protocol": "https", "certificate_hash": thumbprint})
    run.ok("microsoft.iis.web_app_pool", name="P", attributes={"processModel.idleTimeout": "00:05:00"})
    state = run.host.to_state()
    run.host.power.suspend()
    assert _get(run) is None
    run.host.load_state(state)
    run.host.power.resume()
    assert run.host.to_state() == state and _get(run) == 200
