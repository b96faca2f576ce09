"""Modules come in a zip: their files are found there, and each is compiled when it is new."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

ROOT = Path(__file__).resolve().parents[4]
PACKAGE = "ansible_collections.prs.recovery.plugins.module_utils"
COUNTING = """
import builtins, collections, sys
sys.path.insert(0, sys.argv[1])
compiled = collections.Counter()
compile_source = compile

def counting(source, path, *rest, **more):
    compiled[str(path).rpartition("module_utils/")[2]] += 1
    return compile_source(source, path, *rest, **more)

builtins.compile = counting
from {package}._compile_once import compile_once
compile_once()
from {package}._core import outer
from {package}._core.deep.inner import WHERE, fails
from {package}._core.deep import inner
assert outer.INNER == WHERE and inner.WHERE == WHERE
assert inner.__name__ == "{package}._core.deep.inner" and inner.__package__ == "{package}._core.deep"
try:
    from {package}._core import missing
except ImportError:
    pass
import traceback
try:
    fails()
except ValueError:
    assert "raise ValueError" in traceback.format_exc(), traceback.format_exc()
print({{name: count for name, count in compiled.items() if "_core" in name and "__init__" not in name}}, WHERE)
"""
BOTH = {"_core/outer.py": 1, "_core/deep/inner.py": 1}


def zipped(folder: Path, where: str) -> Path:
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
        inner = f"WHERE = {where!r}\ndef fails():\n    raise ValueError"
        payload.writestr(f"{place}/_core/deep/inner.py", inner)
    return made


def compiled(folder: Path, where: str = "in the zip") -> dict[str, int]:
    """Which files a new process compiles. Its cache lies below the folder."""
    command = [sys.executable, "-I", "-c", COUNTING.format(package=PACKAGE), zipped(folder, where)]
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder), "PATH": ""}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    counts, _brace, answer = output.rpartition("}")
    assert answer.strip() == where
    return ast.literal_eval(counts + "}")


def cache_files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "cache").rglob("*") if path.is_file())


def test_a_file_is_compiled_when_it_is_new_or_another(tmp_path: Path) -> None:
    assert compiled(tmp_path) == BOTH
    assert compiled(tmp_path) == {}
    assert compiled(tmp_path, "in a newer zip") == {"_core/deep/inner.py": 1}
    assert compiled(tmp_path, "in a newer zip") == {}
    assert {path.suffix for path in cache_files(tmp_path)} == {".pyc"}


@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "cut off"])
def test_a_cache_that_is_damaged_is_as_good_as_none(tmp_path: Path, content: bytes | None) -> None:
    compiled(tmp_path)
    for path in cache_files(tmp_path):
        path.write_bytes(path.read_bytes()[:-5] if content is None else content)
    assert compiled(tmp_path) == BOTH
    assert compiled(tmp_path) == {}


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    compiled(tmp_path)
    (folder,) = {path.parent for path in cache_files(tmp_path)}
    folder.chmod(0o777)
    assert compiled(tmp_path) == BOTH


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    compiled(tmp_path)
    path = next(path for path in cache_files(tmp_path) if "inner" in path.name)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert compiled(tmp_path) == {"_core/deep/inner.py": 1}


def test_without_a_place_for_a_cache_everything_works(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder", encoding="utf-8")
    assert compiled(tmp_path) == BOTH == compiled(tmp_path)


INSTALLED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
from {package} import _compile_once
_compile_once.compile_files_once()
import builtins, traceback
compile_source, compiled = compile, []
builtins.compile = lambda source, path, *rest, **more: compiled.append(path) or compile_source(source, path, *rest, **more)
from {package}._core.deep.inner import WHERE, fails
from {package}._core import outer
try:
    fails()
except ValueError:
    assert "raise ValueError" in traceback.format_exc(), traceback.format_exc()
names = {{str(path).rpartition("/")[2] for path in compiled}}
print(sorted(names & {{"inner.py", "outer.py"}}), WHERE == outer.INNER)
"""


def test_installed_files_are_compiled_once_where_python_may_not_keep_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(zipped(tmp_path, "here")) as payload:
        payload.extractall(tmp_path / "installed")
    command = [sys.executable, "-I", "-B", "-c", INSTALLED.format(package=PACKAGE), tmp_path / "installed"]
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path), "PATH": ""}

    def run() -> str:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert run() == "['inner.py', 'outer.py'] True"
    assert run() == "[] True"
    inner = tmp_path / "installed" / PACKAGE.replace(".", "/") / "_core/deep/inner.py"
    inner.write_text(inner.read_text(encoding="utf-8").replace("'here'", "'there'"), encoding="utf-8")
    assert run() == "['inner.py'] True"
    assert not list((tmp_path / "installed").rglob("*.pyc"))


def test_elsewhere_it_changes_nothing() -> None:
    before = list(sys.meta_path)
    compile_once()
    assert sys.meta_path == before


@pytest.mark.parametrize("module", sorted((ROOT / "plugins" / "modules").glob("*.py")), ids=lambda module: module.stem)
def test_every_module_begins_with_it(module: Path) -> None:
    lines = module.read_text(encoding="utf-8").splitlines()
    ours = [line for line in lines if line.startswith((f"from {PACKAGE}", "compile_once()"))]
    assert ours == [] or ours[:2] == [f"from {PACKAGE}._compile_once import compile_once", "compile_once()"]
