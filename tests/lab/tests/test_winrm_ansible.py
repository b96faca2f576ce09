"""Unmodified ansible-core against the Windows twin: NTLM sealed over HTTP, and HTTPS; several versions of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from prs_lab.estate.authority import Authority
from prs_lab.windows.winrm import WinRm, WinRmSettings

from .windows_lab import PASSWORD, Network

PLAYS = Path(__file__).parent / "plays"
ROOT = Path(__file__).parents[3]
BIG = 5 * 1024 * 1024


def ansible_playbook(version: str) -> Path:
    """The tool of a version: the one of this environment, or of `make venv-<version>`."""
    return (
        Path(sys.executable).with_name("ansible-playbook")
        if version == "current"
        else ROOT / "build" / f"venv-{version}" / "bin" / "ansible-playbook"
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Two hosts: `web` talks HTTP, `sql` HTTPS with a certificate for its address."""
    root = tmp_path_factory.mktemp("ansible")
    network = Network(root)
    network.add("WEB", listen=WinRmSettings(), shutdown_limit=0.1)
    sql = network.add("SQL", shutdown_limit=0.1)
    issued = Authority(folder=root / "ca").issue(label="sql", names=("sql.prs.lab", sql.address), password="x")
    key, certificate, _ = pkcs12.load_key_and_certificates(issued.pfx.read_bytes(), b"x")
    assert key is not None and certificate is not None
    (root / "sql.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (root / "sql.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    sql.power.kill()
    sql.network.append(WinRm(sql, WinRmSettings(http_port=None, certificate=root / "sql.pem", key=root / "sql.key")))
    sql.power.start()
    (root / "big.bin").write_bytes(os.urandom(BIG))
    yield network
    network.close()


def run_play(
    network: Network, play: str, version: str, *more: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a playbook on both hosts. The password travels in a file of variables, never on the command line."""
    root = network.root
    common = {
        "ansible_connection": "winrm",
        "ansible_user": "Administrator",
        "ansible_password": PASSWORD,
        "ansible_winrm_transport": "ntlm",
    }
    hosts = {
        "web": {"ansible_host": network.hosts["WEB"].address, "ansible_port": 5985, "ansible_winrm_scheme": "http"},
        "sql": {
            "ansible_host": network.hosts["SQL"].address, "ansible_port": 5986, "ansible_winrm_scheme": "https",
            "ansible_winrm_ca_trust_path": str(root / "ca" / "ca.pem"),
        },
    }  # fmt: skip
    inventory = root / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"windows": {"hosts": hosts, "vars": common}}, allow_unicode=True))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(root / "home"), **settings,
    }  # fmt: skip
    command = [
        str(ansible_playbook(version)),
        "-i",
        str(inventory),
        str(PLAYS / play),
        "-e",
        f"big_file={root}/big.bin workspace={root}",
        *more,
    ]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.parametrize("version", ["current", "2.16", "2.21"])
def test_every_version(network: Network, version: str) -> None:
    if not ansible_playbook(version).exists():
        pytest.skip(f"no ansible-core {version} here: make venv-{version}")
    for host in network.hosts.values():
        host.power.wipe()
    before = network.record.last
    done = run_play(network, "windows_small.yml", version)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("web", "sql"):
        assert (network.root / f"{name}.bin").read_bytes() == (network.root / "big.bin").read_bytes()
    unmodelled = [entry["what"] for entry in network.record.entries("unmodelled", since=before)]
    assert unmodelled == ["module community.windows.win_toast"] * 2
    assert PASSWORD not in done.stdout + done.stderr


def test_more_of_the_current_one(network: Network) -> None:
    """Also as one runs it to look for a defect: very verbose, modules left behind in files."""
    done = run_play(network, "windows_more.yml", "current", "-vvvv", ANSIBLE_KEEP_REMOTE_FILES="1")
    assert done.returncode == 0, done.stdout + done.stderr
    files = network.hosts["WEB"].files("SYSTEM")
    assert files.read("C:\\Tree\\sub\\ü.txt") == b"zwei\n"
    assert files.read("C:\\Tree\\hallo.txt") == "häl\nlo\n".encode()
    assert PASSWORD not in done.stdout + done.stderr


def test_check_mode_changes_nothing(network: Network) -> None:
    def state(name: str) -> dict[str, object]:
        return {key: value for key, value in network.hosts[name].to_state().items() if key != "power"}

    before = {name: state(name) for name in network.hosts}
    done = run_play(network, "windows_check.yml", "current", "--check", "--diff")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"changed=[1-9]", done.stdout)
    assert {name: state(name) for name in network.hosts} == before
