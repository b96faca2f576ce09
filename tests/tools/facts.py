"""The ledger of facts: what the twins hold to be true of real hosts, from tests/lab/facts/*.yml; `make facts` prints it.

Each file is a list of entries with exactly the keys of :data:`KEYS`. ``fact`` is one sentence; ``versions`` are those
that it holds for (``all`` or words such as ``SQL Server 2022 and later``); ``source`` is a document or a public issue;
``certainty`` is one of :data:`CERTAINTIES`; ``test`` is ``path::name`` of the test that shows that the twin or the
product keeps to it, the path from the repository's root.
"""

from __future__ import annotations

import ast
import shutil
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CERTAINTIES", "FACTS", "KEYS", "ROOT", "entry_problems", "file_problems", "table"]

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests/lab/facts"
KEYS = ("fact", "versions", "source", "certainty", "test")
CERTAINTIES = ("certain", "likely", "unsure")


@cache
def _tests_of(path: Path) -> frozenset[str]:
    """The names of the tests in a file, those in classes as Class::name."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        members = (
            [(node.name + "::", member) for member in node.body] if isinstance(node, ast.ClassDef) else [("", node)]
        )
        for prefix, member in members:
            if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)) and member.name.startswith("test_"):
                names.add(prefix + member.name)
    return frozenset(names)


def entry_problems(entry: Any) -> Iterator[str]:
    """What is wrong with an entry, as sentences; nothing if all is well."""
    if not isinstance(entry, dict) or set(entry) != set(KEYS):
        yield f"it needs exactly the keys {', '.join(KEYS)}"
        return
    for key in KEYS:
        if not isinstance(entry[key], str) or not entry[key].strip():
            yield f"its {key} is no text"
            return
    if entry["certainty"] not in CERTAINTIES:
        yield f"its certainty is none of {', '.join(CERTAINTIES)}"
    path, separator, name = entry["test"].partition("::")
    if not separator or not (ROOT / path).is_file():
        yield f"there is no file of tests {path}"
    elif name.partition("[")[0] not in _tests_of(ROOT / path):
        yield f"{path} has no test {name}"


def file_problems(path: Path) -> list[str]:
    """What is wrong with a file of facts."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list) or not entries:
        return [f"{path.name} is no list of facts"]
    problems = []
    sentences = [entry.get("fact") for entry in entries if isinstance(entry, dict)]
    for number, entry in enumerate(entries, start=1):
        title = entry.get("fact") if isinstance(entry, dict) else entry
        problems += [f"{path.name}, entry {number} ({title}): {problem}" for problem in entry_problems(entry)]
    problems += [
        f"{path.name} says twice: {fact}" for fact in sorted(set(sentences), key=str) if sentences.count(fact) > 1
    ]
    return problems


def table(*, width: int) -> Iterator[str]:
    """The ledger for a person to read. Sentences are wrapped at ``width``; sources and tests are not, to be copied."""
    for path in sorted(FACTS.glob("*.yml")):
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        counts = ", ".join(f"{sum(entry['certainty'] == word for entry in entries)} {word}" for word in CERTAINTIES)
        yield f"{path.stem}: {len(entries)} facts ({counts})"
        for number, entry in enumerate(entries, start=1):
            yield textwrap.fill(entry["fact"], width, initial_indent=f"{number:5}  ", subsequent_indent=" " * 7)
            yield f"         {entry['certainty']}; {entry['versions']}; {entry['source']}"
            yield f"         {entry['test']}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table(width=min(shutil.get_terminal_size().columns, 120)))
