#!/usr/bin/env python3
"""Try every ansible-core of the supported range with every Python that it runs on and that is at hand here, and with
the oldest and the newest collections; write what came of it to build/matrix.md.

    matrix.py [--only CORE[,CORE...]]

Each cell has a virtual environment of its own (kept in build/matrix) and does what is short and real: the syntax of all
playbooks, the documentation of all modules, and verify_prs and sets_prs on a laboratory that was provisioned and backed
up once. A cell that fails, and a core that no Python is at hand for, fail the command.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "playbooks"))

from playbook_lab import MARKERS, Estate  # noqa: E402

BUILD = ROOT / "build" / "matrix"
PINNED = ROOT / "build" / "collections"
"""For what a package does not bring any more: awx.awx, which only configure_awx needs."""
TABLE = ROOT / "build" / "matrix.md"
CONSTRAINTS = ROOT / "tests" / "constraints"
NAMES = ("ansible/windows", "community/windows", "microsoft/iis", "awx/awx")
PYTHONS = {
    "2.16": (10, 12), "2.17": (10, 12), "2.18": (11, 13), "2.19": (11, 13), "2.20": (12, 14), "2.21": (12, 14),
}  # fmt: skip
"""The first and the last Python 3.x of a control node. Source: ansible-core's support matrix in Ansible's documentation."""
PACKAGES = {"oldest": "12.0.0", "newest": "14.5.0"}
"""The packages `ansible` of PyPI that bring collections: the first with what galaxy.yml asks for, and the last."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    core: str
    python: str
    collections: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """problem: what failed, empty when nothing did."""

    cell: Cell
    seconds: float
    problem: str = ""


def run(*command: str | Path, **environment: str) -> str:
    """What a command says. Raises CalledProcessError when it fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def python_of(version: str) -> str:
    """The path of a Python 3.x; empty where there is none."""
    found = subprocess.run(
        ["sh", ROOT / "tests" / "tools" / "find_python.sh", version], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def bring_collections(name: str) -> Path:
    """A folder with the collections of a package, and with this checkout as prs.recovery beside them."""
    home = BUILD / f"collections-{PACKAGES[name]}"
    if not (home / ".ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            wanted = f"ansible=={PACKAGES[name]}"
            download = (
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--ignore-requires-python",
                "--dest",
                folder,
                wanted,
            )
            run(sys.executable, *download)
            with zipfile.ZipFile(next(Path(folder).glob("ansible-*.whl"))) as wheel:
                prefixes = tuple(f"ansible_collections/{name}/" for name in NAMES)
                wheel.extractall(home, [member for member in wheel.namelist() if member.startswith(prefixes)])
        for lacking in (name for name in NAMES if not (home / "ansible_collections" / name).exists()):
            (home / "ansible_collections" / lacking).parent.mkdir(exist_ok=True)
            (home / "ansible_collections" / lacking).symlink_to(PINNED / "ansible_collections" / lacking)
        (home / "ansible_collections" / "prs").mkdir()
        (home / "ansible_collections" / "prs" / "recovery").symlink_to(ROOT)
        (home / ".ready").touch()
    return home


def versions_in(home: Path) -> str:
    """Of the collections in a folder: ansible.windows 3.2.0, ..."""
    manifests = [(name, home / "ansible_collections" / name / "MANIFEST.json") for name in NAMES]
    read = [(name, json.loads(path.read_text(encoding="utf-8"))) for name, path in manifests]
    return ", ".join(f"{name.replace('/', '.')} {manifest['collection_info']['version']}" for name, manifest in read)


def environment_of(core: str, python: str) -> Path:
    """The folder of the programs of a virtual environment with that core."""
    home = BUILD / f"core-{core}-python-{python}"
    constraints = CONSTRAINTS / f"core-{core}.txt"
    ready = home / ".ready"
    if not ready.exists() or ready.stat().st_mtime < constraints.stat().st_mtime:
        shutil.rmtree(home, ignore_errors=True)
        run(python_of(python), "-m", "venv", home)
        pins = ("-c", CONSTRAINTS / "common.txt", "-c", constraints)
        packages = ("ansible-core", "-r", ROOT / "meta" / "ee-requirements.txt")
        run(home / "bin" / "python", "-m", "pip", "install", "--quiet", *pins, *packages)
        ready.touch()
    return home / "bin"


def try_cell(cell: Cell, estate: Estate) -> Outcome:
    begin = time.monotonic()
    try:
        problem = problem_of(cell, estate)
    except subprocess.CalledProcessError as error:
        problem = f"{Path(error.cmd[0]).name}: {error.output.strip()[-2000:]}"
    return Outcome(cell=cell, seconds=time.monotonic() - begin, problem=problem)


def problem_of(cell: Cell, estate: Estate) -> str:
    tools = environment_of(cell.core, cell.python)
    home = str(bring_collections(cell.collections))
    settings = {"ANSIBLE_COLLECTIONS_PATH": home, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    inventory = estate.lab.state_dir / "inventory"
    playbooks = sorted((ROOT / "playbooks").glob("*.yml"))
    run(tools / "ansible-playbook", "-i", inventory, "--syntax-check", *playbooks, **settings)
    modules = [f"prs.recovery.{path.stem}" for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))]
    documented = json.loads(run(tools / "ansible-doc", "--json", "-t", "module", *modules, **settings))
    if missing := set(modules) - set(documented):
        return f"no documentation of {', '.join(sorted(missing))}"
    for name in ("sets_prs", "verify_prs"):
        played = estate.play(name, ansible=str(tools / "ansible-playbook"), environment=settings)
        if played.code:
            return f"{name}: {played.failures or played.output[-2000:]}"
        if warning := re.search(
            r"^\[DEPRECATION WARNING\].*|.*does not support Ansible version.*", played.output, re.MULTILINE
        ):
            return f"{name}: {warning[0]}"
    return ""


def cells(cores: list[str]) -> Iterator[Cell]:
    for core in cores:
        first, last = PYTHONS[core]
        for minor in range(max(first, 11), last + 1):
            if python_of(f"3.{minor}"):
                yield from (Cell(core=core, python=f"3.{minor}", collections=name) for name in PACKAGES)


def lab(state: Path) -> Estate:
    """An estate of one site, provisioned and backed up, with the tests' own ansible-core."""
    estate = Estate(state)
    estate.up("single")
    for name in ("provision_prs", "backup_prs"):
        played = estate.play(name)
        if played.code:
            raise SystemExit(f"{name} failed: {played.output[-3000:]}")
        if name == "provision_prs":
            estate.lab.wizard()
            estate.lab.mark(MARKERS)
    return estate


def table(outcomes: list[Outcome]) -> str:
    lines = ["| ansible-core | Python | collections | outcome | seconds |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        cell = outcome.cell
        core = re.findall(r"ansible-core==(\S+)", (CONSTRAINTS / f"core-{cell.core}.txt").read_text(encoding="utf-8"))[
            0
        ]
        said = " ".join(outcome.problem.split())[:300].replace("|", "\\|") or "ok"
        lines.append(f"| {core} | {cell.python} | {cell.collections} | {said} | {outcome.seconds:.0f} |")
    lines.append("")
    lines += [
        f"{name}: {versions_in(bring_collections(name))} (package ansible {PACKAGES[name]})  " for name in PACKAGES
    ]
    absent = [f"3.{minor}" for minor in range(11, 15) if not python_of(f"3.{minor}")]
    lines += [f"Pythons that are not at hand here: {', '.join(absent) or 'none'}."]
    return "\n".join(lines) + "\n"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--only", default="", help=f"some of {', '.join(PYTHONS)}")
    options = arguments.parse_args()
    cores = options.only.split(",") if options.only else list(PYTHONS)
    wanted = list(cells(cores))
    untried = sorted(set(cores) - {cell.core for cell in wanted})
    BUILD.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="prs-matrix-") as folder:
        estate = lab(Path(folder) / "lab")
        try:
            for cell in wanted:
                outcomes.append(try_cell(cell, estate))
                print(table(outcomes).splitlines()[len(outcomes) + 1], flush=True)
                TABLE.write_text(table(outcomes), encoding="utf-8")
        finally:
            estate.lab.down()
    print(TABLE)
    for core in untried:
        print(f"ansible-core {core} was not tried: no Python is at hand that it runs on")
    return int(bool(untried) or any(outcome.problem for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
