"""What a module costs on top of the SQL that it sends, measured against the SQL Server twin.

For each of some modules three fresh processes take turns: the module as ansible runs it, a module that does nothing,
and a bare pyodbc script that sends the same statements and reads all their results. ``(module - nothing) / bare`` is
its ratio, of the median of the differences turn by turn (what else the machine does then touches both) and the median
of the bare script; ``module_ratio`` is the largest. Returned with it: ``module_ratios``, and the medians in
``module_seconds``, by module. What else the machine does only ever adds time, so the calmer half of the turns counts.

With ``--against CHECKOUT`` (run this file itself: ``build/venv/bin/python tests/bench/bench_module.py --against ../old``)
the modules of another checkout take turns with these: ``against_ratio`` is the largest of ``against_ratios``, by module
what these take over what those take. That counts seconds of CPU, of which another program on the machine takes none
away, as medians of all turns. With ``--packed`` all are started from the zip in which ansible packs a module for
another machine, or for who keeps these files; else each as its own action plugin starts it: from the files in place,
or, in checkouts that have no such start yet, from the zip. What ansible itself spends on the zip is not counted.

The database is tiny, so this is the fixed cost of a run. Over a backup that takes a second it does not show.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / "build" / "collections"
sys.path[:0] = [str(COLLECTIONS), str(ROOT / "tests" / "lab"), str(ROOT / "tests" / "lab" / "tests")]

TURNS = 40
NOTHING = """
from ansible.module_utils.basic import AnsibleModule
AnsibleModule(argument_spec={}).exit_json(changed=False)
"""
BARE = """
import json, sys, pyodbc
target, statements = json.load(open(sys.argv[1]))
pyodbc.pooling = False
connection = pyodbc.connect(target, autocommit=True)
for statement, values, fails in statements:
    cursor = connection.cursor()
    try:
        cursor.execute(statement, *values)
        while True:
            if cursor.description:
                cursor.fetchall()
            if not cursor.nextset():
                break
    except pyodbc.Error:
        if not fails:
            raise
    cursor.close()
connection.close()
"""
MODULES: dict[str, dict[str, Any]] = {
    "sql_info": {},
    "sql_database": {"name": "Bench", "recovery_model": "FULL"},
    "sql_backup": {"database": "Bench", "file_name": "{database}.bak", "overwrite": True},
}


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, twin(Path(folder)) as login:
        ratios, seconds = {}, {}
        for name, options in MODULES.items():
            measured = measure(Path(folder), name, {**login, **options})
            ratios[name] = round(measured["ours"] / measured["bare"], 3)
            seconds[name] = {kind: round(value, 4) for kind, value in measured.items()}
    return {"module_ratio": max(ratios.values()), "module_ratios": ratios, "module_seconds": seconds}


def run_against(checkout: Path, turns: int, *, packed: bool = False) -> dict[str, Any]:
    """These modules beside those of another checkout, in seconds of CPU."""
    make = packed_program if packed else program
    with tempfile.TemporaryDirectory() as folder, twin(Path(folder)) as login:
        other = linked(Path(folder), checkout)
        ratios, seconds = {}, {}
        for name, options in MODULES.items():
            commands = {
                "this": [make(Path(folder), f"prs.recovery.{name}", {**login, **options})],
                "other": [make(Path(folder), f"prs.recovery.{name}", {**login, **options}, other)],
            }
            taken: dict[str, list[float]] = {kind: [] for kind in commands}
            for turn in range(turns + 1):
                for kind in sorted(commands, reverse=bool(turn % 2)):  # each goes first as often as the other
                    cpu = cpu_seconds_of(f"{kind} {name}", commands[kind])
                    if turn:  # the very first turn warms the caches
                        taken[kind].append(cpu)
            medians = {kind: statistics.median(values) for kind, values in taken.items()}
            ratios[name] = round(medians["this"] / medians["other"], 3)
            seconds[name] = {kind: round(value, 4) for kind, value in medians.items()}
    return {"against_ratio": max(ratios.values()), "against_ratios": ratios, "against_cpu_seconds": seconds}


def linked(folder: Path, checkout: Path) -> Path:
    """Another checkout as an installed collection."""
    collections = folder / "other"
    (collections / "ansible_collections" / "prs").mkdir(parents=True)
    (collections / "ansible_collections" / "prs" / "recovery").symlink_to(checkout.resolve())
    return collections


@contextlib.contextmanager
def twin(folder: Path) -> Iterator[dict[str, Any]]:
    """A SQL Server twin with a database; the options to log in there."""
    from sql_host import PASSWORD, make_instance

    instance = make_instance(folder)
    login = {
        "login_host": "127.0.0.1",
        "login_port": instance.port,
        "login_user": "sa",
        "login_password": PASSWORD,
        "encrypt": "optional",
    }
    try:
        sent_by("sql_database", {**login, **MODULES["sql_database"]})
        yield login
    finally:
        instance.stop()


def measure(folder: Path, name: str, options: dict[str, Any]) -> dict[str, float]:
    """Medians in seconds of the three kinds, and `ours`, that of what the module took longer than nothing."""
    statements, target = sent_by(name, options)
    (folder / "sent.json").write_text(json.dumps([target, statements]))
    (folder / "bare.py").write_text(BARE)
    commands = {
        "module": [program(folder, f"prs.recovery.{name}", options)],
        "nothing": [packed_program(folder, "nothing", {})],
        "bare": [folder / "bare.py", folder / "sent.json"],
    }
    turns = []
    for turn in range(TURNS + 1):
        first = turn % len(commands)  # each goes first as often as the others
        kinds = [*commands][first:] + [*commands][:first]
        turns.append({kind: seconds_of(f"{kind} of {name}", commands[kind]) for kind in kinds})
    calm = sorted(turns[1:], key=lambda taken: sum(taken.values()))[
        : TURNS // 2
    ]  # the very first turn warms the caches
    for taken in calm:
        taken["ours"] = taken["module"] - taken["nothing"]
    return {kind: statistics.median(taken[kind] for taken in calm) for kind in (*commands, "ours")}


def seconds_of(what: str, command: list[Path]) -> float:
    """A fresh process, from its start to its end. It reads its program from standard input, as with pipelining."""
    source, *arguments = command
    began = time.perf_counter()
    with source.open("rb") as stdin:
        done = subprocess.run(
            [sys.executable, "-", *arguments], stdin=stdin, capture_output=True, text=True, check=False
        )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{what} failed: {done.stdout}{done.stderr}")
    return seconds


def cpu_seconds_of(what: str, command: list[Path]) -> float:
    """What a fresh process used of the processor, and those that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds_of(what, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def sent_by(name: str, options: dict[str, Any]) -> tuple[list[list[Any]], str]:
    """Every statement that a module sends, with its values and whether it fails (a probe), and the connection string."""
    sent, targets = noted(name, options)
    return sent, targets[0]


def noted(name: str, options: dict[str, Any]) -> tuple[list[list[Any]], list[str]]:
    """Its statements and the connection string of each connection, noted while the module runs in this process."""
    from ansible.module_utils.testing import patch_module_args
    from ansible_collections.prs.recovery.plugins.module_utils._sql.connection import connection

    sent: list[list[Any]] = []
    targets: list[str] = []
    kinds = {kind: getattr(connection.Connection, kind) for kind in ("query", "execute")}

    def noting(kind: str) -> Any:
        def send(self: Any, statement: str, *values: Any, **more: Any) -> Any:
            noted = [statement, list(values), True]
            sent.append(noted)
            answer = kinds[kind](self, statement, *values, **more)
            noted[2] = False
            return answer

        return send

    def string(target: Any, driver: Any, make: Any = connection._connection_string) -> str:
        targets.append(make(target, driver))
        return targets[-1]

    module = importlib.import_module(f"ansible_collections.prs.recovery.plugins.modules.{name}")
    said = io.StringIO()
    with (
        patch_module_args(options),
        mock.patch.multiple(connection.Connection, **{kind: noting(kind) for kind in kinds}),
        mock.patch.object(connection, "_connection_string", string),
        contextlib.redirect_stdout(said),
        contextlib.suppress(SystemExit),
    ):
        module.main()
    if json.loads(said.getvalue()).get("failed"):
        raise SystemExit(said.getvalue())
    return sent, targets


IN_PLACE = """
import json, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from ansible_collections.prs.recovery.plugins.plugin_utils import _built_module
given = sys.argv[1], json.loads(sys.argv[2])
if hasattr(_built_module, "module_program"):
    program = _built_module.module_program(*given).text
else:
    built = _built_module.built_module(*given)
    program = built[2] if len(built) == 4 else built[0].b_module_data
sys.stdout.buffer.write(program)
"""


def program(folder: Path, module: str, options: dict[str, Any], collections: Path = COLLECTIONS) -> Path:
    """What the action plugin of these collections sends to Python: the start in place, or the zip before there was one."""
    plugins = collections / "ansible_collections" / "prs" / "recovery" / "plugins"
    if not (plugins / "plugin_utils" / "_built_module.py").exists():
        return packed_program(folder, module, options, collections)
    source = plugins / "modules" / f"{module.rpartition('.')[2]}.py"
    done = subprocess.run(
        [sys.executable, "-c", IN_PLACE, source, json.dumps(options)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        check=True,
    )
    path = folder / f"in-place-{collections.name}-{module}.py"
    path.write_bytes(done.stdout)
    return path


def packed_program(folder: Path, module: str, options: dict[str, Any], collections: Path = COLLECTIONS) -> Path:
    """The file that ansible makes of a module and its options, everything that it imports in a zip."""
    place = folder / "made" / collections.name / module
    place.mkdir(parents=True, exist_ok=True)
    (folder / "library").mkdir(exist_ok=True)
    (folder / "library" / "nothing.py").write_text(NOTHING)
    environment = {
        **os.environ,
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_REMOTE_TMP": str(place),
        "ANSIBLE_LIBRARY": str(folder / "library"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }
    command = [
        Path(sys.executable).parent / "ansible",
        "localhost",
        "-c",
        "local",
        "-m",
        module,
        *(["-a", json.dumps(options)] if options else []),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    made = sorted(place.rglob("AnsiballZ_*.py"))
    if done.returncode or not made:
        raise SystemExit(f"ansible does not run {module}: {done.stdout}{done.stderr}")
    return made[0]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--against", type=Path, metavar="CHECKOUT", help="compare with the modules of this one")
    arguments.add_argument("--turns", type=int, default=TURNS, help=f"with --against, by default {TURNS}")
    arguments.add_argument("--packed", action="store_true", help="with --against, start all modules from a zip")
    chosen = arguments.parse_args()
    measured = run_against(chosen.against, chosen.turns, packed=chosen.packed) if chosen.against else run()
    print(json.dumps(measured))
