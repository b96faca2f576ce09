"""The scripts behind `make`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from backup_file_builder import BackupSet, build, chain, numbered_guid
from bench_table import BEGIN, END, ROWS, with_table
from prs_lab.rehearsal.playbooks import worth_telling
from real_backups import main as real_backups

ROOT = Path(__file__).resolve().parents[2]


def test_the_matrix_has_every_core_that_the_collection_supports():
    """From the oldest of meta/runtime.yml to the newest of README.md, each with exact pins."""
    text = (ROOT / "tests/tools/matrix.py").read_text(encoding="utf-8")
    cores = re.findall(r'"(2\.\d+)": \(', text)
    assert cores == sorted(path.stem.removeprefix("core-") for path in (ROOT / "tests/constraints").glob("core-*.txt"))
    assert cores == [f"2.{minor}" for minor in range(16, 22)]
    assert f'">={cores[0]}.0"' in (ROOT / "meta/runtime.yml").read_text(encoding="utf-8")
    assert f"ansible-core {cores[0]} to {cores[-1]}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_an_installed_copy_gives_way_to_the_link(tmp_path: Path):
    home = tmp_path / "build/collections/ansible_collections"
    (home / "prs/recovery/roles").mkdir(parents=True)
    (home / ".complete").touch()  # the dependencies are there
    for said in ("is an installed copy", ""):
        done = subprocess.run(
            ["sh", ROOT / "tests/tools/fetch_collections.sh", sys.executable],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout and bool(said) == bool(done.stdout)
        assert (home / "prs/recovery").resolve() == tmp_path


def shim(folder: Path, name: str, script: str) -> Path:
    """An executable of a test's own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_real_python_is_found_behind_shims(tmp_path: Path):
    shim(tmp_path / "bin", "python9.2", "exit 127")
    real = shim(tmp_path / "pyenv/versions/9.2.1/bin", "python9.2", "exit 0")
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "PYENV_ROOT": str(tmp_path / "pyenv")}

    def find(*versions: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", ROOT / "tests/tools/find_python.sh", *versions]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert find("9.3", "9.2").stdout.strip() == str(real)
    assert (find("9.3").returncode, find("9.3").stdout) == (1, "")


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ('[ "$1" = -c ] && case "$2" in *version_info*) echo 9.2;; esac; exit 0', 0, "is of Python gone: it is made anew with 9.2"),
        ('case "$2" in *exit*) exit 1;; *) echo 3.9;; esac', 1, "is Python 3.9, and 3.11 or later is needed. Name another: make PYTHON="),
        ("exit 127", 1, "does not run. Name a Python of 3.11 or later"),
    ],
)  # fmt: skip
def test_an_environment_of_another_python_is_made_anew(tmp_path: Path, script: str, code: int, said: str):
    python = shim(tmp_path, "python", script)
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv/pyvenv.cfg").touch()
    command = ["sh", ROOT / "tests/tools/fresh_venv.sh", tmp_path / "venv", python]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, (tmp_path / "venv").exists()) == (code, code != 0)
    assert said in done.stdout + done.stderr


def test_a_lab_that_is_up_tells_the_next_command():
    command = ["make", "--dry-run", "--no-print-directory", "lab-up"]  # the tests run below a make themselves
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(
        r'echo "Next: \S+/ansible-playbook -i \S+/inventory prs.recovery.provision_prs"$', done.stdout.strip()
    )


def test_the_demo_tells_what_a_run_says_to_a_person():
    lines = [
        "PLAY [Nobody is here] ****", "skipping: no hosts matched", "PLAY [Plan] ****", "TASK [Say it] ****", "ok: [web-a] => {", '    "msg": [',
        '        "web-a: set up C:\\\\inetpub",', '        "sql-a: install"', "    ]", "}", "TASK [Say more] ****", '    "msg": "it \\"works\\""',
        '    "msg": "The arg spec validation passed"', "fatal: [web-a]: FAILED!", "PLAY RECAP ****",
    ]  # fmt: skip
    assert list(worth_telling(lines)) == [
        "[Plan]",
        "  web-a: set up C:\\inetpub",
        "  sql-a: install",
        '  it "works"',
        "fatal: [web-a]: FAILED!",
    ]


CUT = build([BackupSet(log=bytes(9000))])[:12_000]


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        ({"a": build(chain(2))}, 0, "PasswordResetServer: 2 logs without a gap"),
        ({"a": build(stripes=2), "b": build(stripes=2, stripe=2)}, 0, "2 files, 2 sets in them, 1 different ones"),
        ({"a": build(stripes=2)}, 1, "stripe 2 of 2 is missing"),
        ({"a": build([chain(3)[1], chain(3)[3]])}, 1, "begins at LSN"),
        ({"a": build(), "b": CUT}, 1, "cut off, or is still being written"),
        ({"a": b"hello"}, 1, "neither TAPE nor MSSQLBAK"),
        ({"a": build(), "b": build([BackupSet(guid=numbered_guid(9), name="\ud800")])}, 1, "no UTF-16"),
        ({}, 2, "0 files"),
    ],
)
def test_real_backups_fails_at_the_first_problem(files, status, said, tmp_path: Path, capsys):
    for name, data in files.items():
        (tmp_path / f"{name}.bak").write_bytes(data)
    assert real_backups([str(tmp_path)]) == status
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


def test_the_table_of_figures_is_made_from_what_was_measured():
    """Of a figure with another checkout's beside it this one's; what was not measured has no row."""
    lost = {"seconds": {"this": 17.9, "other": 21.5, "ratio": 0.83}, "winrm_requests": 564}
    text = with_table(f"a\n{BEGIN}\n| old |\n{END}\nb\n", {"rebuild": {"total_loss": lost}, "other": 1})
    assert text.startswith(
        f"a\n{BEGIN}\n| what | figure |\n|---|---|\n| {ROWS[0].what} | 17.9 s |\n| {ROWS[1].what} | 564 |\n{END}\nb"
    )


def test_the_readme_has_one_place_for_the_table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    with pytest.raises(SystemExit, match="no place for the table"):
        with_table("no marks", {})
