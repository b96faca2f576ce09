"""What a real AWX needs, made once below build/awx: a virtual environment with what its requirements pin, and a copy of its
source. The folder that is given is only read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Environment", "Missing", "prepare"]

ROOT = Path(__file__).parents[2]
DEBIAN = [
    *("postgresql", "redis-server", "git"),
    *("gcc", "pkg-config", "python3-dev", "python3-venv", "libldap-dev", "libsasl2-dev", "libxmlsec1-dev"),
]
PYTHON = "3.11"
"""What AWX 24's image has, and what its pins have wheels for."""
NOT_SERVING = {"cython", "maturin", "pip", "setuptools-rust", "uwsgi", "uwsgitop", "wheel"}
"""What builds AWX's image, and the web server in it."""
RELEASED = {"ansible-runner", "awx-plugins-core", "awx-plugins.interfaces", "certifi", "python3-saml"}
"""What AWX takes from Git although it is on PyPI too."""


class Missing(Exception):
    """What a person has to bring; one sentence."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """python: of the virtual environment; source: AWX's; template: where the database of a fresh AWX is kept."""

    version: str
    python: Path
    source: Path
    template: Path


def prepare(given: Path, build: Path) -> Environment:
    """given: a checkout of AWX. Takes minutes the first time, and no time afterwards."""
    requirements = given / "requirements"
    if not (given / "awx/settings/production.py").is_file() or not (requirements / "requirements.txt").is_file():
        raise Missing(f"{given} is no checkout of AWX: it has no awx/settings and requirements.")
    _run("sh", ROOT / "tests/tools/system_packages.sh", *DEBIAN)
    version = _version(given)
    found = [
        *_pinned(requirements / "requirements.txt"),
        *_from_git(requirements / "requirements_git.txt", given.parent),
    ]
    wanted = "\n".join(map(str, [version, *found]))
    place = build / f"{version}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    environment = Environment(
        version=version, python=place / "venv/bin/python", source=place / "source", template=place / "database"
    )
    if not (place / ".ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        _make_venv(environment, found)
        _copy_source(given, environment)
        (place / ".ready").touch()
    return environment


def _version(given: Path) -> str:
    """Of a file VERSION, as a release has it, of Git, or of the folder's name."""
    if (given / "VERSION").is_file():
        return (given / "VERSION").read_text(encoding="utf-8").strip()
    tag = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", given, "describe", "--tags"],
        capture_output=True,
        text=True,
        check=False,
    )
    named = re.search(r"\d+\.\d+\.\d+", tag.stdout if (given / ".git").exists() else given.name)
    if not named:
        raise Missing(f"Which AWX is in {given}? Write its version into a file VERSION there.")
    return named[0]


def _pinned(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        name, pinned, _version = line.partition("==")
        if pinned and not line.startswith((" ", "#")) and name not in NOT_SERVING:
            yield line


def _from_git(file: Path, beside: Path) -> Iterator[str | Path]:
    """A checkout that lies beside AWX's, or what PyPI has."""
    for line in file.read_text(encoding="utf-8").splitlines():
        address = re.search(r"git\+(\S*/([\w.-]+?))(?:\.git)?(?:@[\w.-]+)?(?:#|$)", line)
        if line.startswith("#") or not address:
            continue
        egg = re.search(r"egg=([\w.-]+)", line)
        name = egg[1] if egg else re.split(r"[ @\[]", line)[0].replace("_", "-")
        if (beside / address[2]).is_dir():
            yield beside / address[2]
        elif name in RELEASED:
            yield name
        else:
            raise Missing(
                f"AWX takes {name} from Git: put a checkout of {address[1]} of the time of this AWX into "
                f"{beside / address[2]}."
            )


def _make_venv(environment: Environment, found: list[str | Path]) -> None:
    print(f"making an environment for AWX {environment.version} in {environment.python.parents[1]}", flush=True)
    python = subprocess.run(
        ["sh", ROOT / "tests/tools/find_python.sh", PYTHON], capture_output=True, text=True, check=False
    ).stdout.strip()
    if not python:
        raise Missing(f"AWX needs Python {PYTHON}, which is not on this machine.")
    _run(python, "-m", "venv", environment.python.parents[1])
    pins = [one for one in found if isinstance(one, str)]
    _pip(environment, "--no-deps", *pins)  # the pins are complete
    with tempfile.TemporaryDirectory() as folder:
        for checkout in found:
            if isinstance(checkout, Path):
                copy = Path(folder, checkout.name)
                shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(".git"))
                _pip(environment, "--no-deps", copy)


def _pip(environment: Environment, *what: str | Path) -> None:
    _run(environment.python, "-m", "pip", "install", "--quiet", *what)


def _copy_source(given: Path, environment: Environment) -> None:
    """As a release has it: devonly.py would make it a development server, with packages of its own."""
    ignored = shutil.ignore_patterns("devonly.py", "node_modules", "tests", "__pycache__")
    shutil.copytree(given / "awx", environment.source / "awx", ignore=ignored, symlinks=True)
    (environment.source / "VERSION").write_text(environment.version, encoding="utf-8")


def _run(*command: str | Path) -> None:
    # Checkouts have no tags here, by which setuptools-scm would find their version.
    variables = {**os.environ, "SETUPTOOLS_SCM_PRETEND_VERSION": "0.0.1"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise Missing(f"This failed: {' '.join(map(str, command))[:300]}\n{end}")
