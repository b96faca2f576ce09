"""The roles' scripts under a real PowerShell: through ansible.windows' own win_powershell, as Ansible would run it.

The collection's module and ansible-core's C# are those that the tests install. Three things are changed in their text,
each of which must be there: the module's runspace gets the stand-ins for Windows' commands (windows/), its four calls of
the console do nothing, and ansible-core's temporary folder is the system's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ansible
import ansible_collections.ansible.windows as windows_collection

__all__ = ["PWSH", "answers_of", "as_nobody", "place_for_everyone", "put_stand_ins"]

PWSH = shutil.which("pwsh")
STAND_INS = Path(__file__).parent / "windows"
CORE = Path(ansible.__file__).parent / "module_utils"
MODULE = Path(windows_collection.__path__[0], "plugins/modules/win_powershell.ps1")
NOBODY = 65534
LONGEST = 1200  # seconds for all cases together, on a busy machine


@contextmanager
def place_for_everyone() -> Iterator[Path]:
    """A folder that PowerShell may read as an account that may not read everything, as root would."""
    folder = Path(tempfile.mkdtemp(prefix="prs-scripts-"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=True)
        shutil.rmtree(folder)


def put_stand_ins(folder: Path) -> None:
    """Into a folder that PowerShell reads as that account, with a home for it."""
    for path in STAND_INS.iterdir():
        shutil.copy(path, folder)
        (folder / path.name).chmod(0o644)
    (folder / "home").mkdir(mode=0o777)
    (folder / "home").chmod(0o777)


def as_nobody(folder: Path) -> tuple[list[str], dict[str, str]]:
    """What starts a program as that account, and its environment."""
    through = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    home = str(folder / "home")
    return through, {**os.environ, "HOME": home, "TMPDIR": home, "TZ": "Europe/Berlin"}


def answers_of(cases: Sequence[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """What the module says of each case: {"said": its JSON or None, "failure": why there is none, "log": what the
    stand-ins were asked}.
    """
    put_stand_ins(folder)
    shutil.copy(CORE / "powershell/Ansible.ModuleUtils.AddType.psm1", folder / "AddType.psm1")
    module = _replaced(
        MODULE.read_text(),
        (r"CreateRunspace\(\$runspaceHost\)", "CreateRunspace($runspaceHost, (New-LabSessionState))", 1),
        (r'\[DllImport\("Kernel32\.dll"[^\]]*\]\s*public static extern (\w+) (\w+)\(([^)]*)\);',
         r"public static \1 \2(\3) { return default(\1); }", 5),
    )  # fmt: skip
    (folder / "module.ps1").write_text(module)
    basic = _replaced(
        (CORE / "csharp/Ansible.Basic.cs").read_text(),
        (r'throw new NotImplementedException\("Tmpdir is only supported on Windows"\);', "tmpdir = Path.GetTempPath();", 1),
    )  # fmt: skip
    (folder / "Basic.cs").write_text(basic)
    (folder / "cases.json").write_text(json.dumps(cases))
    for path in folder.iterdir():
        if path.is_file():
            path.chmod(0o644)
    answers = folder / "answers.json"
    answers.touch(mode=0o666)
    answers.chmod(0o666)
    through, environment = as_nobody(folder)
    done = subprocess.run(
        [*through, PWSH or "pwsh", "-NoProfile", "-NonInteractive", "-File", folder / "run_cases.ps1", folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    found = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len(found) == len(cases), f"pwsh ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
    return found


def _replaced(text: str, *changes: tuple[str, str, int]) -> str:
    for pattern, instead, times in changes:
        text, count = re.subn(pattern, instead, text)
        assert count == times, f"{pattern} is {count} times in the text, and was expected {times} times"
    return text
