"""The execution environment's definition, given to the real ansible-builder. The image itself is not built: that takes
a registry.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    run(
        BIN / "ansible-builder",
        "create",
        "--file",
        "execution-environment.yml",
        "--context",
        folder,
        "--output-filename",
        "Containerfile",
    )
    return folder


def test_the_base_image_is_an_argument_and_no_registry_is_written_down(context: Path):
    assert re.search(r"^ARG EE_BASE_IMAGE=", (context / "Containerfile").read_text(), re.MULTILINE)
    definition = yaml.safe_load((ROOT / "execution-environment.yml").read_text())
    assert definition["version"] == 3
    assert "images" not in definition
    names = [text for text in _texts(definition) if re.match(r"[a-z0-9-]+(\.[a-z0-9-]+)+/", text)]
    assert names == []


def test_the_collection_is_inside_and_brings_its_requirements(context: Path, tmp_path: Path):
    """What the build does in the image, without the image: install the collection, then gather what it needs."""
    wanted = yaml.safe_load((context / "_build/requirements.yml").read_text())["collections"]
    assert wanted == [{"name": "/build/collection", "type": "dir"}]
    run(
        BIN / "ansible-galaxy",
        "collection",
        "install",
        "--offline",
        "--no-deps",
        "-p",
        tmp_path,
        context / "_build/collection",
        ANSIBLE_COLLECTIONS_PATH=str(tmp_path),
        ANSIBLE_HOME=str(tmp_path / "home"),
    )
    installed = tmp_path / "ansible_collections/prs/recovery"
    names = {
        str(path.relative_to(ROOT))
        for part in ("plugins", "roles", "playbooks", "meta")
        for path in (ROOT / part).rglob("*.*")
        if _ours(path)
    }
    assert names <= {str(path.relative_to(installed)) for path in installed.rglob("*")}

    found = yaml.safe_load(run(BIN / "ansible-builder", "introspect", tmp_path))
    assert found["python"] == [f"{line}  # from collection prs.recovery" for line in _lines("meta/ee-requirements.txt")]
    assert found["system"] == [f"{line}  # from collection prs.recovery" for line in _lines("meta/ee-bindep.txt")]
    assert any(line.startswith("mssql-python-odbc") for line in found["python"]), "Microsoft's driver"


def test_kerberos_is_in_the_image_and_its_compiler_is_not(context: Path):
    """Nobody can run kinit in AWX beforehand. Who installs the collection elsewhere needs no compiler for it."""
    assert "pywinrm[credssp,kerberos]>=0.5.0" in (context / "_build/requirements.txt").read_text().splitlines()
    system = [line.split(" [") for line in (context / "_build/bindep.txt").read_text().splitlines()]
    stays = {name for name, profile in system if "compile" not in profile}
    assert stays == {"krb5-workstation"} and {"gcc", "krb5-devel"} <= {name for name, _profile in system}
    assert not [line for line in _lines("meta/ee-requirements.txt") if "kerberos" in line]


def test_the_collections_own_part_is_a_definition_too(tmp_path: Path):
    run(BIN / "ansible-builder", "create", "--file", "meta/execution-environment.yml", "--context", tmp_path)
    assert [
        line for line in (tmp_path / "_build/requirements.txt").read_text().splitlines() if not line.startswith("#")
    ] == _lines("meta/ee-requirements.txt")
    assert (tmp_path / "_build/bindep.txt").read_text() == (ROOT / "meta/ee-bindep.txt").read_text()


def test_every_collection_that_playbooks_use_comes_along():
    """configure_awx is the exception: it runs where the administrator sits."""
    asked = yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]
    used = set()
    for part in ("roles", "playbooks"):
        for file in (ROOT / part).rglob("*.yml"):
            if "configure_awx" not in str(file):
                used.update(
                    re.findall(
                        r"^\s*-?\s*((?!ansible\.builtin|prs\.recovery)[a-z_]+\.[a-z_]+)\.[a-z_]+:",
                        file.read_text(),
                        re.MULTILINE,
                    )
                )
    assert used
    assert used <= set(asked)


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _ours(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _lines(file: str) -> list[str]:
    return [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith("#")]
