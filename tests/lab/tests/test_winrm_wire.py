"""WinRM of the Windows twin, asked by pywinrm and by hand: authentication, sealing, shells, faults, quotas, limits."""

from __future__ import annotations

import base64
import contextlib
import glob
import os
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import winrm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from prs_lab.estate.authority import Authority
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.models import COMMANDS, CommandCall, Output
from prs_lab.windows.winrm import WinRmSettings
from prs_lab.windows.wsman import Limits
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError

from .windows_lab import PASSWORD, Network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("estate"))
    yield network
    network.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(folder=tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def host(network: Network, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> WindowsHost:
    issued = authority.issue(label="web", names=("web.prs.lab", "localhost"), password="x")
    key, certificate, _ = pkcs12.load_key_and_certificates(issued.pfx.read_bytes(), b"x")
    assert key is not None and certificate is not None
    folder = tmp_path_factory.mktemp("tls")
    (folder / "web.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "web.key").write_bytes(pem)
    return network.add("WEB", listen=WinRmSettings(certificate=folder / "web.pem", key=folder / "web.key"))


def session(
    host: WindowsHost, user: str = "Administrator", password: str = PASSWORD, **options: object
) -> winrm.Session:
    return winrm.Session(f"http://{host.address}:5985/wsman", auth=(user, password), **{"transport": "ntlm", **options})


def protocol(host: WindowsHost, **options: object) -> winrm.Protocol:
    defaults = {
        "transport": "ntlm",
        "username": "Administrator",
        "password": PASSWORD,
        "operation_timeout_sec": 1,
        "read_timeout_sec": 60,
    }
    return winrm.Protocol(f"http://{host.address}:5985/wsman", **{**defaults, **options})


@pytest.fixture
def slow_program() -> Iterator[threading.Event]:
    """A program `slow` that ends when the event is set."""
    released = threading.Event()

    def slow(_call: CommandCall) -> Output:
        released.wait(120)
        return Output("at last\r\n")

    COMMANDS["slow"] = slow
    yield released
    released.set()
    del COMMANDS["slow"]


class TestAuthentication:
    @pytest.mark.parametrize("user", ["Administrator", "web\\ADMINISTRATOR", ".\\administrator"])
    def test_local_accounts(self, host: WindowsHost, user: str) -> None:
        answer = session(host, user).run_cmd("whoami")
        assert (answer.status_code, answer.std_out) == (0, b"web\\administrator\r\n")

    @pytest.mark.parametrize("user", ["PRSLAB\\dba", "dba@prs.lab"])
    def test_domain_accounts(self, host: WindowsHost, user: str) -> None:
        assert session(host, user, "Dba-1234").run_cmd("whoami").std_out == b"prslab\\dba\r\n"

    @pytest.mark.parametrize(
        ("user", "password"), [("Administrator", "wrong"), ("Administrator", ""), ("nobody", PASSWORD), ("Guest", "")]
    )
    def test_wrong_ones_are_refused(self, host: WindowsHost, user: str, password: str) -> None:
        with pytest.raises(InvalidCredentialsError):
            session(host, user, password).run_cmd("whoami")

    def test_hosts_of_one_process_have_passwords_of_their_own(self, host: WindowsHost, network: Network) -> None:
        other = network.add("OTHER", listen=WinRmSettings())
        other.accounts.users["administrator"].nt_hash = "0" * 32
        with pytest.raises(InvalidCredentialsError):
            session(other).run_cmd("whoami")
        assert session(host).run_cmd("whoami").status_code == 0
        other.power.kill()

    def test_a_user_without_rights_gets_no_shell(self, host: WindowsHost) -> None:
        with pytest.raises(Exception, match=r"(?i)access is denied"):
            session(host, "PRSLAB\\svc-backup", "Backup1!").run_cmd("whoami")

    def test_the_first_answer_offers_negotiate_and_not_basic(self, host: WindowsHost) -> None:
        answer = requests.post(f"http://{host.address}:5985/wsman", data=b"", timeout=60)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Negotiate")
        with pytest.raises(InvalidCredentialsError):
            session(host, transport="basic").run_cmd("whoami")

    def test_basic_where_it_is_configured(self, network: Network) -> None:
        host = network.add("BASIC", listen=WinRmSettings(basic=True, allow_unencrypted=True))
        assert session(host, transport="basic").run_cmd("hostname").std_out == b"BASIC\r\n"
        with pytest.raises(InvalidCredentialsError):
            session(host, "PRSLAB\\dba", "Dba-1234", transport="basic").run_cmd("hostname")
        host.power.kill()

    def test_unencrypted_requests_are_refused_over_http(self, host: WindowsHost) -> None:
        with pytest.raises(WinRMTransportError) as error:
            session(host, message_encryption="never").run_cmd("whoami")
        assert error.value.code == 500

    def test_nothing_of_a_password_is_left_behind(self, host: WindowsHost) -> None:
        session(host).run_cmd("whoami")
        assert "NTLM_USER_FILE" not in os.environ
        assert glob.glob(os.path.join(tempfile.gettempdir(), "prs-lab-*.smbpasswd")) == []
        host.save()
        assert PASSWORD not in host.state_file.read_text()
        assert PASSWORD not in str(list(host.record.entries()))


class TestHttps:
    def test_with_a_certificate_of_the_labs_authority(
        self, host: WindowsHost, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda name, *rest, **more: resolve(host.address if name == "web.prs.lab" else name, *rest, **more),
        )
        client = winrm.Session(
            "https://web.prs.lab:5986/wsman", auth=("Administrator", PASSWORD), transport="ntlm", ca_trust_path=str(authority.ca_file),
            server_cert_validation="validate",
        )  # fmt: skip
        assert client.run_cmd("hostname").std_out == b"WEB\r\n"
        untrusting = winrm.Session("https://web.prs.lab:5986/wsman", auth=("Administrator", PASSWORD), transport="ntlm")
        with pytest.raises(requests.exceptions.SSLError):
            untrusting.run_cmd("hostname")

    def test_one_silent_client_does_not_keep_others_out(self, host: WindowsHost) -> None:
        silent = socket.create_connection((host.address, 5986))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((host.address, 5986), timeout=60) as plain, context.wrap_socket(plain) as secure:
            assert secure.version() in ("TLSv1.2", "TLSv1.3")
        silent.close()


class TestShells:
    def test_a_whole_life(self, host: WindowsHost) -> None:
        client = protocol(host)
        shell = client.open_shell(codepage=65001)
        command = client.run_command(shell, "hostname")
        assert client.get_command_output(shell, command) == (b"WEB\r\n", b"", 0)
        client.cleanup_command(shell, command)
        client.close_shell(shell)
        with pytest.raises(WSManFaultError) as error:
            client.run_command(shell, "hostname")
        assert error.value.wsman_fault_code == 2150858843

    def test_polling_times_out_until_there_is_something(self, host: WindowsHost, slow_program: threading.Event) -> None:
        client = protocol(host)
        shell = client.open_shell()
        command = client.run_command(shell, "slow")
        started = time.monotonic()
        with pytest.raises(WinRMOperationTimeoutError):
            client.get_command_output_raw(shell, command)
        assert time.monotonic() - started > 0.9
        threading.Timer(0.2, slow_program.set).start()
        assert client.get_command_output(shell, command) == (b"at last\r\n", b"", 0)
        client.close_shell(shell)

    def test_input_in_pieces_and_output_in_pieces(self, host: WindowsHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(COMMANDS, "cat", lambda call: Output(call.stdin))
        client = protocol(host)
        shell = client.open_shell()
        command = client.run_command(shell, "cat", console_mode_stdin=False)
        sent = os.urandom(400_000)
        for start in range(0, len(sent), 150_000):
            client.send_command_input(shell, command, sent[start : start + 150_000], end=start + 150_000 >= len(sent))
        received, pieces, done = b"", 0, False
        while not done:
            out, _, _, done = client.get_command_output_raw(shell, command)
            received, pieces = received + out, pieces + 1
        assert received == sent
        assert pieces > 2
        client.close_shell(shell)

    def test_a_command_line_holds_8191_characters(self, host: WindowsHost) -> None:
        short, long = session(host).run_ps("hostname"), session(host).run_ps("# " + "x" * 3100 + "\nhostname")
        assert short.std_out == b"WEB\r\n"
        assert (long.status_code, long.std_err) == (1, b"The command line is too long.\r\n")

    def test_one_shell_is_of_one_account(self, host: WindowsHost) -> None:
        shell = protocol(host).open_shell()
        with pytest.raises(WSManFaultError) as error:
            protocol(host, username="PRSLAB\\dba", password="Dba-1234").run_command(shell, "hostname")
        assert error.value.wsman_fault_code == 2150858843

    def test_any_connection_of_the_account_goes_on_with_a_shell(
        self, host: WindowsHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(COMMANDS, "cat", lambda call: Output(call.stdin))
        before, after = protocol(host), protocol(host)
        shell = before.open_shell()
        command = before.run_command(shell, "cat", console_mode_stdin=False)
        before.send_command_input(shell, command, b"first ")
        before.transport.close_session()
        after.send_command_input(shell, command, b"second", end=True)
        assert after.get_command_output(shell, command)[0] == b"first second"
        after.close_shell(shell)

    def test_a_shell_that_hears_nothing_for_so_long_ends_whatever_runs_in_it(self, host: WindowsHost) -> None:
        client = protocol(host)
        short, other = client.open_shell(idle_timeout="PT0.5S"), client.open_shell(idle_timeout="PT900S")
        command = client.run_command(short, "cat", console_mode_stdin=False)
        time.sleep(0.6)
        with pytest.raises(WSManFaultError) as error:
            client.send_command_input(short, command, b"x")
        assert error.value.wsman_fault_code == 2150858843
        client.close_shell(other)

    def test_quotas(self, network: Network) -> None:
        host = network.add("QUOTA", listen=WinRmSettings(limits=Limits(shells=2, operations=3, envelope=20_000)))
        client = protocol(host)
        shell = client.open_shell()
        for _ in range(3):
            client.run_command(shell, "hostname")
        with pytest.raises(WSManFaultError) as error:
            client.run_command(shell, "hostname")
        assert error.value.wmierror_code == 0x803381A6
        client.open_shell()
        with pytest.raises(WSManFaultError) as error:
            client.open_shell()
        assert error.value.wsman_fault_code == 2150859173
        with pytest.raises(WSManFaultError) as error:
            client.send_message("<x>" + "y" * 20_000 + "</x>")
        assert error.value.wsman_fault_code == 2150858865
        host.power.kill()

    def test_what_is_not_modelled_fails_loudly(self, host: WindowsHost) -> None:
        answer = session(host).run_ps("Get-Process | Stop-Process -WhatIf")
        assert answer.status_code == 1
        assert b"has no model of this PowerShell text" in answer.std_err
        assert [entry["detail"] for entry in host.record.entries("unmodelled", host="WEB")][
            -1
        ] == "Get-Process | Stop-Process -WhatIf"

    @pytest.mark.parametrize(
        ("resource", "action", "code"),
        [
            (
                "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service",
                "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get",
                2150858755,
            ),
            (
                "http://schemas.microsoft.com/powershell/Microsoft.PowerShell",
                "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create",
                2150858752,
            ),
        ],
    )
    def test_other_services_of_wsman(self, host: WindowsHost, resource: str, action: str, code: int) -> None:
        client = protocol(host)
        header = client._get_soap_header(resource_uri=resource, action=action)
        import xmltodict

        with pytest.raises(WSManFaultError) as error:
            client.send_message(xmltodict.unparse({"env:Envelope": {**header, "env:Body": {}}}))
        assert error.value.wsman_fault_code == code

    @pytest.mark.parametrize(
        ("garbage", "answer"),
        [
            (b"GET / HTTP/1.1\r\n\r\n", b"405"),
            (b"\x16\x03\x01\x00\x05hello", b"400"),
            (b"POST /other HTTP/1.1\r\n\r\n", b"404"),
            (b"nonsense\r\n\r\n", None),
        ],
    )
    def test_garbage_does_no_harm(self, host: WindowsHost, garbage: bytes, answer: bytes | None) -> None:
        with socket.create_connection((host.address, 5985), timeout=60) as connection:
            connection.sendall(garbage)
            with contextlib.suppress(OSError):  # the other side may have hung up already
                connection.shutdown(socket.SHUT_WR)
            status = re.match(rb"HTTP/1.1 (\d+)", connection.recv(200) or b"")
        assert (status and status[1]) == answer
        assert session(host).run_cmd("hostname").status_code == 0


class TestPower:
    def test_a_killed_host_resets_connections_and_is_silent_to_new_ones(
        self, network: Network, slow_program: threading.Event
    ) -> None:
        host = network.add("VICTIM", listen=WinRmSettings())
        client = protocol(host, operation_timeout_sec=100, read_timeout_sec=200)
        shell = client.open_shell()
        command = client.run_command(shell, "slow")
        kill = threading.Timer(0.3, host.power.kill)
        kill.start()
        with pytest.raises(requests.exceptions.ConnectionError):
            client.get_command_output_raw(shell, command)
        kill.join()  # connections end before the port falls silent
        with pytest.raises(TimeoutError):
            socket.create_connection((host.address, 5985), timeout=0.3)
        host.power.start()
        assert session(host).run_cmd("hostname").std_out == b"VICTIM\r\n"
        host.power.kill()

    def test_hosts_keep_to_their_own_addresses(self, host: WindowsHost, network: Network) -> None:
        twin = network.add("TWIN", listen=WinRmSettings())
        names = {session(one).run_cmd("hostname").std_out for one in (host, twin)}
        assert names == {b"WEB\r\n", b"TWIN\r\n"}
        twin.power.kill()


class TestSessionsOfTheCollection:
    def test_a_conversation(self, host: WindowsHost, tmp_path: Path) -> None:
        from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import (
            Conversation,
            VerbFailed,
        )
        from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import WinrmConnection
        from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.remote_powershell import (
            RemotePowerShell,
        )

        account = {"user": "Administrator", "password": PASSWORD}
        powershell = RemotePowerShell(WinrmConnection(host=host.address, port=5985, scheme="http", **account), "ntlm")
        powershell.open()
        talk = Conversation(powershell)
        talk.start()
        assert talk.about["computer"] == "WEB"
        with pytest.raises(VerbFailed, match="no model of script nothing_like_it"):
            talk.call("# prs.recovery nothing_like_it\n", parameters={})
        powershell.close()


def test_the_encoded_command_is_what_pywinrm_sends(host: WindowsHost) -> None:
    encoded = base64.b64encode("hostname".encode("utf-16-le")).decode()
    assert session(host).run_cmd(f"powershell -encodedcommand {encoded}").std_out == b"WEB\r\n"
