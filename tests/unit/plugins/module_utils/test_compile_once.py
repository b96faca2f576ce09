"""Modules come in a zip: their files are found there, and each is compiled once."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

ROOT = Path(__file__).resolve().parents[4]
PACKAGE = "ansible_collections.prs.recovery.plugins.module_utils"
COUNTING = """
import collections, sys, zipimport
sys.path.insert(0, sys.argv[1])
compiled = collections.Counter()
compile_source = zipimport._compile_source

def counting(path, source):
    compiled[path.rpartition("module_utils/")[2]] += 1
    return compile_source(path, source)

zipimport._compile_source = counting
if sys.argv[2] == "once":
    from {package}._compile_once import compile_once
    compile_once()
from {package}._core import outer
from {package}._core.deep.inner import WHERE
from {package}._core.deep import inner
assert outer.INNER == "in the zip" == WHERE and inner.WHERE == WHERE
assert inner.__name__ == "{package}._core.deep.inner" and inner.__package__ == "{package}._core.deep"
try:
    from {package}._core import missing
except ImportError:
    print({{name: count for name, count in compiled.items() if "_core" in name and "__init__" not in name}})
"""


def zipped(folder: Path) -> Path:
    """As ansible packs them: packages are empty files __init__.py."""
    made = folder / "payload.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as payload:
        parts = PACKAGE.split(".")
        for depth in range(1, len(parts) + 1):
            payload.writestr("/".join([*parts[:depth], "__init__.py"]), "")
        place = PACKAGE.replace(".", "/")
        payload.write(ROOT / "plugins" / "module_utils" / "_compile_once.py", f"{place}/_compile_once.py")
        payload.writestr(f"{place}/_core/__init__.py", "")
        payload.writestr(f"{place}/_core/outer.py", "from .deep.inner import WHERE as INNER")
        payload.writestr(f"{place}/_core/deep/__init__.py", "")
        payload.writestr(f"{place}/_core/deep/inner.py", "WHERE = 'in the zip'")
    return made


def compiled(folder: Path, how: str) -> dict[str, int]:
    command = [sys.executable, "-I", "-c", COUNTING.format(package=PACKAGE), zipped(folder), how]
    return eval(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_each_file_is_compiled_once(tmp_path: Path) -> None:
    assert compiled(tmp_path, "once") == {"_core/outer.py": 1, "_core/deep/inner.py": 1}


def test_elsewhere_it_changes_nothing() -> None:
    before = list(sys.meta_path)
    compile_once()
    assert sys.meta_path == before


@pytest.mark.parametrize("module", sorted((ROOT / "plugins" / "modules").glob("*.py")), ids=lambda module: module.stem)
def test_every_module_begins_with_it(module: Path) -> None:
    lines = module.read_text(encoding="utf-8").splitlines()
    ours = [line for line in lines if line.startswith((f"from {PACKAGE}", "compile_once()"))]
    assert ours == [] or ours[:2] == [f"from {PACKAGE}._compile_once import compile_once", "compile_once()"]
