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
$todo.Push(@([System.IO.DirectoryInfo]::new((Get-LongPath $Path)), ''))
$count = 0
$names, $times, $sizes, $folders, $links, $secrets = New-Column 'name', 'modified' 'size' 'folder', 'link', 'encrypted'
while ($todo.Count -gt 0) {
    $folder, $prefix = $todo.Pop()
    try { $entries = $folder.GetFileSystemInfos() } catch [System.IO.DirectoryNotFoundException] {
        if ($prefix -eq '') { throw }
        continue
    }
    catch [System.UnauthorizedAccessException] {
        if ($prefix -eq '') { throw }
        Send-Column
        @{ name = $prefix.Substring(0, $prefix.Length - 1); error = (Get-Fault $_) }
        continue
    }
    foreach ($entry in $entries) {
        $attributes = [int]$entry.Attributes
        $name = $prefix + $entry.Name
        $isFolder = ($attributes -band $folderBit) -ne 0
        $isLink = ($attributes -band $linkBit) -and (Test-Link $entry)
        $size = [long]0
        if (-not $isFolder) { $size = [long]$entry.Length }
        $names.Add($name)
        $folders.Add($isFolder)
        $links.Add($isLink)
        $secrets.Add(($attributes -band $encryptedBit) -ne 0)
        $sizes.Add($size)
        $times.Add($entry.LastWriteTimeUtc.ToString('o'))
        if ($names.Count -ge $rowsAtOnce) { Send-Column }
        if ($isFolder -and -not $isLink -and $Recurse) { $todo.Push(@($entry, "$name/")) }
        $count++
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $count } }
    }
}
"""
