"""A whole estate as its users meet it: the command, the daemon, wrecking, resuming."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time

import pytest
import requests
import winrm
from prs_lab.cli import main
from prs_lab.client import CommandFailed, Lab, LabError, NotRunning
from prs_lab.estate.control import request

# Beside the addresses of windows_lab.py and of `make lab-up`.
NETWORK = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}.0"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    one = Lab(tmp_path_factory.mktemp("lab") / "state")
    one.up(estate="single", network=NETWORK)
    yield one
    one.down()


def _listens(address, port):
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


def test_up_twice_finds_the_same_daemon(lab):
    assert lab.up(estate="single", network=NETWORK)["pid"] == lab.ping()["pid"]


def test_winrm_answers_on_every_host(lab):
    for host in lab.description.hosts:
        assert _listens(host.address, 5985) and _listens(host.address, 5986)


def test_secrets_and_folder_are_private(lab):
    assert stat.S_IMODE((lab.state_dir / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(lab.state_dir.stat().st_mode) == 0o700
    public = (lab.state_dir / "estate.json").read_text()
    assert not [secret for secret in lab.description.secrets.all() if secret in public]


def test_a_wrong_token_is_refused(lab):
    where = json.loads((lab.state_dir / "control.json").read_text())
    with socket.create_connection((where["address"], where["port"]), timeout=60) as connection:
        connection.sendall(b'{"token": "guess", "command": "down"}\n')
        answer = json.loads(connection.makefile().readline())
    assert answer == {"error": "the token is not this lab's"}
    assert lab.running


def test_unknown_commands_hosts_and_faults_are_said(lab):
    with pytest.raises(CommandFailed, match="unknown command nonsense; there are"):
        request(lab.state_dir, "nonsense")
    with pytest.raises(CommandFailed, match="no host nobody; there are prs, files"):
        lab.wipe("nobody")
    with pytest.raises(CommandFailed, match="no-such-fault"):
        lab.fault("no-such-fault")


def test_kill_and_start(lab):
    address = lab.description.host("prs").address
    lab.kill("prs")
    assert not _listens(address, 5985)
    assert lab.state("prs")["prs"]["power"] == "off"
    lab.start("prs")
    assert _listens(address, 5985)


def test_cut_and_heal(lab):
    prs, files = (lab.description.host(name).address for name in ("prs", "files"))
    lab.cut("site-a")
    assert not _listens(prs, 5985) and _listens(files, 5985)
    lab.heal()
    assert _listens(prs, 5985)


def test_the_digest_changes_with_a_file_and_with_nothing_else(lab):
    before = lab.digest()
    assert lab.digest() == before
    lab.damage(r"\\files\media\PasswordResetServer.zip", offset=100, length=1)
    after = lab.digest()
    assert after["prs"] == before["prs"] and after["files"] != before["files"]
    lab.damage(r"\\files\media\PasswordResetServer.zip", offset=100, length=1)
    assert lab.digest() == before, "the same damage twice undoes itself"


def test_truncating_a_file(lab):
    assert lab.damage(r"D:\Shares\media\NotPasswordResetServer.zip", host="files", truncate=10) == 10
    with pytest.raises(CommandFailed, match="cannot find the file"):
        lab.damage(r"\\files\media\absent.zip")


def test_faults_come_and_go(lab):
    before = lab.state("files")["files"]
    lab.fault("share-gone", host="files", share="backup")
    assert lab.state("files")["files"]["shares"] == ["media"]
    lab.unfault("share-gone", host="files", share="backup")
    assert lab.state("files")["files"]["shares"] == before["shares"]
    lab.fault("disk-size", host="files", drive="D", size="1 KB")
    assert lab.state("files")["files"]["free_bytes"]["D"] == 0
    lab.unfault("disk-size", host="files", drive="D")
    assert lab.state("files")["files"]["free_bytes"]["D"] == before["free_bytes"]["D"]


def test_winrm_can_break_off_and_be_slow(lab):
    host = lab.description.host("prs")

    def session():
        # A client whose connection broke has to sign in anew.
        secret = lab.description.secrets.administrator
        return winrm.Session(f"http://{host.address}:5985/wsman", auth=("Administrator", secret), transport="ntlm", ca_trust_path=lab.description.ca_file)

    assert session().run_cmd("hostname").std_out.strip().lower() == b"prs"
    lab.fault("drop-winrm", host="prs", after=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        session().run_cmd("hostname")
    assert session().run_cmd("hostname").status_code == 0
    lab.fault("slow-winrm", host="prs", seconds=0.1)
    started = time.monotonic()
    session().run_cmd("hostname")
    assert time.monotonic() - started > 0.4
    lab.unfault("slow-winrm", host="prs", seconds=0)


def test_wiping_a_file_server_brings_its_media_back_and_nothing_else(lab):
    drive = lab.state_dir / "hosts" / "files" / "drives" / "D" / "Shares"
    (drive / "backup" / "old.bak").write_bytes(b"gone soon")
    lab.wipe("files")
    assert (drive / "media" / "sql" / "setup.exe").exists()
    assert not (drive / "backup" / "old.bak").exists()


def test_down_and_up_again_keeps_everything(lab):
    lab.fault("share-rights", host="files", share="backup", account=r"PRSLAB\PRS$")
    before, boots = lab.digest(), lab.state("prs")["prs"]["boots"]
    assert lab.down() and not lab.running and not lab.down()
    lab.up(estate="single", network=NETWORK)
    assert lab.digest() == before
    assert lab.state("prs")["prs"]["boots"] == boots, "resuming a lab is no boot"
    lab.unfault("share-rights", host="files", share="backup", account=r"PRSLAB\PRS$")


def test_sigterm_keeps_state_too(lab):
    lab.fault("disk-size", host="prs", drive="D", size="7 GB")
    pid = lab.ping()["pid"]
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while lab.running:
        assert time.monotonic() < deadline, "it did not end"
        time.sleep(0.05)
    lab.up(estate="single", network=NETWORK)
    assert lab.state("prs")["prs"]["free_bytes"]["D"] == 7 * 1024**3
    lab.unfault("disk-size", host="prs", drive="D")


def test_the_record_and_what_is_not_modelled(lab, capsys):
    assert [entry["event"] for entry in lab.record("power", host="prs")].count("kill") == 1
    assert lab.record("power", since=lab.mark_record()) == []
    assert main(["unmodelled", "--state", str(lab.state_dir)]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_says_what_is_wrong(lab, tmp_path, capsys):
    assert main(["state", "--state", str(tmp_path)]) == 1
    assert "no lab runs in" in capsys.readouterr().err
    assert main(["up", "--state", str(tmp_path), "--estate", "absent.yml"]) == 1
    assert "absent.yml: cannot be read" in capsys.readouterr().err
    assert main(["fault", "disk-size", "host", "--state", str(lab.state_dir)]) == 1
    assert "host is not NAME=VALUE" in capsys.readouterr().err


def test_a_taken_network_is_said_and_leaves_nothing_running(lab, tmp_path):
    second = Lab(tmp_path / "second")
    with pytest.raises(LabError, match="the lab did not start"):
        second.up(estate="single", network=NETWORK)
    with pytest.raises(NotRunning):
        second.ping()


@pytest.mark.parametrize("network", ["10.0.0.0", "127.0.0.5", "here"])
def test_only_loopback_networks(tmp_path, network):
    with pytest.raises(LabError, match="--network"):
        Lab(tmp_path).up(network=network)
