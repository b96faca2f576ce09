"""What the verbs cost a real PowerShell, beside what they cost at an earlier commit, over a folder of small files.

Both versions run under the same `pwsh`, each in one session as a module has it, and must give the same values. Counted
are CPU seconds of PowerShell, as the machine may be busy, and its peak of memory. The files lie in memory where Linux has
a place for that: what a disk's own system of files takes to make one (here 40 to 600 microseconds, of both versions) hides
what is measured. Returns to run.py, or prints as JSON:

    {"verbs": {"files": n, "against": commit, "seconds": {step: [before, now, ratio]}, "peak_mb": [before, now]},
     "verbs_compiled_once": the same}

VERB_FILES (default 15000) and VERB_COMMIT in the environment choose. The first turns of a process count. Most of what is
left of them is .NET compiling what runs often a second and a third time, which costs the same before and now and hides
the verbs. Windows PowerShell 5.1 does not do that: .NET Framework compiles a method once. The second table is measured
with that of .NET switched off.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))

from ansible_collections.prs.recovery.plugins.module_utils._winrm import verbs
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import conversation, runner

ROOT = Path(__file__).resolve().parents[2]
FILES = int(os.environ.get("VERB_FILES", "15000"))
AGAINST = os.environ.get("VERB_COMMIT", "95c6376")
FOLDER = "plugins/module_utils/_winrm"
NAMES = ("plain {}.txt", "ümläut ß {}.config", "漢字 {}.dat", "br[ack]et {}.aspx", "quo'te & <{}>.js", "emoji😀 {}.bin")
INSIDE = "own/list"
MEMORY = Path("/dev/shm")


class Pipe:
    """A local PowerShell with BOOTSTRAP as its command."""

    def __init__(self, *, compiles_again: bool) -> None:
        self._process = subprocess.Popen(
            ["pwsh", *runner.COMMAND_LINE.split()[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"DOTNET_TieredCompilation": str(int(compiles_again))},
        )
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout

    def send(self, data: bytes) -> None:
        self._input.write(data)
        self._input.flush()

    def receive(self) -> conversation.Received:
        data = os.read(self._output.fileno(), 1 << 16)
        return conversation.Received(stdout=data, ended=not data)

    def processes(self) -> Iterator[int]:
        waiting = [self._process.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def cpu(self) -> float:
        """Seconds of all its processes until now."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak(self) -> int:
        """MB that its largest process ever held."""
        lines = [line for pid in self.processes() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return max(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

    def close(self) -> None:
        self._input.close()
        self._process.wait(60)


class Talk(conversation.Conversation):
    """One that understands earlier answers as well, an item a line."""

    def _answer(self) -> tuple[str, Any]:
        kind, value = super()._answer()
        return ("items", [value]) if kind == "item" else (kind, value)


class Earlier:
    """A pipe to an earlier runner, which takes items that are packed, and no request."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.receive = pipe.receive

    def send(self, data: bytes) -> None:
        line, end, rest = data.partition(b"\n")
        if end and line.startswith(conversation.PACKED):
            plain = conversation._unpacked(line)
            line = plain[0] if plain[0].startswith(b'{"script":') else line
        self._pipe.send(line + end + rest)


class Version:
    """One version of the verbs, in a session of its own."""

    def __init__(
        self, name: str, script: Callable[[str, str], str], folder: Path, *, compiles_again: bool = True
    ) -> None:
        self.name, self.script, self.folder = name, script, folder
        self.pipe = Pipe(compiles_again=compiles_again)
        self.seconds: dict[str, float] = {}
        self.pipe.send(conversation._line(script("runner", "RUNNER")))
        pipe = self.pipe if script is now_script else Earlier(self.pipe)
        self._talk = Talk(pipe, is_running=True)
        self._talk.start()

    def _item(self, item: Any) -> Any:
        """The earlier version took the fields of an item by their names."""
        return list(item.values()) if isinstance(item, dict) and self.script is now_script else item

    def call(self, step: str, items: Sequence[Any] = (), **parameters: Any) -> list[Any]:
        """step: name of the verb, and what else tells it from others."""
        text = self.script(step.split()[0], "SCRIPT")
        before = self.pipe.cpu()
        result = self._talk.call(text, parameters=parameters, items=[self._item(item) for item in items])
        self.seconds[step] = self.pipe.cpu() - before
        return result


def now_script(name: str, constant: str) -> str:
    module = runner if name == "runner" else importlib.import_module(f"{verbs.__name__}.{name}")
    return str(getattr(module, constant))


def earlier_script(name: str, constant: str) -> str:
    path = f"{FOLDER}/{'runner' if name == 'runner' else f'verbs/{name}'}.py"
    text = subprocess.run(
        ["git", "show", f"{AGAINST}:{path}"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    names: dict[str, Any] = {"__name__": name}
    exec(compile(text, path, "exec"), names)
    return str(names[constant])


def make_tree(root: Path) -> None:
    """Small files in folders of 100, of text and of noise."""
    chance = random.Random(7)
    words = Path(__file__).read_bytes() * 4
    for number in range(FILES):
        folder = root / f"folder {number // 1000}" / f"inner {number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        size = chance.choice((0, 200, 900, 2500, 4000, 8000))
        data = words[number % 999 :][:size] if number % 3 else chance.randbytes(size // 2)
        (folder / NAMES[number % len(NAMES)].format(number)).write_bytes(data)


def walk_through(version: Version, tree: Path) -> dict[str, Any]:
    """Every step once; what each answered, without what may differ."""
    root, archive, target = str(tree), str(version.folder / "a.zip"), version.folder / "unpacked"
    target.mkdir(parents=True)
    answers: dict[str, Any] = {}
    # A listing has no order.
    answers["list_folder"] = sorted(version.call("list_folder", Path=root), key=lambda entry: str(entry["name"]))
    names = [entry["name"] for entry in answers["list_folder"] if not entry["folder"]]
    answers["hash_files"] = version.call("hash_files", names, Path=root)
    answers["pack"] = version.call(
        "pack", names, Path=root, Archive=archive, ManifestName=INSIDE, ManifestHead='{"files": {count}}'
    )
    entries = answers["entries"] = version.call("entries", Archive=archive)
    answers["entries hash"] = version.call("entries hash", Archive=archive, Hash=True)
    answers["entries checksum"] = version.call("entries checksum", Archive=archive, Hash=True, Checksum=True)
    chosen = [{key: entry[key] for key in ("index", "name", "size")} | {"folder": False} for entry in entries]
    answers["unpack"] = version.call("unpack", chosen[:-1], Archive=archive, Target=str(target))
    lines = version.call("read_lines", Path=archive, Entry=INSIDE)
    version.call("write_lines", lines, Path=str(version.folder / "lines"))
    answers["read_lines"] = [json.loads(line) for line in (version.folder / "lines").read_text().splitlines()]
    moves = [{"from": f"{target}/{name}", "to": f"{target}/{name}.moved"} for name in names]
    answers["move"] = [answer["error"] for answer in version.call("move", moves)]
    answers["disk"] = sorted(
        (path.relative_to(target).as_posix(), path.stat().st_mtime, path.read_bytes())
        for path in target.rglob("*")
        if path.is_file()
    )
    answers["remove"] = version.call("remove", Path=str(target))
    return answers


def same(value: Any) -> Any:
    """Without what the manifest's spelling decides, the sizes of its entry, and what the earlier version did not tell."""
    if isinstance(value, dict):
        if value.get("name") == INSIDE:
            return INSIDE
        new = {"method", "encrypted"} if "crc" in value else set()
        return {key: same(inner) for key, inner in value.items() if key not in {"packed", *new}}
    return [same(inner) for inner in value] if isinstance(value, list) else value


def run() -> dict[str, Any]:
    if not shutil.which("pwsh"):
        print("no pwsh on PATH: the verbs were not measured")
        return {}
    return {"verbs": measure(compiles_again=True), "verbs_compiled_once": measure(compiles_again=False)}


def measure(*, compiles_again: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        tree = Path(place, "tree")
        make_tree(tree)
        before = Version("before", earlier_script, Path(place, "before"), compiles_again=compiles_again)
        now = Version("now", now_script, Path(place, "now"), compiles_again=compiles_again)
        expected, answers = walk_through(before, tree), walk_through(now, tree)
        differing = [step for step in expected if same(expected[step]) != same(answers[step])]
        if differing:
            raise SystemExit(f"other values than at {AGAINST}: {', '.join(differing)}")
        peaks = [version.pipe.peak() for version in (before, now)]
        for version in (before, now):
            version.pipe.close()
    seconds = {
        step: [round(spent, 2), round(now.seconds[step], 2), round(spent / max(now.seconds[step], 0.01), 1)]
        for step, spent in before.seconds.items()
    }
    return {"files": FILES, "against": AGAINST, "seconds": seconds, "peak_mb": peaks}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
