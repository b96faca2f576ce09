"""The example inventories as Ansible reads them, once the certificates are where they belong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HOSTS = {"two_sites": {"web-a", "sql-a", "web-b", "sql-b", "witness", "files"}, "single_server": {"prs", "files"}}
# What is kept there: text that is no inventory, bytes with line breaks, which would become hosts, a vault that nothing
# opens, tasks, a configuration.
KEPT = {
    "ca.pem": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "site.pfx": b"0\x82\x0b\x05\x02\x01\x030\n\x80\x0b\n[web]\nx y z\n\xff\xfe",
    "sql-a.pfx": b"$ANSIBLE_VAULT;1.1;AES256\n3132\n",
    "lead-name.yml": b"- name: Lead the name\n  ansible.builtin.debug:\n",
    "drill-database.config": b"<database/>\n",
}


def run(folder: Path, tool: str, *arguments: str) -> tuple[str, str]:
    """Output and what was said beside it, with no configuration but Ansible's own."""
    (folder / "ansible.cfg").touch()
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [Path(sys.executable).parent / tool, "-i", "inventory", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, done.stderr


@pytest.mark.parametrize("example", HOSTS)
def test_files_that_lie_where_the_inventory_says_are_not_read_as_inventories(example: str, tmp_path: Path):
    shutil.copytree(ROOT / "inventory.example" / example, tmp_path / "inventory")
    said, _ = run(tmp_path, "ansible", "files", "-m", "ansible.builtin.debug", "-a", "var=prs_files")
    place = Path(re.findall(r'"prs_files": "(.*)"', said)[0])
    assert place.resolve().is_relative_to(tmp_path), "the whole estate is one folder"
    place.mkdir()
    for name, data in KEPT.items():
        (place / name).write_bytes(data)
    listed, warnings = run(tmp_path, "ansible-inventory", "--list")
    assert warnings == ""
    assert set(json.loads(listed)["_meta"]["hostvars"]) == HOSTS[example]
