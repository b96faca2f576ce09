"""Running the collection's playbooks on a lab, and what of their output is worth telling a person."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

__all__ = ["CLONE", "PlaybookFailed", "PlaybookRun", "Playbooks", "worth_telling"]

CLONE = Path(__file__).resolve().parents[4]
_RECAP = re.compile(
    r"^(?P<host>\S+)\s+: ok=\d+\s+changed=(?P<changed>\d+)\s+unreachable=(?P<unreachable>\d+)\s+failed=(?P<failed>\d+)",
    re.M,
)

_STEP = re.compile(r"\d+ of \d+, \S+: .* %$")
"""What a run says when a step of its plan begins."""


class PlaybookFailed(Exception):
    """A run failed; the text says which, and where its whole output lies. ``reasons``: what Ansible said of hosts."""

    def __init__(self, text: str, reasons: Iterable[str] = ()) -> None:
        self.reasons = list(reasons)
        super().__init__(text)


@dataclass(frozen=True, kw_only=True)
class PlaybookRun:
    """What a run did: seconds, tasks as ansible headed them, changes summed over all hosts."""

    seconds: float
    tasks: int
    changed: int


@dataclass(kw_only=True)
class Playbooks:
    """``prs.recovery`` of this clone on one inventory. ``logs`` gets what each run printed, ``reports`` its report."""

    inventory: Path
    logs: Path
    reports: Path

    def play(self, name: str, *arguments: str, label: str = "") -> PlaybookRun:
        """Runs prs.recovery.NAME, saying meanwhile what is worth it. ``label``: of its files. Raises PlaybookFailed."""
        label = label or name
        report = self.reports / f"{label}.html"
        command = [*arguments, "-e", f"prs_report_path={report}"]
        return self._run(["ansible-playbook", "-i", str(self.inventory), f"prs.recovery.{name}", *command], label)

    def module(self, host: str, module: str, **arguments: object) -> None:
        """Runs one of Ansible's modules on a host, as somebody else would. Raises PlaybookFailed."""
        command = ["ansible", "-i", str(self.inventory), host, "-m", module, "-a", json.dumps(arguments)]
        tool = [str(Path(sys.executable).parent / command[0]), *command[1:]]
        done = subprocess.run(tool, cwd=CLONE, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise PlaybookFailed(f"{module} on {host} failed: {done.stdout[-2000:]}{done.stderr[-500:]}")

    def report_of(self, label: str) -> Path:
        return self.reports / f"{label}.html"

    def _run(self, command: list[str], label: str) -> PlaybookRun:
        log = self.logs / f"{label}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        with (
            log.open("w", encoding="utf-8") as copy,
            subprocess.Popen(
                [str(Path(sys.executable).parent / command[0]), *command[1:]],
                cwd=CLONE,
                env=_environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
            ) as process,
        ):
            for told in worth_telling(_copied(process.stdout or [], copy)):
                print(f"    {told[:400]}", flush=True)
        text = log.read_text(encoding="utf-8")
        hosts = list(_RECAP.finditer(text))
        if process.returncode or not hosts or any(int(host["failed"]) or int(host["unreachable"]) for host in hosts):
            reasons = re.findall(r'^fatal: \[[^\]]+\].*?"msg": "((?:[^"\\]|\\.)*)"', text, re.MULTILINE)
            raise PlaybookFailed(
                f"{label} failed with exit code {process.returncode}; all that it printed is in {log}", reasons
            )
        return PlaybookRun(
            seconds=time.monotonic() - begin,
            tasks=len(re.findall(r"^TASK \[", text, re.M)),
            changed=sum(int(host["changed"]) for host in hosts),
        )


def worth_telling(lines: Iterable[str]) -> Iterator[str]:
    """Of what ansible-playbook prints: the plays in which something is done, what their tasks say to a person, and what
    fails.
    """
    play, in_list = "", False
    for line in lines:
        text = line.strip()
        if line.startswith("PLAY ["):
            play = line[len("PLAY ") :].rstrip("* ")
        elif line.startswith("TASK [") and play:
            yield play
            play = ""
        elif line.startswith(("fatal:", "ERROR", "[ERROR]")) or _STEP.match(line):
            yield line
        elif text == '"msg": [':
            in_list = True
        elif in_list and text.startswith("]"):
            in_list = False
        elif in_list or (text.startswith('"msg": "') and not text.startswith('"msg": "The arg spec validation passed')):
            yield f"  {_said(text)}"


def _said(text: str) -> str:
    """The sentence in a line of JSON."""
    try:
        return str(json.loads(text.removeprefix('"msg": ').rstrip(",")))
    except ValueError:
        return text


def _copied(lines: Iterable[str], copy: TextIO) -> Iterator[str]:
    for line in lines:
        copy.write(line)
        yield line.rstrip()


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(CLONE / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(CLONE / "build" / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
