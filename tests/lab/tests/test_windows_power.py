"""Power of the Windows twin: reboot, loss, wipe, pending restarts; and its state between two runs of the lab."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prs_lab.windows.errors import WinError
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.power import PowerLost
from prs_lab.windows.registry import PENDING_RENAMES
from prs_lab.windows.security import Ace, Rights
from prs_lab.windows.services import Service
from prs_lab.windows.shares import Share
from prs_lab.windows.winrm import WinRmSettings

from .windows_lab import PASSWORD, Network, Runner


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path)
    yield network
    network.close()


@pytest.fixture
def host(network: Network) -> WindowsHost:
    return network.add("WEB", shutdown_limit=0.1)


def furnish(host: WindowsHost) -> None:
    """A little of everything that a host keeps."""
    view = host.files("SYSTEM")
    view.make_dir("C:\\app")
    view.write("C:\\app\\web.config", b"<configuration/>")
    user = host.accounts.add_user("svc", "One-1234", groups=["IIS_IUSRS"])
    view.set_security("C:\\app", entries=[Ace(sid=user.sid, mask=Rights.MODIFY, inheritance=3)])
    host.registry.set("HKLM\\SOFTWARE\\PRS", "Alias", ["a", "b"], "multistring")
    host.services.add(Service(name="App", display_name="App", path="C:\\app.exe", dependencies=["RpcSs"]))
    host.services.start("App")
    host.shares.add(Share(name="app", path="C:\\app"))
    host.accounts.rights["SeBatchLogonRight"].append(user.sid)
    host.environment.machine["PRS"] = "1"


def test_state_survives_the_lab(network: Network, host: WindowsHost) -> None:
    furnish(host)
    before = host.to_state()
    host.close()
    again = WindowsHost(
        name="WEB",
        address=host.address,
        root=host.root,
        administrator_password=PASSWORD,
        estate=network,
        directory=network.domain,
    )
    started: list[str] = []
    again.services.on_start("App", lambda: started.append("App"))
    assert again.load()
    again.power.resume()
    assert started == ["App"]
    assert again.to_state() == before
    assert json.loads(host.state_file.read_text()) == before
    again.files("svc").write("C:\\app\\web.config", b"changed")
    assert again.power.boot_time == host.power.boot_time


def test_changes_are_written_soon_and_whole(host: WindowsHost) -> None:
    Runner(host).ok("win_regedit", path="HKLM:\\SOFTWARE\\PRS", name="x", data="y")
    deadline = time.monotonic() + 60
    saved = ""
    while "HKLM\\\\SOFTWARE\\\\PRS" not in saved and time.monotonic() < deadline:
        time.sleep(0.05)
        saved = (
            host.state_file.read_text() if host.state_file.exists() else ""
        )  # of the boot at first, where that is slow
    assert "HKLM\\\\SOFTWARE\\\\PRS" in saved
    assert not host.state_file.with_suffix(".tmp").exists()


def test_a_look_changes_nothing(host: WindowsHost) -> None:
    run = Runner(host)
    before = host.to_state()
    for name, arguments in (
        ("setup", {}),
        ("win_stat", {"path": "C:\\"}),
        ("win_service_info", {}),
        ("win_reg_stat", {"path": "HKLM:\\SOFTWARE"}),
    ):
        run.ok(name, **arguments)
    assert host.to_state() == before


def test_wiping_leaves_a_prepared_empty_server(host: WindowsHost) -> None:
    fresh = host.to_state()
    furnish(host)
    sid = host.accounts.lookup("PRSLAB\\WEB$")
    host.power.wipe()
    wiped = host.to_state()
    assert wiped["drives"] == fresh["drives"]
    volatile = {"power", "services"}
    assert {name: part for name, part in wiped["parts"].items() if name not in volatile} == {
        name: part for name, part in fresh["parts"].items() if name not in volatile
    }
    assert host.services.find("App") is None
    assert not host.files("SYSTEM").exists("C:\\app")
    assert host.accounts.log_on("Administrator", PASSWORD).is_admin
    assert host.accounts.lookup("PRSLAB\\WEB$") == sid


def test_pending_restarts(host: WindowsHost) -> None:
    assert not host.power.restart_pending
    host.power.require_restart()
    assert host.power.restart_pending
    host.power.reboot()
    assert not host.power.restart_pending
    host.power.require_restart(sticky=True)
    host.power.reboot()
    assert host.power.restart_pending
    assert host.registry.get(*PENDING_RENAMES)


def test_services_after_a_boot(host: WindowsHost) -> None:
    host.services.add(Service(name="Manual", display_name="Manual", path="x", start_mode="manual"))
    host.services.add(Service(name="Delayed", display_name="Delayed", path="x", start_mode="delayed"))
    host.services.start("Manual")
    host.services.on_start("Bad", lambda: (_ for _ in ()).throw(WinError(1067, "Bad")))
    host.services.add(Service(name="Bad", display_name="Bad", path="x"))
    host.power.reboot()
    assert [host.services.get(name).state for name in ("Manual", "Delayed", "Bad")] == ["stopped", "running", "stopped"]
    assert [entry["service"] for entry in host.record.entries("power") if entry["event"] == "service failed"] == ["Bad"]


def test_shutdown_exe(host: WindowsHost) -> None:
    run = Runner(host)
    booted = host.power.boot_count
    host.shutdown_limit = 60
    run.ok("win_command", _raw_params="shutdown.exe /r /t 60")
    again = run("win_command", _raw_params="shutdown /r /t 0")
    assert (again["rc"], again["stderr"]) == (1190, "A system shutdown has already been scheduled.(1190)\r\n")
    run.ok("win_command", _raw_params="shutdown -a")
    assert run("win_command", _raw_params="shutdown /a")["rc"] == 1116
    host.shutdown_limit = 0.1
    run.ok("win_command", _raw_params="shutdown.exe /r /t 60")
    deadline = time.monotonic() + 60
    while host.power.boot_count == booted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert host.power.boot_count == booted + 1


def answer_of(host: WindowsHost) -> str:
    """What a client meets that wants to connect to WinRM."""
    try:
        socket.create_connection((host.address, 5985), timeout=0.3).close()
    except TimeoutError:
        return "silence"
    except ConnectionRefusedError:
        return "refused"
    return "connected"


@pytest.mark.parametrize("end", ["kill", "shut_down"])
def test_a_host_that_is_off_answers_nothing_and_one_that_is_on_refuses_what_nobody_listens_on(
    network: Network, end: str
) -> None:
    host = network.add("SRV", listen=WinRmSettings())
    assert answer_of(host) == "connected"
    host.close_network()
    assert answer_of(host) == "refused"
    host.open_network()
    getattr(host.power, end)()
    assert answer_of(host) == "silence"
    kept = host.to_state()
    host.power.suspend()  # the lab is ended and begun again
    assert answer_of(host) == "refused"
    host.load_state(kept)
    host.power.resume()
    assert answer_of(host) == "silence"
    host.power.start()
    assert answer_of(host) == "connected"
    host.power.reboot()
    assert answer_of(host) == "connected"
    host.power.kill()
    host.power.wipe()
    assert answer_of(host) == "connected"


def test_what_waits_on_a_host_ends_with_it(host: WindowsHost) -> None:
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        host.pause(600)

    with ThreadPoolExecutor() as threads:
        waiter = threads.submit(wait)
        assert waiting.wait(60)
        while not waiter.done():  # whether it had begun to wait when the power went nobody knows
            host.power.kill()
            host.power.start()
            with contextlib.suppress(TimeoutError):
                waiter.exception(timeout=0.3)
        with pytest.raises(PowerLost):
            waiter.result()
