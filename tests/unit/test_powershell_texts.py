"""What all PowerShell of the collection keeps to: that of the verbs and of the roles.

- PowerShell takes a property that fails for an empty one, and a method that fails for an error: what can fail is asked
  for by its method (`get_Entries()`, never `.Entries`).
- What depends on the culture is not the same on every server: dates have a culture, texts are compared by ordinals.
- Messages, formatted texts and names of accounts are in the language of Windows: nobody reads them, and an account is
  named by its SID.
- Nobody waits without a word, or without an end: who reads a file says how far it is, and CIM has its time.
- Aliases, and what only PowerShell 7 knows, are not for scripts.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_powershell
from ansible_collections.prs.recovery.plugins.module_utils._winrm import verbs
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import runner
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).resolve().parents[2]
VERBS = {
    path.stem: importlib.import_module(f"{verbs.__name__}.{path.stem}").SCRIPT
    for folder in verbs.__path__
    for path in Path(folder).glob("*.py")
    if path.stem != "__init__"
}
TEXTS = {
    "bootstrap": runner.BOOTSTRAP,
    "runner": runner.RUNNER,
    **VERBS,
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("roles/*/files/*.ps1"))},
}

THROWS = {
    "Entries", "AvailableFreeSpace", "TotalFreeSpace", "TotalSize", "Sites", "ApplicationPools", "WorkerProcesses", "State", "DnsNameList", "PrivateKey",
}  # fmt: skip
"""Properties whose getters fail where an archive is damaged, a drive is away, IIS is denied, Windows is not English."""
STATE_OF_CIM = ("$running.State",)
"""A CIM instance is a copy: what is read of it was read before."""
BY_CULTURE = {"StartsWith", "EndsWith", "Compare", "ToLower", "ToUpper"}
"""Methods that compare or fold by the culture unless they are told otherwise."""
LOCALISED = {"DisplayName", "FriendlyName", "StatusDescription", "LocalizedName", "Format"}
"""Properties and methods whose text is in the language of Windows."""
ENGLISH_NAME = re.compile(
    r"""(?ix) ^ ['"]? ( (BUILTIN|NT\sAUTHORITY)\\ .* | Everyone | Administrators | Users | Guests | SYSTEM ) ['"]? $"""
)
NEWER = {
    r"\?\?": "??", r"[\w})\]]\?[.\[]": "?. or ?[", r"\s\?\s[^{|]*?\s:\s": "? :", r"&&|\|\|": "&& or ||", r"(?m)^\s*clean\s*\{": "clean",
    r"\$(IsWindows|IsLinux|IsMacOS|IsCoreCLR|PSStyle)\b": "a variable", r"(?i)\b\d+(u|y|uy|s|us|ul|n)\b": "a suffix of a number", r"(?m)\s&\s*$": "&",
}  # fmt: skip
"""Syntax that only PowerShell 7 knows; its commands and parameters are missing in powershell_needs.yml."""
SAME_EVERYWHERE = ("'o'", "'s', ", ", $invariant", ", [System.Globalization.CultureInfo]::InvariantCulture", "'x2'")


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def text_of(node: Node | None) -> str:
    return node.text.decode() if node is not None and node.text is not None else ""


def without_texts(script: str, root: Node) -> str:
    """The script, blanks where its strings and comments are."""
    data = bytearray(script.encode())
    for node in nodes(root):
        if "string" in node.type or node.type == "comment":
            data[node.start_byte : node.end_byte] = re.sub(rb"[^\n]", b" ", data[node.start_byte : node.end_byte])
    return data.decode()


def findings(script: str) -> Iterator[str]:
    """What is wrong in a script: its line, the words, the reason."""
    root = Parser(Language(tree_sitter_powershell.language())).parse(script.encode()).root_node
    for pattern, what in NEWER.items():
        if match := re.search(pattern, without_texts(script, root)):
            yield f"line {script[: match.start()].count(chr(10)) + 1}: {match[0]}: {what} came with PowerShell 7"
    for node in nodes(root):
        reason = {
            "member_access": _getter, "invokation_expression": _culture, "command_name": _alias, "command": _wait, "while_statement": _silence,
        }.get(node.type, _operator)(node)  # fmt: skip
        if reason:
            yield f"line {node.start_point[0] + 1}: {text_of(node)[:80]}: {reason}"


def _member(node: Node) -> str:
    return next((text_of(child) for child in node.children if child.type == "member_name"), "")


def _getter(node: Node) -> str | None:
    name = _member(node)
    if name in LOCALISED:
        return "is in the language of Windows"
    if name in THROWS and text_of(node) not in STATE_OF_CIM:
        return f"a failing getter is an empty value, ask get_{name}()"
    if name == "Length" and "FileInfo]" in text_of(node):
        return "a failing getter is an empty value, ask get_Length()"
    return None


def _culture(node: Node) -> str | None:
    name = _member(node)
    if name in LOCALISED and "[string]" not in text_of(node):
        return "is in the language of Windows"
    arguments = text_of(next((child for child in node.children if child.type == "argument_list"), None))[1:-1]
    if name in BY_CULTURE and not re.search(r"\$ordinal|\$ignoreCase|StringComparison\]::Ordinal", arguments):
        return "follows the culture, name a StringComparison or fold by the invariant culture"
    if name in ("IndexOf", "LastIndexOf") and not re.search(r"\[char\]|\$separator|\$ordinal|Ordinal", arguments):
        return "searches by the culture, give a [char] or a StringComparison"
    if "BitConverter]" in text_of(node):
        return None
    if name == "ToString" and arguments and not any(f"{arguments}, ".find(same) >= 0 for same in SAME_EVERYWHERE):
        return "writes by the culture, name the invariant one"
    return None


def _alias(node: Node) -> str | None:
    name = text_of(node)
    if name in ("begin", "process", "end") or (not name[:1].isalpha() and name not in ("%", "?")):
        return None
    return None if re.fullmatch(r"[A-Z][A-Za-z]+-[A-Za-z0-9]+", name) else "is no command in full"


def _wait(node: Node) -> str | None:
    text = text_of(node)
    if text.startswith("Get-CimInstance") and not re.search(r"@bounded\b|-OperationTimeoutSec\b", text):
        return "waits for CIM without an end, give -OperationTimeoutSec"
    return None


def _silence(node: Node) -> str | None:
    """The loops of verbs; a script of a role has a time of its own, or reads little."""
    text = text_of(node)
    if re.search(r"\.Read\(\$buffer", text) and not re.search(r"\$sinceProgress\b|\$Clock\b", text):
        return "reads a file of any size without a word"
    return None


def _operator(node: Node) -> str | None:
    if "string" in node.type and ENGLISH_NAME.match(text_of(node)):
        return "is another name in another language, ask for its SID"
    if node.type == "comparison_operator" and re.fullmatch(r"-[ic]?(not)?like", text_of(node).lower()):
        return "follows the culture and reads [ as a set"
    if node.type == "comparison_expression" and re.search(
        r"\.Message\S*\s+-[ic]?(not)?(match|like|eq)\b", text_of(node)
    ):
        return "messages are in the language of Windows"
    return None


@pytest.mark.parametrize("name", TEXTS)
def test_it_keeps_to_the_rules(name: str) -> None:
    assert not list(findings(TEXTS[name]))


BROKEN = {
    "$zip.Entries": "get_Entries",
    "([System.IO.FileInfo]$name).Length": "get_Length",
    "$manager.Sites | ForEach-Object { $_.Name }": "get_Sites",
    "$name.StartsWith('x')": "culture",
    "$path.LastIndexOf($text)": "culture",
    "$name.ToLower()": "culture",
    "$date.ToString('yyyy-MM-ddTHH:mm:ssZ')": "culture",
    "if ($name -like '*.exe') { 1 }": "culture",
    "if ($_.Exception.Message -match 'denied') { 1 }": "language",
    "Get-CimInstance -ClassName Win32_Service": "without an end",
    "while (($count = $file.Read($buffer, 0, 9)) -gt 0) { $sum += $count }": "without a word",
    "gci -Path $x": "in full",
    "if ($certificate.FriendlyName -eq 'site') { 1 }": "language",
    "$extension.Format($true)": "language",
    "New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList 'BUILTIN\\Users'": "its SID",
    "Get-Acl -LiteralPath $x | Where-Object { $_.Owner -eq 'SYSTEM' }": "its SID",
    "$name = $given ?? 'x'": "PowerShell 7",
    "$length = ${name}?.Length": "PowerShell 7",
    "$text = $flag ? 'a' : 'b'": "PowerShell 7",
    "Get-Item -Path $x && Get-Item -Path $y": "PowerShell 7",
    "$count = 1u": "PowerShell 7",
    "if ($IsWindows) { 1 }": "PowerShell 7",
    "function f {\n process { 1 }\n clean { 2 }\n}": "PowerShell 7",
    "$x | % { $_ }": "in full",
}


@pytest.mark.parametrize("script", BROKEN)
def test_what_breaks_a_rule_is_found(script: str) -> None:
    assert any(BROKEN[script] in finding for finding in findings(script))


@pytest.mark.parametrize(
    "script",
    [
        "$zip.get_Entries()", "$name.StartsWith('x', $ordinal)", "$path.LastIndexOf([char]'/')", "$date.ToString('o')", "$number.ToString()",
        "$date.ToString('yyyy', $invariant)", "Get-Item -Path $x", "'what? this : that || ??'", "# $a ?? $b", "$one = 1; $big = 1048576",
        "'NT SERVICE\\MSSQLSERVER'", "'S-1-5-18'", "'HKLM:\\SYSTEM\\x'", "Get-CimInstance -ClassName X @bounded",
        "while (($count = $file.Read($buffer, 0, 9)) -gt 0) { if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = 1 } } }",
    ],
)  # fmt: skip
def test_what_keeps_to_them_is_not(script: str) -> None:
    assert not list(findings(script))


@pytest.mark.pwsh
@pytest.mark.skipif(not shutil.which("pwsh"), reason="there is no pwsh on PATH")
def test_powershells_own_parser_accepts_all(tmp_path: Path) -> None:
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.ps1").write_text(text, encoding="utf-8")
    command = (
        "foreach ($file in [IO.Directory]::GetFiles('.')) { $wrong = $null; "
        "$null = [System.Management.Automation.Language.Parser]::ParseFile((Resolve-Path $file), [ref]$null, [ref]$wrong); "
        "foreach ($one in $wrong) { $file + ': ' + $one.Message } }"
    )
    done = subprocess.run(["pwsh", "-NoProfile", "-Command", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


OF_ITS_OWN = {"Find-File": "in inspect_paths it also goes into folders, and names those that it may not read"}


def functions(name: str) -> dict[str, str]:
    """The functions of a script, by their names."""
    blocks = re.findall(r"^function ([\w-]+) \{.*?^\}$", TEXTS[name], re.MULTILINE | re.DOTALL)
    return {
        function: re.search(rf"^function {function} \{{.*?^\}}$", TEXTS[name], re.MULTILINE | re.DOTALL)[0]  # type: ignore[index]
        for function in blocks
    }


def test_a_function_that_two_scripts_have_is_the_same_in_both():
    """A script goes to its server as one text, so what two of them need stands in both."""
    known: dict[str, tuple[str, str]] = {}
    for script in (name for name in TEXTS if name not in VERBS and name not in ("bootstrap", "runner")):
        for function, text in functions(script).items():
            first, other = known.setdefault(function, (script, text))
            assert text == other or function in OF_ITS_OWN, f"{function} differs in {first} and {script}"
    assert {"Find-LostShare", "Assert-Share", "Get-Cause", "Add-Failure", "Find-File"} <= set(known)
