"""Proxies on the way to a host: the environment's, the inventory's, and none."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from prs_lab.windows.winrm import WinRm, WinRmSettings

from .test_session import self_signed
from .test_through_ansible import play
from .windows_twins import APPLICATION, LOCAL, Twins

NOBODY = "http://127.0.0.1:9"
HTTPS_PORT = 5996
pytestmark = pytest.mark.filterwarnings("ignore:'pywinrm' will use an environment defined proxy")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    monkeypatch.setenv("HTTPS_PROXY", NOBODY)


class Tunnel:
    """A proxy that does CONNECT, and writes down where to."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._socket]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        target = head.split()[1].decode()
        self.targets.append(target)
        host, _, port = target.rpartition(":")
        server = socket.create_connection((host, int(port)))
        self._sockets.append(server)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for source, destination in ((client, server), (server, client)):
            threading.Thread(target=_pass_on, args=(source, destination), daemon=True).start()


def _pass_on(source: socket.socket, destination: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            destination.sendall(data)
        destination.shutdown(socket.SHUT_WR)


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    tunnel = Tunnel()
    yield tunnel
    tunnel.close()


def test_a_proxy_of_the_environment_is_named_when_it_leads_nowhere(twins: Twins) -> None:
    with pytest.raises(
        RecoveryError, match=r"through the proxy of the environment .*ansible_winrm_proxy: null"
    ) as caught:
        Session(twins.connection()).__enter__()
    assert caught.value.code == "windows_unreachable"


def test_it_is_not_asked_where_nobody_wants_it(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    with Session(twins.connection(ignore_proxy=True)) as session:
        assert session.computer == "WEB"
    monkeypatch.setenv("NO_PROXY", twins.web.address)
    with Session(twins.connection()) as session:
        assert session.computer == "WEB"


def test_a_proxy_of_the_inventory_is_taken(twins: Twins, tunnel: Tunnel, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, twins.web.address)
    winrm = WinRm(twins.web, WinRmSettings(http_port=None, https_port=HTTPS_PORT, certificate=certificate, key=key))
    winrm.open()
    try:
        secure = {"scheme": "https", "port": HTTPS_PORT, "ca_file": str(certificate), "proxy": tunnel.url}
        with Session(twins.connection(**secure)) as session:
            assert session.computer == "WEB"
    finally:
        winrm.close()
    assert set(tunnel.targets) == {f"{twins.web.address}:{HTTPS_PORT}"}
    with pytest.raises(RecoveryError, match="through the proxy of winrm_proxy"):
        Session(twins.connection(proxy=NOBODY)).__enter__()


@pytest.mark.parametrize(
    "host",
    [
        {"ansible_winrm_proxy": None},
        {"ansible_connection": "psrp", "ansible_psrp_ignore_proxy": True, "ansible_psrp_auth": "ntlm"},
    ],
    ids=["winrm", "psrp"],
)
def test_through_ansible_as_its_own_modules(twins: Twins, tmp_path: Path, host: dict[str, object]) -> None:
    tasks = [
        *([] if "ansible_connection" in host else [{"ansible.windows.win_ping": {}}]),
        {"prs.recovery.app_backup": {"path": APPLICATION, "destination": LOCAL}},
    ]
    results, printed = play(twins, tmp_path, tasks, host=host)
    assert len(results) == len(tasks) and results[-1]["archive"]["verified"], printed[-3000:]
