#!/usr/bin/env python3
"""Run every stage of the tests, print each stage's seconds, and end with one line that says how it went.

Four stages run at a time, the long ones first; what a stage prints appears when it ends.

    run.py [--nightly] [--only STAGE[,STAGE...]]

Labs that a stage starts hand in what they were asked to build/records; the last stage, `honesty`, fails when a lab was
asked something that it does not model, and gives every recorded T-SQL text to Microsoft's parser. Logs stay in
build/test-logs.

One or two tests of a stage that fail are run once more, alone; what passes then is named at the end as shaky, and is to
be mended. The nightly run gives no second chance.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
RECORDS = BUILD / "records"
PYTHON = sys.executable
BIN = Path(PYTHON).parent
ENVIRONMENT = {
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    "ANSIBLE_HOME": str(BUILD / "ansible"),
    "PYTHONPYCACHEPREFIX": str(BUILD / "pycache"),
    "PYTHONDONTWRITEBYTECODE": "",  # containers often set it, and then every process compiles all of its files anew
}
LAST_FAILED = Path("v/cache/lastfailed")
TESTS_FAILED = 1  # pytest's exit code; any other is no matter of chance
SECOND_CHANCES = 2
HAND_IN = {"PRS_LAB_RECORDS": str(RECORDS)}  # where a lab leaves a copy of its record when it ends


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a stage runs: where it prints to, whether it has the whole night, and the tests in it that passed only when
    they were run again.
    """

    out: TextIO
    nightly: bool
    shaky: list[str]

    def run(self, *command: str | Path, **environment: str) -> int:
        """The exit code of a command, whose output goes where the stage's does."""
        print(f"    $ {' '.join(map(str, command))}", file=self.out, flush=True)
        return subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, **environment},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=self.out,
            stderr=subprocess.STDOUT,
        ).returncode

    def pytest(self, *arguments: str | Path, marks: str = "", **environment: str) -> int:
        wanted = [*([marks] if marks else []), *([] if self.nightly else ["not nightly"])]
        chosen = ["-m", " and ".join(wanted)] if wanted else []
        profile = "nightly" if self.nightly else "default"
        cache = Path(self.out.name).with_suffix(".cache")
        shutil.rmtree(cache, ignore_errors=True)
        command = (
            PYTHON,
            "-m",
            "pytest",
            "-q",
            "--durations=15",
            "--durations-min=5",
            "-o",
            f"cache_dir={cache}",
            *chosen,
            *arguments,
        )
        code = self.run(*command, HYPOTHESIS_PROFILE=profile, **environment)
        failed = (
            list(json.loads((cache / LAST_FAILED).read_text(encoding="utf-8")))
            if (cache / LAST_FAILED).exists()
            else []
        )
        if code != TESTS_FAILED or self.nightly or len(failed) > SECOND_CHANCES:
            return code
        code = self.run(*command, "--last-failed", HYPOTHESIS_PROFILE=profile, **environment)
        self.shaky.extend(failed if code == 0 else [])
        return code


Stage = Callable[[Setting], int]


def lint(setting: Setting) -> int:
    return (
        setting.run(BIN / "ruff", "check", "--no-cache")
        or setting.run(BIN / "ruff", "format", "--no-cache", "--check")
        or setting.run(BIN / "yamllint", "--strict", ".")
        or setting.run(BIN / "ansible-lint", "--offline", "--profile", "production", "--strict")
        or setting.run(BIN / "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".")
    )


def unit(setting: Setting) -> int:
    return setting.pytest("tests/unit")


def lab(setting: Setting) -> int:
    """The twins alone. They are asked nonsense on purpose here, so nothing is handed in."""
    return setting.pytest("tests/lab/tests")


def sql(setting: Setting) -> int:
    """Modules that ask SQL Server, beside those of Windows: in one stage they would be what everybody waits for."""
    return setting.pytest("tests/integration/sql", **HAND_IN)


def modules(setting: Setting) -> int:
    folders = (f"tests/integration/{name}" for name in ("winrm", "scripts", "modules"))
    return setting.pytest(*folders, marks="not pwsh and not winpwsh", **HAND_IN)


def powershell(setting: Setting) -> int:
    """The real scripts, in a real PowerShell where one is at hand. By day those of the verbs; the roles' scripts, each in a
    process of its own, and PowerShell for Windows under Wine have their own target and the night.
    """
    if not shutil.which("pwsh"):
        print("    NOT RUN: there is no pwsh on PATH, so only models answered for the scripts", file=setting.out)
        return 0
    verbs = "tests/integration/winrm/test_verbs_contract.py"
    if not setting.nightly and not os.environ.get("PRS_ALL_SCRIPTS"):
        return setting.pytest(verbs, marks="pwsh")
    if not shutil.which("winpwsh"):
        print("    NOT RUN: there is no winpwsh on PATH, so nothing of it ran under Windows' API", file=setting.out)
    folders = ("tests/integration/scripts", "tests/integration/modules")
    return setting.pytest(verbs, *folders, marks="(pwsh or winpwsh)")


PLAYBOOKS = "tests/integration/playbooks"
SITES = sorted(
    str(path.relative_to(ROOT))
    for subject in ("failover", "lost_site", "mirror", "returned_site", "standby")
    for path in (ROOT / PLAYBOOKS).glob(f"test_{subject}*.py")
)
"""What takes two sites; a stage of its own, as all playbooks in one would be the lane that everybody waits for."""


def playbooks(setting: Setting) -> int:
    return setting.pytest(PLAYBOOKS, *(f"--ignore={path}" for path in SITES), **HAND_IN)


def sites(setting: Setting) -> int:
    return setting.pytest(*SITES, **HAND_IN)


def awx(setting: Setting) -> int:
    """AWX's real modules against a stand-in of its API, and the execution environment."""
    return setting.pytest("tests/integration/awx")


def sanity(setting: Setting) -> int:
    return setting.run("sh", "tests/tools/sanity.sh", PYTHON)


def molecule(setting: Setting) -> int:
    return setting.run(BIN / "molecule", "test", "-s", "default", MOLECULE_GLOB="molecule/*/molecule.yml", **HAND_IN)


def honesty(setting: Setting) -> int:
    """What all labs of this run were asked: nothing may be unmodelled, and Microsoft's parser takes every T-SQL text."""
    records = sorted(RECORDS.glob("*.jsonl"))
    if not records:
        print("    no lab was started, so there is nothing to judge", file=setting.out)
        return 1
    asked = [json.loads(line) for record in records for line in record.read_text(encoding="utf-8").split("\n") if line]
    unmodelled = [entry for entry in asked if entry["kind"] == "unmodelled"]
    for entry in unmodelled:
        print(f"    NOT MODELLED on {entry['host']}: {entry['what']} {entry['detail'][:300]}", file=setting.out)
    print(
        f"    {len(asked)} requests to {len(records)} labs, {len(unmodelled)} not modelled",
        file=setting.out,
        flush=True,
    )
    return setting.run(PYTHON, "tests/tools/judge_tsql.py", *records) or int(bool(unmodelled))


STAGES: dict[str, Stage] = {
    stage.__name__: stage
    for stage in (playbooks, sql, unit, sites, modules, sanity, lab, awx, molecule, lint, powershell)
}
"""The long ones first, so that all lanes end at about the same time. `honesty` comes after all of them."""

AT_ONCE = 4
"""Made for two cores: with three stages at a time a third of both lay idle, as much of what a stage takes is waiting, for
processes that start and hosts that restart."""


def perform(name: str, *, nightly: bool, shaky: list[str]) -> tuple[int, float]:
    """Run one stage; returns its exit code and seconds, and prints what it said as one piece. Adds its shaky tests."""
    log = BUILD / "test-logs" / f"{name}.log"
    begin = time.monotonic()
    with log.open("w", encoding="utf-8") as out:
        code = {**STAGES, "honesty": honesty}[name](Setting(out=out, nightly=nightly, shaky=shaky))
    seconds = time.monotonic() - begin
    print(
        f"\n=== {name}: {'ok' if code == 0 else 'FAILED'} in {seconds:.1f} "
        f"s\n{log.read_text(encoding='utf-8', errors='replace')}",
        flush=True,
    )
    return code, seconds


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--nightly", action="store_true", help="long hauls too")
    arguments.add_argument("--only", default="", help=f"stages, of: {', '.join([*STAGES, 'honesty'])}")
    options = arguments.parse_args()
    chosen = options.only.split(",") if options.only else [*STAGES, "honesty"]
    unknown = sorted(set(chosen) - {*STAGES, "honesty"})
    if unknown:
        arguments.error(f"no such stage: {', '.join(unknown)}")
    shutil.rmtree(RECORDS, ignore_errors=True)
    RECORDS.mkdir(parents=True)
    (BUILD / "test-logs").mkdir(exist_ok=True)
    begin, shaky = time.monotonic(), []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as lanes:
        running = {
            name: lanes.submit(perform, name, nightly=options.nightly, shaky=shaky) for name in chosen if name in STAGES
        }
        outcome = {name: stage.result() for name, stage in running.items()}
    if "honesty" in chosen:
        outcome["honesty"] = perform("honesty", nightly=options.nightly, shaky=shaky)
    print()
    for name, (code, seconds) in outcome.items():
        print(f"{'ok    ' if code == 0 else 'FAILED'} {name:12} {seconds:7.1f} s")
    print(f"{'':6} {'together':12} {time.monotonic() - begin:7.1f} s")
    for test in shaky:
        print(f"SHAKY  {test}: failed, and passed when it was run again")
    failed = sum(code != 0 for code, _seconds in outcome.values())
    print(f"stages: {len(outcome) - failed} passed, {failed} failed; {len(shaky)} shaky tests")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
