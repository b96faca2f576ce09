"""The scripts behind `make`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from demo import worth_telling

ROOT = Path(__file__).resolve().parents[2]


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
