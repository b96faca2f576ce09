"""Every command of the documentation is one that there is, with options and variables that there are, and a test runs it:
documented_commands.yml names that test, which must be there and speak of the playbook and of what the command says of it.
"""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible.cli.playbook import PlaybookCLI
from prs_lab import cli as lab_cli

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "inventory.example/*.md", "roles/*/README.md", "tests/lab/README.md")
    for path in ROOT.glob(pattern)
)
TESTED: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("documented_commands.yml").read_text())
COMMAND = re.compile(rf"^ {{3,}}((?:{'|'.join(TESTED)}) (?:.*\\\n)*.*)$", re.MULTILINE)
INLINE = re.compile(r"`(make [a-z-]+)`")
CHOICES = {"prs_active_site", "prs_allow_data_loss", "prs_backup_kind"}
"""Variables whose value is a part of what the test says; of others it is an example."""


def commands() -> Iterator[tuple[str, list[str]]]:
    """(page, words) of each."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for command in (*COMMAND.findall(text), *(INLINE.findall(text) if page.name != "CHANGELOG.md" else ())):
            yield str(page.relative_to(ROOT)), shlex.split(command.replace("\\\n", " "), comments=True)


COMMANDS = list(commands())
PLAYED = [pytest.param(words[1:], id=f"{page}: {' '.join(words)}") for page, words in COMMANDS if len(words[0]) > 8]


def test_the_documentation_has_commands():
    """A pattern that finds nothing would find nothing wrong."""
    assert len(PLAYED) > 20
    assert {words[0] for _page, words in COMMANDS} == set(TESTED)


def target_of(words: list[str]) -> str:
    """Of a make: what it is to make, wherever it is run."""
    return words[3] if words[1] == "-C" else words[1]


def entry_of(words: list[str]) -> str:
    """The words of an ansible-playbook without what they are played on, as documented_commands.yml has them."""
    words = words[2:] if words[0] == "-i" else list(words)
    for number, word in enumerate(words):
        if words[number - 1] == "-e" and word.partition("=")[0] not in CHOICES:
            words[number] = word.partition("=")[0]
    return " ".join(words).removeprefix("prs.recovery.")


@pytest.mark.parametrize("words", PLAYED)
def test_a_playbook_is_there_with_these_options_and_variables(words: list[str]):
    parser = PlaybookCLI(["ansible-playbook", *words])
    parser.init_parser()
    options = parser.parser.parse_args(words)
    [playbook] = options.args
    assert playbook.startswith("prs.recovery.")
    assert (ROOT / "playbooks" / f"{playbook.removeprefix('prs.recovery.')}.yml").is_file()
    known = "".join(
        path.read_text(encoding="utf-8")
        for pattern in (
            "inventory.example/*/group_vars/all/main.yml",
            "roles/*/defaults/main.yml",
            "playbooks/**/*.yml",
        )
        for path in ROOT.glob(pattern)
    )
    for variable in options.extra_vars:
        assert re.search(rf"\b{variable.partition('=')[0]}\b", known), variable


@pytest.mark.parametrize("words", PLAYED)
def test_a_test_plays_it(words: list[str]):
    entry = entry_of(words)
    file, _, name = TESTED["ansible-playbook"][entry].partition("::")
    text = source(ROOT / file, name)
    for word in entry.split():
        if word != "-e" and word != "--ask-vault-pass" and "time_zone" not in word:
            variable, _, value = word.partition("=")
            assert variable in text and value.lower() in text.lower(), f"{name} does not say {word}"


def source(path: Path, name: str) -> str:
    """The function of a test, with its decorators."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise AssertionError(f"{path} has no function {name}")


def test_a_command_of_the_laboratory_is_one_and_is_tested():
    for page, words in COMMANDS:
        if words[0] == "prs-lab" and words[1].islower():
            lab_cli._parser().parse_args(words[1:])
            file = TESTED["prs-lab"][" ".join(words[1:])]
            assert f".{words[1]}(" in (ROOT / file).read_text(encoding="utf-8"), f"{page}: {words}"


@pytest.mark.parametrize("target", sorted({target_of(words) for _page, words in COMMANDS if words[0] == "make"}))
def test_a_target_of_make_is_one_and_somebody_runs_it(target: str):
    asked = subprocess.run(
        ["make", "--question", "--makefile", ROOT / "Makefile", target], cwd=ROOT, capture_output=True, text=True
    )
    assert "No rule to make target" not in asked.stderr
    by = TESTED["make"][target]
    if by != "by hand":
        assert re.search(rf"(?m)\b{target}\b", (ROOT / by).read_text(encoding="utf-8"))


def test_nothing_is_named_that_no_page_has():
    played = {entry_of(words[1:]) for _page, words in COMMANDS if words[0] == "ansible-playbook"}
    assert played == set(TESTED["ansible-playbook"])
    assert {target_of(words) for _page, words in COMMANDS if words[0] == "make"} == set(TESTED["make"])
    laboratory = {" ".join(words[1:]) for _page, words in COMMANDS if words[0] == "prs-lab" and words[1].islower()}
    assert laboratory == set(TESTED["prs-lab"])
