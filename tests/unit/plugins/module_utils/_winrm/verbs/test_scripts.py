"""The PowerShell of the collection's modules, as text: a grammar accepts it, it says what it is, and it fits where it
has to fit.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import tree_sitter_powershell
from ansible_collections.prs.recovery.plugins.module_utils._winrm import verbs
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import runner
from prs_lab.windows.models import load_models
from prs_lab.windows.scripts.verbs import VERBS
from tree_sitter import Language, Node, Parser

VERB_FILES = sorted(path for folder in verbs.__path__ for path in Path(folder).glob("*.py") if path.stem != "__init__")
LONGEST_COMMAND_LINE = 8191
LONGEST_LINE = 120


def verb_module(path: Path) -> ModuleType:
    return importlib.import_module(f"{verbs.__name__}.{path.stem}")


SCRIPTS = {
    "bootstrap": runner.BOOTSTRAP,
    "runner": runner.RUNNER,
    **{path.stem: verb_module(path).SCRIPT for path in VERB_FILES},
}


def parse(script: str) -> Node:
    return Parser(Language(tree_sitter_powershell.language())).parse(script.encode()).root_node


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def mistakes(script: str) -> list[str]:
    return [
        f"line {node.start_point[0] + 1}: {node.text!r}"
        for node in nodes(parse(script))
        if node.type == "ERROR" or node.is_missing
    ]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_grammar_accepts_it(name: str) -> None:
    assert mistakes(SCRIPTS[name]) == []


@pytest.mark.parametrize(
    "broken", ["if ($x) { 1", "foreach ($x in) { }", "$x = @{ a = 1", "'no end", "function { }", "try { 1 }\n$x ="]
)
def test_the_grammar_refuses_what_is_broken(broken: str) -> None:
    assert mistakes(broken) or parse(broken).has_error


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_says_its_name_and_has_nothing_that_a_code_page_could_hurt(name: str) -> None:
    assert SCRIPTS[name].startswith(f"# prs.recovery {name}\n")
    assert SCRIPTS[name].isascii() and "\r" not in SCRIPTS[name] and "\t" not in SCRIPTS[name]
    assert max(map(len, SCRIPTS[name].splitlines())) <= LONGEST_LINE


def test_the_command_line_holds_the_bootstrap() -> None:
    assert len(runner.COMMAND_LINE) < LONGEST_COMMAND_LINE / 4


# What only PowerShell 7 knows, and what leaves a trace or asks for the internet.
NOT_HERE = re.compile(
    r"\?\?|&&|\|\||-Parallel|Invoke-WebRequest|Invoke-Expression|Install-Module|Write-Host|ConvertTo-SecureString|-AsPlainText",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", SCRIPTS)
def test_windows_powershell_knows_all_of_it(name: str) -> None:
    assert not NOT_HERE.search(SCRIPTS[name])


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_variable_has_one_spelling(name: str) -> None:
    """PowerShell knows no case: $path would overwrite the parameter $Path."""
    spellings: dict[str, set[str]] = {}
    for variable in re.findall(r"[$@](\w+)", SCRIPTS[name]):
        spellings.setdefault(variable.lower(), set()).add(variable)
    assert not [variants for variants in spellings.values() if len(variants) > 1]


# A scope of PowerShell sees what the scopes around it have.
FROM_THE_RUNNER = {
    "answers", "batch", "between", "buffer", "columns", "createNew", "encryptedBit", "expected", "folderBit", "items", "linkBit", "longForm", "open", "ordinal", "parameters",
    "pending", "plainText", "property", "read", "readOnlyBit", "request", "rowsAtOnce", "script", "separator", "shareAll", "shareNone", "sinceProgress", "slash", "write",
}  # fmt: skip
AUTOMATIC = {"null", "true", "false", "_", "input", "env", "PSVersionTable", "ExecutionContext"}
CMDLETS = {
    "Add-Type", "ConvertFrom-Json", "ConvertTo-Json", "Get-Command", "Get-PSDrive", "Get-Service", "New-Object", "New-PSDrive", "Remove-PSDrive", "Start-Sleep",
    "Test-Path",
}  # fmt: skip


def assigned(script: str) -> set[str]:
    """Variables that get a value: by =, by foreach, or as one of several."""
    return set(re.findall(r"\$(\w+)(?=(?:, \$\w+)* (?:[-+]?=|in) )", script))


@pytest.mark.parametrize("path", VERB_FILES, ids=lambda path: path.stem)
def test_a_verb_takes_no_name_that_the_runner_needs(path: Path) -> None:
    assert not assigned(SCRIPTS[path.stem]) & FROM_THE_RUNNER


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_read_was_given_a_value(name: str) -> None:
    script = SCRIPTS[name]
    known = assigned(script) | AUTOMATIC | variables_of_params(script)
    assert set(re.findall(r"[$@](\w+)", script)) - known <= (
        FROM_THE_RUNNER if name not in ("bootstrap", "runner") else set()
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_command_is_known(name: str) -> None:
    commands = {
        node.text.decode()
        for node in nodes(parse(SCRIPTS[name]))
        if node.type == "command_name" and node.text.decode()[0].isalpha()
    }
    functions = set(re.findall(r"function ([\w-]+)", runner.RUNNER + SCRIPTS[name]))
    # The grammar takes the blocks of a script for commands.
    assert commands <= CMDLETS | functions | {"begin", "process", "end"}


def variables_of_params(script: str) -> set[str]:
    blocks = [node for node in nodes(parse(script)) if node.type == "param_block"]
    return {name for block in blocks for name in re.findall(r"\$(\w+)", block.text.decode())}


def script_parameters(script: str) -> dict[str, bool]:
    """Name -> mandatory, of the script's own param block."""
    block = next(node for node in nodes(parse(script)) if node.type == "param_block")
    found = {}
    for node in nodes(block):
        if node.type == "script_parameter":
            text = node.text.decode()
            name = re.search(r"\$(\w+)", re.sub(r"\[ValidateSet\([^)]*\)\]", "", text))
            assert name
            found[name[1]] = "Mandatory" in text
    return found


@pytest.mark.parametrize("path", VERB_FILES, ids=lambda path: path.stem)
def test_the_twins_model_has_the_scripts_parameters(path: Path) -> None:
    load_models()
    model = inspect.signature(VERBS[path.stem]).parameters
    modelled = {name: parameter.default is parameter.empty for name, parameter in model.items() if name != "call"}
    assert modelled == script_parameters(SCRIPTS[path.stem])


@pytest.mark.parametrize("path", VERB_FILES, ids=lambda path: path.stem)
def test_the_docstring_says_what_goes_in_and_out(path: Path) -> None:
    text = verb_module(path).__doc__ or ""
    assert text.startswith(f"{path.stem}: ")
    for heading in ("Items out:", "Errors:", "Assumes:"):
        assert heading in text
    for name in set(script_parameters(SCRIPTS[path.stem])) - {"Items"}:
        assert re.search(rf"\b{name}\b", text), f"{name} is not explained"
    assert ("Items in:" in text) == ("Items" in script_parameters(SCRIPTS[path.stem]))
