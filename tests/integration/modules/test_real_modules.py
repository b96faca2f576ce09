"""Ansible's own modules for Windows and the twin, given the same cases: module_cases.py.

The twin answers always. Where a PowerShell for Windows is that runs under Wine (`winpwsh`, see winrm/benches.py), the
modules of the collections that the tests install run there, on ansible-core's utilities. One thing is changed in those:
no file for a debugger is written beside compiled C#, which Wine cannot do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ansible
import ansible_collections.ansible.windows as ansible_windows
import ansible_collections.community.windows as community_windows
import pytest
from lone_host import Alone
from prs_lab.windows.decode import Job
from prs_lab.windows.dispatch import Dispatcher
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.models import load_models

from .module_cases import CASES, Case

WINPWSH = shutil.which("winpwsh")
DRIVE = Path(os.environ.get("WINEPREFIX", "~/.winps")).expanduser() / "drive_c"
CORE = Path(ansible.__file__).parent / "module_utils"
COLLECTIONS = {
    "ansible.windows": Path(ansible_windows.__path__[0]),
    "community.windows": Path(community_windows.__path__[0]),
}
WITHOUT_PDB = (
    ("$compilation.Emit($code_ms, $pdb_ms)", "$compilation.Emit($code_ms)"),
    ("LoadFromStream($code_ms, $pdb_ms)", "LoadFromStream($code_ms)"),
)
ADDRESS = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250 + 1}.2"
LONGEST = 900  # seconds for all cases together, on a busy machine


def name_of(case: Case) -> str:
    return f"{case.module.rpartition('.')[2]} {case.about}"


def placed(value: Any, root: str) -> Any:
    if isinstance(value, list):
        return [placed(inner, root) for inner in value]
    if isinstance(value, dict):
        return {key: placed(inner, root) for key, inner in value.items()}
    return value.replace("{root}", root) if isinstance(value, str) else value


def arguments_of(case: Case, root: str) -> dict[str, Any]:
    given = {key: placed(value, root) for key, value in case.arguments.items()}
    return {**given, "_ansible_check_mode": case.check, "_ansible_diff": case.diff}


def differences(expected: Any, answer: Any, where: str) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(answer, Mapping):
        for key, value in expected.items():
            yield from differences(value, answer.get(key, "nothing"), f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        for number, value in enumerate(expected):
            yield from differences(value, answer[number], f"{where}[{number}]")
    elif isinstance(expected, re.Pattern):
        if not (isinstance(answer, str) and expected.search(answer)):
            yield f"{where} is {answer!r}, and not like {expected.pattern}"
    elif expected != answer:
        yield f"{where} is {answer!r}, and not {expected!r}"


def check(case: Case, answer: Mapping[str, Any], tree: dict[str, bytes]) -> None:
    expected = {"msg": re.compile(case.error, re.DOTALL), "failed": True} if case.error else {}
    assert not list(differences({**case.result, **expected}, answer, "result"))
    assert bool(answer.get("failed")) is bool(case.error), answer
    assert not set(case.gone) & set(answer)
    if case.after is not None:
        assert tree == case.after


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsHost]:
    load_models()
    estate = Alone()
    host = WindowsHost(
        name="WEB", address=ADDRESS, root=tmp_path_factory.mktemp("twin"), administrator_password="x", record=estate.record, estate=estate,
        directory=estate.domain,
    )  # fmt: skip
    host.power.start()
    yield host
    host.close()


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_twin(twin: WindowsHost, case: Case) -> None:
    root = f"C:\\case{CASES.index(case)}"
    files = twin.files("NT AUTHORITY\\SYSTEM")
    files.make_dir(root)
    for name, data in case.files.items():
        path = f"{root}\\{name}".replace("/", "\\")
        files.make_dir(path.rpartition("\\")[0])
        files.write(path, data)
    dispatcher = Dispatcher(twin)
    caller = dispatcher._caller(twin.accounts.token("Administrator"), {})
    answer = dispatcher._module(
        Job(kind="module", name=case.module, arguments=arguments_of(case, root), legacy=False), caller
    )
    tree = {}
    for path, state in files.walk(root):
        name = path[len(root) + 1 :].replace("\\", "/")
        if not state.is_dir:
            tree[name] = files.read(path)
        elif not files.list(path):
            tree[f"{name}/"] = b""
    check(case, answer, tree)


@pytest.fixture(scope="module")
def real() -> Iterator[dict[str, tuple[dict[str, Any], Path]]]:
    """By name of a case what the module said, and the folder in which it worked."""
    if not DRIVE.is_dir():
        subprocess.run([WINPWSH or "winpwsh", "-NoProfile", "-Command", "exit"], check=True, timeout=LONGEST)
    folder = Path(tempfile.mkdtemp(prefix="prs-modules-", dir=DRIVE))
    try:
        yield dict(zip(map(name_of, CASES), real_answers(folder), strict=True))
    finally:
        shutil.rmtree(folder)


def real_answers(folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    prepare(folder)
    given = []
    for number, case in enumerate(CASES):
        place = folder / f"case{number}"
        place.mkdir()
        for name, data in case.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        root = f"C:\\{folder.name}\\{place.name}"
        given.append({"module": case.module.rpartition(".")[2], "arguments": arguments_of(case, root)})
    (folder / "cases.json").write_text(json.dumps(given))
    place = f"C:\\{folder.name}"
    command = [WINPWSH or "winpwsh", "-NoProfile", "-NonInteractive", "-File", f"{place}\\run_modules.ps1", place]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST)
    answers = (folder / "answers.json").read_text().splitlines() if (folder / "answers.json").exists() else []
    assert len(answers) == len(CASES), (
        f"winpwsh ended with {done.returncode}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    )
    for number, line in enumerate(answers):
        yield json.loads(line), folder / f"case{number}"


def prepare(folder: Path) -> None:
    """The modules, and the utilities that they name, in a folder on drive C:."""
    shutil.copy(Path(__file__).parent / "run_modules.ps1", folder)
    for name in ("Legacy", "Backup", "FileUtil"):
        shutil.copy(CORE / f"powershell/Ansible.ModuleUtils.{name}.psm1", folder / f"{name}.psm1")
    text = (CORE / "powershell/Ansible.ModuleUtils.AddType.psm1").read_text()
    for written, instead in WITHOUT_PDB:
        assert text.count(written) == 1, f"{written} is not once in the text"
        text = text.replace(written, instead)
    (folder / "AddType.psm1").write_text(text)
    shutil.copy(CORE / "csharp/Ansible.Basic.cs", folder / "Basic.cs")
    for name in ("Process.psm1", "Process.cs"):
        shutil.copy(COLLECTIONS["ansible.windows"] / "plugins/module_utils" / name, folder)
    for module in {case.module for case in CASES}:
        collection, _, name = module.rpartition(".")
        shutil.copy(COLLECTIONS[collection] / f"plugins/modules/{name}.ps1", folder)


def tree_of(folder: Path) -> dict[str, bytes]:
    tree = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            tree[name] = path.read_bytes()
        elif not any(path.iterdir()):
            tree[f"{name}/"] = b""
    return tree


@pytest.mark.winpwsh
@pytest.mark.skipif(not WINPWSH, reason="there is no winpwsh on PATH")
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_winpwsh(real: dict[str, tuple[dict[str, Any], Path]], case: Case) -> None:
    if case.not_under_wine:
        pytest.skip(case.not_under_wine)
    answer, folder = real[name_of(case)]
    assert answer["said"], answer["failure"]
    check(case, json.loads(answer["said"]), tree_of(folder))
