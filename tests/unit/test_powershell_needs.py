"""What the PowerShell of the collection uses stands in powershell_needs.yml with its release, and nothing else does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from powershell_uses import Uses, uses_of

from .test_powershell_texts import TEXTS

TABLE = yaml.safe_load(Path(__file__).with_name("powershell_needs.yml").read_text(encoding="utf-8"))
COMMANDS = {name: parameters for release in TABLE["commands"].values() for name, parameters in release.items()}
TYPES = [(name, members) for release in TABLE["types"].values() for name, members in release.items()]
IN_2016 = {".NET Framework 4.5", ".NET Framework 4.6", "IIS 7", "PowerShell 3.0"}
MADE_BY_THE_SCRIPTS = {"System.PrsRecoveryTrust"}
NOT_ON_LINUX = re.compile(
    r"Microsoft\.Web\.|System\.Data\.SqlClient\.|System\.ServiceProcess\.|System\.Security\.AccessControl\.|System\.IO\.FileSystemAcl"
)
FRAMEWORK_ALONE = {
    "System.IO.FileInfo.GetAccessControl", "System.IO.FileInfo.SetAccessControl", "System.IO.DirectoryInfo.GetAccessControl",
    "System.IO.DirectoryInfo.SetAccessControl",
}  # fmt: skip
"""Methods that .NET has as extensions: the scripts use those of FileSystemAclExtensions there."""


def everything() -> Uses:
    uses = Uses()
    for text in TEXTS.values():
        uses.add(uses_of(text))
    own = {name.lower() for text in TEXTS.values() for name in re.findall(r"(?im)^\s*function\s+([\w-]+)", text)}
    uses.commands = {name: parameters for name, parameters in uses.commands.items() if name.lower() not in own}
    uses.types -= MADE_BY_THE_SCRIPTS
    return uses


USES = everything()


def unknown(uses: Uses) -> Iterator[str]:
    """What is used and stands nowhere. Properties in small letters are the scripts' own."""
    names = {member for _, members in TYPES for member in members}
    names |= {member for members in TABLE["objects"].values() for member in members}
    known = {(name, member) for name, members in TYPES for member in members}
    yield from sorted(uses.types - {name for name, _ in TYPES} - set(TABLE["objects"]))
    for name, member in sorted(uses.members):
        if name in MADE_BY_THE_SCRIPTS or (not name and member[0].islower() and not member.startswith("get_")):
            continue
        if (name, member) not in known if name else member not in names:
            yield f"{name}.{member}"
    for command, parameters in sorted(uses.commands.items()):
        if command not in COMMANDS:
            yield command
        yield from (f"{command} -{parameter}" for parameter in sorted(parameters - set(COMMANDS.get(command, []))))


def unused(uses: Uses) -> Iterator[str]:
    """What stands in the table and is used nowhere."""
    for name, members in TYPES:
        if name not in uses.types and not members:
            yield name
        yield from (f"{name}.{member}" for member in members if not {(name, member), ("", member)} & uses.members)
    for thing, members in TABLE["objects"].items():
        yield from (f"{thing}: {member}" for member in members if ("", member) not in uses.members)
    for command, parameters in COMMANDS.items():
        if command not in uses.commands:
            yield command
        yield from (
            f"{command} -{parameter}" for parameter in parameters if parameter not in uses.commands.get(command, ())
        )


def test_all_that_is_used_has_its_release() -> None:
    assert not list(unknown(USES)), "look up since when it is there, and put it into powershell_needs.yml"


def test_nothing_stands_there_that_is_not_used() -> None:
    assert not list(unused(USES)), "take it out of powershell_needs.yml"


def test_what_the_oldest_windows_does_not_have_has_its_reason() -> None:
    newer = {
        f"{name}.{member}"
        for release, types in TABLE["types"].items()
        if release not in IN_2016
        for name, members in types.items()
        for member in members
    }
    assert newer == set(TABLE["newer"])
    assert set(TABLE["commands"]) <= {"Windows Server 2012", "Windows Server 2012 R2", "Windows Server 2016"}


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("[System.IO.Pipes.PipeStream]$x", "System.IO.Pipes.PipeStream"), ("[System.IO.File]::ReadLines($x)", "System.IO.File.ReadLines"), ("$x.Frobnicate()", ".Frobnicate"),
        ("Get-FileHash -Path $x", "Get-FileHash"), ("Get-Item -Force -LiteralPath $x", "Get-Item -Force"), ("New-Object -TypeName System.Random", "System.Random"),
        ("New-Object -ComObject Shell.Application", "COM Shell.Application"), ("[System.Collections.Generic.Queue[string]]::new()", "System.Collections.Generic.Queue"),
    ],
)  # fmt: skip
def test_what_is_missing_is_found(script: str, what: str) -> None:
    assert what in list(unknown(uses_of(script)))


def test_what_is_left_over_is_found() -> None:
    left = list(unused(Uses()))
    assert {
        "System.IO.File.Copy",
        "Get-Acl",
        "Get-Acl -LiteralPath",
        "COM WScript.Network: Item",
        "System.IO.DirectoryNotFoundException",
    } <= set(left)


@pytest.mark.pwsh
@pytest.mark.skipif(not shutil.which("pwsh"), reason="there is no pwsh on PATH")
def test_powershell_7_has_all_of_it(tmp_path: Path) -> None:
    """Types, members and parameters, but those of Windows."""
    types = {name: members for name, members in TYPES if not NOT_ON_LINUX.match(name)}
    (tmp_path / "table.json").write_text(json.dumps({"types": types, "commands": COMMANDS}))
    script = r"""
    $table = ConvertFrom-Json (Get-Content -Raw table.json) -AsHashtable
    foreach ($name in $table.types.Keys) {
        $type = foreach ($form in $name, "$name``1", "$name``2") { if ($form -as [type]) { $form -as [type] } }
        if (-not $type) { $name; continue }
        foreach ($member in $table.types[$name]) {
            $isThere = $member -eq 'new' -or @($type | ForEach-Object { $_.GetMember($member, 'Public, Instance, Static, FlattenHierarchy') })
            if (-not $isThere) { "$name.$member" }
        }
    }
    foreach ($name in $table.commands.Keys) {
        $command = Get-Command $name -ErrorAction Ignore
        if (-not $command) { $name; continue }
        foreach ($parameter in $table.commands[$name]) { if (-not $command.Parameters.ContainsKey($parameter)) { "$name -$parameter" } }
    }
    """
    done = subprocess.run(["pwsh", "-NoProfile", "-Command", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    windows_alone = {
        "Get-Acl",
        "Get-CimInstance",
        "Get-Service",
        "Get-WindowsFeature",
        "New-Object -ComObject",
        "Set-Acl",
    }
    assert set(done.stdout.split("\n")) - {""} - windows_alone <= FRAMEWORK_ALONE
