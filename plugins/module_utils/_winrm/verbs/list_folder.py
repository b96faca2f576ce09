# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""list_folder: what is in a folder.

Parameters: Path; Recurse (default true).
Items out:  one for each file and folder below Path, in no order: name (relative, with /), folder, link, encrypted (by
            EFS), size (bytes, 0 for a folder), modified (UTC, ISO 8601). A link (symbolic or a junction; of folders any
            reparse point) is named and never entered. A folder that is removed while the others are read is empty; for
            one below Path that may not be read there is a second item: name, error. Any other error ends the listing:
            what a share that went away holds is not left out.
Errors:     3 when there is no such folder, 5, 53, 67.
Assumes:    a folder's entries fit into memory, one folder at a time. Windows tells what they are together with their
            names, so nothing of an entry is asked for later.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery list_folder
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, [bool]$Recurse = $true)
$todo = [System.Collections.Generic.Stack[object]]::new()
$prefixes = [System.Collections.Generic.Stack[object]]::new()
$found = [System.Collections.Generic.List[object]]::new()
$names = [System.Collections.Generic.List[string]]::new()
$oddBits = $folderBit -bor $linkBit -bor $encryptedBit
$count = 0

# The first that were found. Nearly all are plain files: of those only the size is asked for one by one.
function Send-Found {
    $most = [Math]::Min($found.Count, $rowsAtOnce)
    $part = $found.GetRange(0, $most)
    $sizes = [System.Collections.Generic.List[long]]::new($most)
    $folders = [bool[]]::new($most)
    $links = [bool[]]::new($most)
    $secrets = [bool[]]::new($most)
    foreach ($entry in $part) {
        $attributes = [int]$entry.Attributes
        if ($attributes -band $oddBits) {
            $number = $sizes.Count
            $isFolder = ($attributes -band $folderBit) -ne 0
            $isLink = ($attributes -band $linkBit) -and (Test-Link $entry)
            $folders[$number] = $isFolder
            $links[$number] = $isLink
            $secrets[$number] = ($attributes -band $encryptedBit) -ne 0
            if ($isFolder) {
                $sizes.Add(0)
                if (-not $isLink -and $Recurse) {
                    $todo.Push($entry)
                    $prefixes.Push($names[$number] + $slash)
                }
                continue
            }
        }
        $sizes.Add($entry.Length)
    }
    # Times as a list of texts would cost a call each.
    $layout = '{' + (0..($most - 1) -join ":o}${between}{") + ':o}'
    Send-Table @{
        name = $names.GetRange(0, $most) -join $between
        modified = $layout -f $part.LastWriteTimeUtc
        size = $sizes
        folder = $folders
        link = $links
        encrypted = $secrets
    }
    $found.RemoveRange(0, $most)
    $names.RemoveRange(0, $most)
}

$todo.Push([System.IO.DirectoryInfo]::new((Get-LongPath $Path)))
$prefixes.Push('')
while ($todo.Count -gt 0 -or $found.Count -gt 0) {
    if ($todo.Count -eq 0 -or $found.Count -ge $rowsAtOnce) { Send-Found }
    else {
        $prefix = $prefixes.Pop()
        $entries = $null
        try { $entries = $todo.Pop().GetFileSystemInfos() } catch [System.IO.DirectoryNotFoundException] {
            if ($prefix -eq '') { throw }
        }
        catch [System.UnauthorizedAccessException] {
            if ($prefix -eq '') { throw }
            @{ name = $prefix.Substring(0, $prefix.Length - 1); error = (Get-Fault $_) }
        }
        if ($entries) {
            $found.AddRange($entries)
            $names.AddRange(($prefix + ($entries.Name -join "$between$prefix")).Split($between))
            $count += $entries.Count
        }
    }
    if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $count } }
}
"""
