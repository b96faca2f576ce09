"""A lab and the playbooks that are run on it."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from prs_lab.client import Lab

__all__ = ["MARKERS", "MOVED", "ROOT", "Beginning", "Estate", "Run", "make_shares", "share_on_witness", "table_rows"]

ROOT = Path(__file__).resolve().parents[3]
MOVED = ("-e", "prs_backup_accept_unhealthy=true")
"""For backups of a copy at other addresses: its certificates do not bear them, so the page is refused."""
MARKERS = [f"marker {number}" for number in range(1, 8)]
_networks = (f"127.{80 + os.getpid() % 70}.{number}.0" for number in itertools.count(1))  # two runs at once keep apart


@dataclass(kw_only=True)
class Run:
    """What a run of ansible-playbook came to."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        return sum(int(number) for number in re.findall(r" changed=(\d+) ", self.output))

    @property
    def messages(self) -> list[str]:
        """What ansible said of hosts that failed or could not be reached, where it was not ignored: `host: message`
        each.
        """
        said = re.findall(
            r'^fatal: \[([^\]]+)\].*?"msg": "((?:[^"\\]|\\.)*)".*$(?!\n\.\.\.ignoring)', self.output, re.MULTILINE
        )
        return [f"{host}: {json.loads(chr(34) + message + chr(34))}" for host, message in said]

    @property
    def failures(self) -> str:
        """All of them, one after the other."""
        return "\n".join(self.messages)


def table_rows(run: Run) -> list[tuple[str, str, str, str]]:
    """(state, what, where, found) of the rows of verify_prs' table, what is told over several lines joined."""
    found: list[list[str]] = []
    for line in run.output.splitlines():
        cells = [cell.strip() for cell in line.removesuffix(" |").split(" | ")]
        if cells[0] in ("ok", "WARN", "FAIL") and len(cells) > 3:
            found.append(cells[:4])
        elif found and len(cells) > 3 and not any(cells[:3]):
            found[-1][3] += f" {cells[3]}"
    return [tuple(row) for row in found]


class Estate:
    """A running lab with the playbooks at hand."""

    def __init__(self, state: Path) -> None:
        self.lab = Lab(state)

    def up(self, estate: str = "default", *, network: str = "") -> None:
        self.lab.up(estate=estate, network=network or next(_networks))

    @property
    def network(self) -> str:
        """Where its hosts have their addresses. Certificates bear them, so a copy that is to need no new ones goes
        there as well.
        """
        return f"{self.lab.description.in_group('prs_web')[0].address.rpartition('.')[0]}.0"

    def play(
        self,
        name: str,
        *arguments: str,
        environment: dict[str, str] | None = None,
        ansible: str = "",
        inventory: str = "",
    ) -> Run:
        """Run prs.recovery.NAME on the lab's (or another) inventory; `ansible`: the ansible-playbook to use (default:
        the one beside this Python).
        """
        return self._run(
            f"prs.recovery.{name}", *arguments, environment=environment, ansible=ansible, inventory=inventory
        )

    def play_file(
        self,
        file: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
        ansible: str = "",
        inventory: str = "",
    ) -> Run:
        """The same for a playbook that lies somewhere."""
        return self._run(str(file), *arguments, environment=environment, ansible=ansible, inventory=inventory)

    def task(self, host: str, module: str, **arguments: object) -> None:
        """What somebody else does on a host: one module, as ansible runs it."""
        play = [{"hosts": host, "gather_facts": False, "tasks": [{module: arguments}]}]
        file = self.lab.state_dir / "task.json"
        file.write_text(json.dumps(play), encoding="utf-8")
        run = self.play_file(file)
        assert run.code == 0, run.output

    def _run(
        self, playbook: str, *arguments: str, environment: dict[str, str] | None, ansible: str = "", inventory: str = ""
    ) -> Run:
        tool = ansible or str(Path(sys.executable).parent / "ansible-playbook")
        command = [tool, "-i", inventory or str(self.lab.state_dir / "inventory"), playbook, *arguments]
        settings = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_HOME": str(self.lab.state_dir / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            **(environment or {}),
        }
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(code=done.returncode, output=done.stdout + done.stderr)

    def labels(self) -> list[str]:
        """The marker rows that the page shows."""
        return [row["label"] for row in self.lab.page().rows]

    def lose_site_a(self) -> None:
        for host in ("web-a", "sql-a"):
            self.lab.wipe(host)


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """The state of a lab (stopped) on which PRS was installed, used and backed up, and what ansible said meanwhile, by
    playbook.
    """

    state: Path
    said: dict[str, str]


def share_on_witness(estate: Estate, name: str) -> str:
    """A place that is not the share of the backups, where everybody may write."""
    folder = rf"C:\{name}"
    estate.task("witness", "ansible.windows.win_file", path=folder, state="directory")
    estate.task("witness", "ansible.windows.win_share", name=name, path=folder, full="Everyone")
    estate.task(
        "witness",
        "ansible.windows.win_acl",
        path=folder,
        user="Everyone",
        rights="Modify",
        type="allow",
        state="present",
    )
    return rf"\\witness.prslab.test\{name}"


def make_shares(estate: Estate, readers: dict[str, list[str]], *, host: str = "files") -> dict[str, str]:
    """Shares on a server, each for administrators and some accounts alone; their paths by name."""
    tasks = []
    for name, accounts in readers.items():
        folder = rf"C:\Shares\{name}"
        tasks += [
            {"ansible.windows.win_file": {"path": folder, "state": "directory"}},
            {"ansible.windows.win_share": {"name": name, "path": folder, "full": "Everyone"}},
            *(
                {"ansible.windows.win_acl": {"path": folder, "user": account, "rights": "Modify", "type": "allow"}}
                for account in ("S-1-5-32-544", *accounts)
            ),
            {"ansible.windows.win_acl_inheritance": {"path": folder, "state": "absent"}},
        ]
    file = estate.lab.state_dir / "shares.json"
    file.write_text(json.dumps([{"hosts": host, "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    run = estate.play_file(file)
    assert run.code == 0, run.output
    return {name: rf"\\{host}.prslab.test\{name}" for name in readers}
