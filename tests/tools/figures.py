#!/usr/bin/env python3
"""Figures of the house: how long its functions and classes are, and how much is decided where no test reaches it.

    figures.py [--check] [FOLDER]

FOLDER is a checkout, by default this one. With --check it fails where a figure is beyond its limit.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES, CLASS_LINES, LINE_WIDTH, RUN_LINES = 60, 250, 120, 6
RIDDLES = frozenset({"one", "found", "told"})
"""Names that say nothing of what they hold."""
LIMITS = {
    "functions over 60 lines": 0,
    "classes over 250 lines": 0,
    "conditions in templates": 45,
    "expressions over 120 characters in roles": 0,
    "variables called one, found, told": 0,
    "duplicated runs of six lines": 5,
}
"""The most that each figure may be. Before decisions moved to Python, 137 conditions stood in templates, and roles had 195
expressions over 120 characters.
"""
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Something that counts: the file, relative to the checkout, its line, and what it is."""

    path: str
    line: int
    what: str


def sources(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of each Python file of the product."""
    for path in sorted((root / "plugins").rglob("*.py")):
        yield str(path.relative_to(root)), path.read_text(encoding="utf-8")


def long_definitions(root: Path) -> tuple[list[Place], list[Place]]:
    """Functions and classes with more lines than they should have."""
    functions, classes = [], []
    for path, text in sources(root):
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            place = Place(path=path, line=node.lineno, what=f"{node.name}: {lines} lines")
            if isinstance(node, ast.ClassDef) and lines > CLASS_LINES:
                classes.append(place)
            elif not isinstance(node, ast.ClassDef) and lines > FUNCTION_LINES:
                functions.append(place)
    return functions, classes


def riddles(root: Path) -> list[Place]:
    """Variables and parameters whose names are riddles. (A class's fields are its own words.)"""
    places = []
    for path, text in sources(root):
        tree = ast.parse(text)
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        fields = {line.target for node in classes for line in node.body if isinstance(line, ast.AnnAssign)}
        for node in ast.walk(tree):
            if node in fields:
                continue
            name = node.arg if isinstance(node, ast.arg) else ""
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                name = node.id
            if name in RIDDLES:
                places.append(Place(path=path, line=node.lineno, what=name))
    return places


def role_files(root: Path, *endings: str) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "roles").rglob("*")):
        if path.suffix in endings and path.is_file():
            yield str(path.relative_to(root)), path.read_text(encoding="utf-8")


def conditions(root: Path) -> list[Place]:
    """Every `if` of a template, those of loops and expressions included."""
    return [
        Place(path=path, line=text.count("\n", 0, expression.start()) + 1, what=match[0])
        for path, text in role_files(root, ".j2")
        for expression in JINJA.finditer(text)
        for match in re.finditer(r"\b(?:el)?if\b", re.sub(r"'[^']*'|\"[^\"]*\"", "''", expression[0]))
    ]


def long_expressions(root: Path) -> list[Place]:
    """Jinja expressions and statements with more than a line's characters, however they are folded."""
    places = []
    for path, text in role_files(root, ".j2", ".yml"):
        for expression in JINJA.finditer(text):
            inner = " ".join(expression[0].split())
            if len(inner) > LINE_WIDTH:
                line = text.count("\n", 0, expression.start()) + 1
                places.append(Place(path=path, line=line, what=f"{len(inner)} characters"))
    return places


def _significant(path: str, text: str) -> list[tuple[int, str]]:
    """Lines of code with their numbers: without documentation, comments, imports and lone punctuation."""
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        multiline = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_lineno != node.lineno
        if multiline or isinstance(node, (ast.Import, ast.ImportFrom)):
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = [(number, " ".join(line.split())) for number, line in enumerate(text.split("\n"), 1)]
    return [
        (number, line)
        for number, line in lines
        if number not in skipped and not line.startswith("#") and re.search(r"\w{2}", line)
    ]


def duplicated_runs(root: Path) -> list[Place]:
    """Runs of six lines of code that stand in two places at least; a longer run counts once."""
    seen: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    files = {path: _significant(path, text) for path, text in sources(root)}
    for path, lines in files.items():
        for start in range(len(lines) - RUN_LINES + 1):
            window = lines[start : start + RUN_LINES]
            seen[tuple(line for _number, line in window)].append((path, start))
    places, last = [], {}
    for path, lines in files.items():
        for start in range(len(lines) - RUN_LINES + 1):
            run = tuple(line for _number, line in lines[start : start + RUN_LINES])
            again = len(seen[run]) > 1
            if again and last.get(path) != start - 1:
                other = next((place for place in seen[run] if place != (path, start)), (path, start))
                number = files[other[0]][other[1]][0]
                places.append(Place(path=path, line=lines[start][0], what=f"also {other[0]}:{number}"))
            if again:
                last[path] = start
    return places


def figures(root: Path) -> dict[str, list[Place]]:
    functions, classes = long_definitions(root)
    return {
        "functions over 60 lines": functions,
        "classes over 250 lines": classes,
        "conditions in templates": conditions(root),
        "expressions over 120 characters in roles": long_expressions(root),
        "variables called one, found, told": riddles(root),
        "duplicated runs of six lines": duplicated_runs(root),
    }


def beyond(result: dict[str, list[Place]]) -> list[str]:
    """A sentence for each figure that is beyond its limit, with the first places."""
    return [
        f"{name}: {len(places)}, at most {LIMITS[name]} ("
        + "; ".join(f"{place.path}:{place.line} {place.what}" for place in places[:5])
        + ")"
        for name, places in result.items()
        if len(places) > LIMITS[name]
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", nargs="?", type=Path, default=ROOT)
    arguments.add_argument("--check", action="store_true", help="fail where a figure is beyond its limit")
    arguments.add_argument("--places", action="store_true", help="name every place")
    options = arguments.parse_args()
    result = figures(options.folder)
    for name, places in result.items():
        print(f"{len(places):6}  {name}")
        for place in places if options.places else []:
            print(f"            {place.path}:{place.line} {place.what}")
    problems = beyond(result) if options.check else []
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
