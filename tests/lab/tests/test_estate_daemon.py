"""A whole estate as its users meet it: the command, the daemon, wrecking, resuming."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import winrm
from prs_lab.cli import main
from prs_lab.client import CommandFailed, Lab, LabError, NotRunning
from prs_lab.estate.control import request
from prs_lab.estate.fault_list import KNOWN as FAULTS

# Beside the addresses of windows_lab.py and of `make lab-up`.
NETWORK = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}.0"
OTHER = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250 + 1}.0"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    one = Lab(tmp_path_factory.mktemp("lab") / "state")
    one.up(estate="single", network=NETWORK)
    yield one
    one.down()


def _answer(address, port):
    try:
        socket.create_connection((address, port), 0.5).close()
    except TimeoutError:
        return "silence"
    except ConnectionRefusedError:
        return "refused"
    return "connected"


def _listens(address, port):
    return _answer(address, port) == "connected"


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
    with pytest.raises(CommandFailed, match="no fault no-such-fault; there are worker-lingers, "):
        lab.fault("no-such-fault")
    with pytest.raises(CommandFailed, match="no site site-x; there are site-a, site-w"):
        lab.cut("site-x")
    with pytest.raises(LabError, match="no host nobody; there are prs, files"):
        lab.page(host="nobody")


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("disk-size", {}, r"missing a required argument: 'host': disk-size takes host, drive, size$"),
        ("disk-size", {"host": "prs", "drive": "Z", "size": "1 GB"}, r"prs has no drive Z; there are C, D$"),
        ("slow-winrm", {"host": "prs", "minutes": "1"}, r"slow-winrm takes host, seconds$"),
        ("sql", {"host": "prs", "action": "sleep"}, r"no action sleep; there are drop_rst, "),
        ("script", {"host": "prs", "script": "a.ps1", "text": "no"}, r"a\.ps1 is the name of no script"),
    ],
)
def test_what_a_fault_takes_is_said(lab, name, arguments, says):
    with pytest.raises(CommandFailed, match=says):
        lab.fault(name, **arguments)


def test_taking_a_fault_back_needs_no_more_than_the_host(lab):
    with pytest.raises(CommandFailed, match="slow-winrm takes host, seconds"):
        lab.unfault("slow-winrm")
    lab.unfault("slow-winrm", host="prs")


def test_the_help_tells_every_fault(capsys):
    with pytest.raises(SystemExit):
        main(["fault", "--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in FAULTS)


def test_kill_and_start(lab):
    address = lab.description.host("prs").address
    lab.kill("prs")
    assert _answer(address, 5985) == _answer(address, 5986) == "silence"
    assert lab.state("prs")["prs"]["power"] == "off"
    lab.start("prs")
    assert _listens(address, 5985)


def test_cut_and_heal(lab):
    prs, files = (lab.description.host(name).address for name in ("prs", "files"))
    lab.cut("site_a")  # as the inventory writes it
    assert _answer(prs, 5985) == "silence" and _listens(files, 5985)
    lab.heal()
    assert _listens(prs, 5985)


def test_a_stopped_service_refuses_where_a_lost_host_is_silent(lab):
    address = lab.description.host("prs").address
    lab.fault("winrm-stopped", host="prs")
    assert _answer(address, 5985) == "refused"
    lab.unfault("winrm-stopped", host="prs")
    assert _listens(address, 5985)


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
    with pytest.raises(CommandFailed, match=r"^The system cannot find the file specified\. \(2\): .*absent\.zip$"):
        lab.damage(r"\\files\media\absent.zip")
    for path in (r"D:\Shares", r"\\files"):
        with pytest.raises(CommandFailed, match=r"give \\\\server\\share\\file, or a local path with --host$"):
            lab.damage(path)


def test_faults_come_and_go(lab):
    before = lab.state("files")["files"]
    lab.fault("share-gone", host="files", share="backup")
    assert lab.state("files")["files"]["shares"] == ["media"]
    lab.unfault("share-gone", host="files", share="backup")
    again = lab.state("files")["files"]
    assert again["shares"] == before["shares"]
    lab.fault("disk-size", host="files", drive="D", size="1 KB")
    assert lab.state("files")["files"]["free_bytes"]["D"] == 0
    lab.unfault("disk-size", host="files", drive="D")
    assert lab.state("files")["files"]["free_bytes"]["D"] == again["free_bytes"]["D"]


def test_winrm_can_break_off_and_be_slow(lab):
    host = lab.description.host("prs")

    def session():
        # A client whose connection broke has to sign in anew.
        secret = lab.description.secrets.administrator
        return winrm.Session(
            f"http://{host.address}:5985/wsman",
            auth=("Administrator", secret),
            transport="ntlm",
            ca_trust_path=lab.description.ca_file,
        )

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


def test_a_reader_that_has_seen_enough(lab):
    """prs-lab record | head -1"""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "prs_lab.cli", "record", "--state", lab.state_dir],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_taken_network_is_said_in_a_sentence_and_another_one_will_do(lab, tmp_path):
    second = Lab(tmp_path / "second")
    with pytest.raises(LabError) as refused:
        second.up(estate="single", network=NETWORK)
    text = str(refused.value)
    assert "\n" not in text and "PRS cannot listen on" in text and "NETWORK=127.62.0.0" in text
    with pytest.raises(NotRunning):
        second.ping()
    try:
        second.up(estate="single", network=OTHER)
        assert second.state("files")["files"]["shares"] == ["backup", "media"]
    finally:
        second.down()


def test_another_estate_or_network_than_the_running_one_is_refused(lab):
    with pytest.raises(LabError, match=rf"runs the estate single on {NETWORK}: end it first"):
        lab.up(network=OTHER)
    with pytest.raises(LabError, match="holds the estate single: give default a folder of its own"):
        lab.up(estate="default")
    assert lab.up()["pid"] == lab.ping()["pid"], "what is not said is as it is"


def test_settings_of_ones_own_hold_and_stay(lab):
    settings = lab.state_dir / "inventory/group_vars/all/settings.yml"
    assert "lab made this file once" in settings.read_text()
    settings.write_text("prs_ha: mirror\nprs_app_public_name: mine.example.com\n")
    lab.down()
    assert lab.up()["network"] == NETWORK, "it goes on where it was"
    assert settings.read_text().startswith("prs_ha: mirror")
    tool = Path(sys.executable).parent / "ansible-inventory"
    listed = subprocess.run(
        [tool, "-i", settings.parents[2], "--host", "prs"], capture_output=True, text=True, check=True
    )
    found = json.loads(listed.stdout)
    assert (found["prs_ha"], found["prs_app_public_name"]) == ("mirror", "mine.example.com")
    assert found["prs_sql_master_key_password"] == lab.description.secrets.sql_master_key


@pytest.mark.parametrize("network", ["10.0.0.0", "127.0.0.5", "here"])
def test_only_loopback_networks(tmp_path, network):
    with pytest.raises(LabError, match="--network"):
        Lab(tmp_path).up(network=network)
