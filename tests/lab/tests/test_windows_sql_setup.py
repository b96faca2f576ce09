"""SQL Server's setup: what it refuses before it touches anything, and what it leaves when it is done."""

from __future__ import annotations

import socket

import pytest
from prs_lab.estate import media
from prs_lab.estate.authority import Authority
from prs_lab.windows.certificates import read_file

from .windows_lab import Network, Runner

SYSTEM = "NT AUTHORITY\\SYSTEM"
SETUP = r"C:\media\setup.exe"
INI = r"C:\media\ConfigurationFile.ini"
OPTIONS = {
    "ACTION": '"Install"', "QUIET": '"True"', "IACCEPTSQLSERVERLICENSETERMS": '"True"', "FEATURES": "SQLENGINE", "INSTANCENAME": '"MSSQLSERVER"',
    "SQLCOLLATION": '"SQL_Latin1_General_CP1_CI_AS"', "SQLSYSADMINACCOUNTS": ('"NT AUTHORITY\\SYSTEM" '
                                                                              '"BUILTIN\\Administrators"'),
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    network = Network(tmp_path)
    one = Runner(network.add("sql"))
    files = one.host.files(SYSTEM)
    files.make_dir(r"C:\media")
    files.write(SETUP, media.media_files(media.MediaConfig())["sql\\setup.exe"])
    yield one
    network.close()


def _setup(run, become="SYSTEM", arguments=(), **options):
    merged = {name: value for name, value in {**OPTIONS, **options}.items() if value is not None}
    text = "; a comment\r\n[OPTIONS]\r\n" + "".join(f"{name}={value}\r\n" for name, value in merged.items())
    run.host.files(SYSTEM).write(INI, text.encode())
    return run("win_command", argv=[SETUP, f"/ConfigurationFile={INI}", *arguments], become=become)


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"IACCEPTSQLSERVERLICENSETERMS": None}, -2054422506, "IAcceptSQLServerLicenseTerms"),
        ({"IACCEPTSQLSERVERLICENSETERMS": '"False"'}, -2054422506, "IAcceptSQLServerLicenseTerms"),
        ({"FEATURES": None}, -2068578302, "'FEATURES' is missing"),
        ({"FEATURES": "SQLENGINE,COFFEE"}, -2068578302, "COFFEE"),
        ({"QUIET": None}, -2068578302, "pass /Q"),
        ({"COLOUR": "red"}, -2068578302, "'COLOUR' specified is not recognized"),
        ({"SQLCOLLATION": '"Klingon"'}, -2068578302, "collation Klingon"),
        ({"SQLSYSADMINACCOUNTS": None}, -2068578302, "SQLSYSADMINACCOUNTS"),
        ({"SQLSYSADMINACCOUNTS": '"PRSLAB\\nobody"'}, -2068578302, "does not exist"),
        ({"SECURITYMODE": '"SQL"'}, -2068578302, "sa password is missing"),
        ({"SQLSVCACCOUNT": '"PRSLAB\\dba"', "SQLSVCPASSWORD": '"wrong"'}, -2068578302, "are invalid"),
        ({"SQLUSERDBDIR": '"X:\\Data"'}, -2068578302, "setting 'SQLUSERDBDIR'"),
        ({"INSTANCENAME": '"a name with blanks"'}, -2068578302, "instance name"),
    ],
)
def test_refusals(run, options, code, text):
    result = _setup(run, **options)
    assert result["rc"] == code and text in result["stdout"]
    assert run.host.services.find("MSSQLSERVER") is None and run.host.sql_server.installed() == []
    summary = (
        run.host.files(SYSTEM)
        .read(r"C:\Program Files\Microsoft SQL Server\150\Setup Bootstrap\Log\Summary.txt")
        .decode()
    )
    assert f"Exit code (Decimal):           {code}" in summary and text in summary


def test_a_network_logon_cannot_use_dpapi(run):
    result = _setup(run, become=None)
    assert result["rc"] == -2068119551 and "Access is denied" in result["stdout"]


def test_a_pending_restart_blocks_and_can_be_told_not_to(run):
    run.host.power.require_restart()
    assert _setup(run)["rc"] == -2067919934
    result = _setup(run, SKIPRULES='"RebootRequiredCheck"', FEATURES="COFFEE")
    assert "COFFEE" in result["stdout"], "it came past the rule"


def test_the_command_line_wins_over_the_file(run):
    assert "COFFEE" in _setup(run, arguments=["/FEATURES=COFFEE"])["stdout"]
    assert "TEA" in _setup(run, arguments=["/FEATURES=TEA"], FEATURES="COFFEE")["stdout"]


def test_a_configuration_file_that_is_not_there(run):
    result = run("win_command", argv=[SETUP, r"/ConfigurationFile=C:\absent.ini"], become="SYSTEM")
    assert "could not be read" in result["stdout"]


KEY = r"HKLM\SOFTWARE\Microsoft\Microsoft SQL Server"


def _listens(run, port):
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((run.host.address, port)) == 0


def _other_media(run, **facts):
    config = media.MediaConfig(**facts)
    run.host.files(SYSTEM).write(SETUP, media.media_files(config)["sql\\setup.exe"])


def test_an_installation_is_service_registry_files_and_an_open_port(run):
    assert not _listens(run, 1433)
    result = _setup(run, SQLUSERDBDIR=r'"C:\SQLData"', SQLBACKUPDIR=r'"C:\SQLBackup"')
    assert result["rc"] == 0 and _listens(run, 1433)
    read = run.host.registry.get
    assert read(KEY + r"\Instance Names\SQL", "MSSQLSERVER") == "MSSQL15.MSSQLSERVER"
    instance = KEY + r"\MSSQL15.MSSQLSERVER"
    assert read(instance + r"\ConfigurationState", "SQL_Engine_Core_Inst") == 1
    assert read(instance + r"\Setup", "PatchLevel") == "15.0.4430.1"
    assert read(instance + r"\MSSQLServer", "DefaultData") == r"C:\SQLData"
    assert read(instance + r"\MSSQLServer\SuperSocketNetLib\Tcp\IPAll", "TcpPort") == "1433"
    service = run.host.services.get("MSSQLSERVER")
    assert (service.state, service.start_mode, service.account) == ("running", "auto", "NT SERVICE\\MSSQLSERVER")
    assert run.host.services.find("SQLSERVERAGENT").state == "stopped"
    run.host.files("NT SERVICE\\MSSQLSERVER").write(r"C:\SQLBackup\probe", b"the service may write there")
    again = _setup(run)
    assert again["rc"] == -2067529716 and "may already be installed" in again["stdout"]


def test_the_port_follows_the_registry_with_the_next_start(run):
    _setup(run)
    network = KEY + r"\MSSQL15.MSSQLSERVER\MSSQLServer\SuperSocketNetLib\Tcp"
    run.host.registry.set(network + r"\IPAll", "TcpPort", "1533")
    assert _listens(run, 1433)
    run.ok("win_service", name="MSSQLSERVER", state="restarted")
    assert _listens(run, 1533) and not _listens(run, 1433)
    run.host.registry.set(network, "Enabled", 0, "dword")
    run.ok("win_service", name="MSSQLSERVER", state="restarted")
    assert not _listens(run, 1533)


def test_it_listens_on_fixed_and_dynamic_ports_at_once(run):
    """Each of a list, and a dynamic one beside them, which is chosen at the start and kept."""
    _setup(run)
    network = KEY + r"\MSSQL15.MSSQLSERVER\MSSQLServer\SuperSocketNetLib\Tcp"
    run.host.registry.set(network + r"\IPAll", "TcpPort", "1433, 14330")
    run.host.registry.set(network + r"\IPAll", "TcpDynamicPorts", "0")
    run.ok("win_service", name="MSSQLSERVER", state="restarted")
    chosen = int(run.host.registry.get(network + r"\IPAll", "TcpDynamicPorts"))
    assert chosen > 49000 and all(_listens(run, port) for port in (1433, 14330, chosen))
    run.host.registry.set(network, "ListenOnAllIPs", 0, "dword")
    for number, address, enabled in ((1, "10.9.9.9", 1), (2, run.host.address, 0), (3, run.host.address, 1)):
        for name, value in (("IpAddress", address), ("Enabled", enabled), ("TcpPort", str(1530 + number))):
            run.host.registry.set(f"{network}\\IP{number}", name, value)
    run.ok("win_service", name="MSSQLSERVER", state="restarted")
    assert _listens(run, 1533) and not any(_listens(run, port) for port in (1433, 1531, 1532, chosen))


UPDATE = r"C:\updates\SQLServer2019-KB1-x64.exe"


def test_setup_installs_the_newest_update_that_it_finds(run):
    files = run.host.files(SYSTEM)
    files.make_dir(r"C:\updates")
    files.write(UPDATE, media.installer({"product": "sql_server_update", "version": "15.0.4440.1"}))
    assert _setup(run, UPDATEENABLED='"True"', UPDATESOURCE=r'"C:\updates"')["rc"] == 0
    assert run.host.registry.get(KEY + r"\MSSQL15.MSSQLSERVER\Setup", "PatchLevel") == "15.0.4440.1"


def test_setup_ends_where_it_may_not_look_for_updates(run):
    result = _setup(run, UPDATEENABLED='"True"', UPDATESOURCE=r'"\\nowhere\updates"')
    assert result["rc"] == -2068578302 and "update source" in result["stdout"]
    assert run.host.sql_server.installed() == []


@pytest.mark.parametrize(("encoding", "code"), [("utf-16", 0), ("utf-8-sig", 0), ("utf-8", -2068578302)])
def test_a_configuration_file_says_its_encoding_by_its_first_bytes(run, encoding, code):
    """As setup writes it: UTF-16. Without a mark it is in the code page of Windows, and names with other letters break."""
    run.host.accounts.add_user("Prüfer", password="Pass-Word-1")
    accounts = f'"{run.host.name}\\Prüfer"'
    text = "[OPTIONS]\r\n" + "".join(
        f"{name}={value}\r\n" for name, value in {**OPTIONS, "SQLSYSADMINACCOUNTS": accounts}.items()
    )
    run.host.files(SYSTEM).write(INI, text.encode(encoding))
    result = run("win_command", argv=[SETUP, f"/ConfigurationFile={INI}"], become="SYSTEM")
    assert result["rc"] == code, result["stdout"]


def test_power_and_wipe_end_it(run):
    _setup(run)
    run.host.power.kill()
    assert not _listens(run, 1433)
    run.host.power.start()
    assert _listens(run, 1433)
    run.host.power.wipe()
    assert not _listens(run, 1433) and run.host.sql_server.installed() == [] and not run.host.registry.exists(KEY)


def test_a_resumed_host_brings_its_instance_back(run):
    _setup(run)
    state = run.host.to_state()
    run.host.power.suspend()
    assert not _listens(run, 1433)
    run.host.load_state(state)
    run.host.power.resume()
    assert _listens(run, 1433) and run.host.to_state() == state


def test_a_certificate_that_the_service_may_not_read_keeps_it_from_starting(run, tmp_path):
    _setup(run)
    issued = Authority(folder=tmp_path / "ca").issue(label="sql", names=("sql",), password="x")
    certificate, key = read_file(issued.pfx.read_bytes(), "x")[0]
    stored = run.host.certificates.add("My", certificate, key)
    run.host.registry.set(KEY + r"\MSSQL15.MSSQLSERVER\MSSQLServer\SuperSocketNetLib", "Certificate", issued.thumbprint)
    assert "failed" in str(run("win_service", name="MSSQLSERVER", state="restarted"))
    assert run.host.services.get("MSSQLSERVER").state == "stopped" and not _listens(run, 1433)
    assert any("user-specified certificate" in entry["text"] for entry in run.host.record.entries("note"))
    run.host.certificates.let_read(stored, run.host.accounts.lookup("NT SERVICE\\MSSQLSERVER"))
    run.ok("win_service", name="MSSQLSERVER", state="started")
    assert _listens(run, 1433)


def test_express_has_no_agent_and_its_port_closed(run):
    _other_media(run, sql_edition="Express Edition (64-bit)")
    assert _setup(run, INSTANCENAME='"SQLEXPRESS"')["rc"] == 0
    assert run.host.services.find("SQLAgent$SQLEXPRESS") is None
    assert run.host.services.get("MSSQL$SQLEXPRESS").state == "running"
    assert run.host.sql_server.settings("SQLEXPRESS").port == 0


def test_a_full_drive_keeps_the_engine_from_starting_and_half_an_installation_is_left(run):
    run.host.drives.mount("C:\\Data", 1024)
    done = _setup(run, SQLUSERDBDIR='"C:\\Data"', SQLUSERDBLOGDIR='"C:\\Data"')
    assert done["rc"] == -2061893606
    assert "Wait on the Database Engine recovery handle failed" in done["stdout"]
    root = r"HKLM\SOFTWARE\Microsoft\Microsoft SQL Server"
    instance = run.host.registry.get(root + r"\Instance Names\SQL", "MSSQLSERVER")
    state = run.host.registry.get(f"{root}\\{instance}\\ConfigurationState", "SQL_Engine_Core_Inst")
    assert (run.host.services.get("MSSQLSERVER").state, state) == ("stopped", 2)


def test_a_named_instance_takes_a_port_of_its_own(run):
    assert _setup(run, INSTANCENAME='"PRS"', TCPENABLED='"1"')["rc"] == 0
    port = run.host.sql_server.settings("PRS").port
    assert port > 49000 and _listens(run, port)


def test_setup_may_ask_for_a_restart_afterwards(run):
    _other_media(run, sql_restart=True)
    result = _setup(run)
    assert result["rc"] == 3010 and run.host.power.restart_pending and _listens(run, 1433)


def test_no_secret_of_the_command_line_is_recorded(run):
    _setup(run, arguments=["/SAPWD=Very-Secret-1"], FEATURES="COFFEE")
    assert "Very-Secret-1" not in str(list(run.host.record.entries("command")))
