# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""set_rights: let a folder inherit its rights from where it lies, and give it what was granted on it, or in it, before.

Parameters: Path; Like (default none): a folder whose own rights, those that it does not inherit, are given to Path as
            well; Below (default none): a folder like Path. What of the same name lies in both gets the own rights that
            it has there: all folders, and the files at the top.
Items out:  none. Everything below Path inherits anew before.
Errors:     3, 5.
Assumes:    Windows; the paths have less than 260 characters, longer ones below them are left as they inherit. Accounts
            are carried over by their SID, so names may be in any language.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery set_rights
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, [string]$Like, [string]$Below)
$bySid = [System.Security.Principal.SecurityIdentifier]
$isCore = $PSVersionTable.PSEdition -eq 'Core'
$longest = 248

function Get-Own {
    param($Entry)
    if ($isCore) { [System.IO.FileSystemAclExtensions]::GetAccessControl($Entry, 'Access') }
    else { $Entry.GetAccessControl('Access') }
}

# What Entry grants itself becomes what Known grants, or nothing.
function Set-Own {
    param($Entry, $Known, [bool]$Protected)
    $rights = Get-Own $Entry
    $rights.SetAccessRuleProtection($Protected, $false)
    foreach ($rule in @($rights.GetAccessRules($true, $false, $bySid))) {
        $null = $rights.RemoveAccessRuleSpecific($rule)
    }
    if ($Known) { foreach ($rule in @($Known.GetAccessRules($true, $false, $bySid))) { $rights.AddAccessRule($rule) } }
    if ($isCore) { [System.IO.FileSystemAclExtensions]::SetAccessControl($Entry, $rights) }
    else { $Entry.SetAccessControl($rights) }
}

$wanted = $null
if ($Like) { $wanted = Get-Own ([System.IO.DirectoryInfo]::new($Like)) }
Set-Own ([System.IO.DirectoryInfo]::new($Path)) $wanted $false
$todo = [System.Collections.Generic.Stack[string]]::new()
if ($Below) { $todo.Push('') }
while ($todo.Count -gt 0) {
    $inner = $todo.Pop()
    foreach ($old in [System.IO.DirectoryInfo]::new($Below + $inner).GetFileSystemInfos()) {
        $name = $inner + $separator + $old.Name
        $isFolder = $old.Attributes.HasFlag([System.IO.FileAttributes]::Directory)
        if ((Test-Link $old) -or ($inner -and -not $isFolder)) { continue }
        if (($Path + $name).Length -ge $longest -or ($Below + $name).Length -ge $longest) { continue }
        $new = [System.IO.FileInfo]::new($Path + $name)
        if ($isFolder) {
            $new = [System.IO.DirectoryInfo]::new($Path + $name)
            $todo.Push($name)
        }
        $own = Get-Own $old
        $isProtected = $own.AreAccessRulesProtected
        if ($new.Exists -and ($isProtected -or @($own.GetAccessRules($true, $false, $bySid)).Count -gt 0)) {
            Set-Own $new $own $isProtected
        }
    }
}
"""
