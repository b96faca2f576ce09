# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""remove: remove a file, or a folder with all that it holds.

Parameters: Path.
Items out:  one: removed (whether anything was there).
Errors:     5, 32, 145. What could be removed before the error stays removed.
Assumes:    a link is removed, never what it leads to. Nobody wants to keep what is marked as read-only.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery remove
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path)
$full = Get-LongPath $Path
$removed = $true
$count = 0
if ([System.IO.Directory]::Exists($full)) {
    $todo = [System.Collections.Generic.Stack[object]]::new()
    $emptied = [System.Collections.Generic.Stack[object]]::new()
    $entries = @([System.IO.DirectoryInfo]::new($full))
    while ($true) {
        foreach ($entry in $entries) {
            $attributes = [int]$entry.Attributes
            # Marked as read-only, as Explorer marks folders that somebody gave an icon, it would stop the removal.
            if ($attributes -band $readOnlyBit) { $entry.Attributes = $attributes -bxor $readOnlyBit }
            if (($attributes -band $folderBit) -and -not ($attributes -band $linkBit)) { $todo.Push($entry) }
            else { $entry.Delete() }
            $count++
            if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $count } }
        }
        if ($todo.Count -eq 0) { break }
        $folder = $todo.Pop()
        $emptied.Push($folder)
        $entries = $folder.GetFileSystemInfos()
    }
    foreach ($folder in $emptied) {
        $folder.Delete()
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $count } }
    }
}
elseif ([System.IO.File]::Exists($full)) {
    [System.IO.File]::SetAttributes($full, [System.IO.FileAttributes]::Normal)
    [System.IO.File]::Delete($full)
}
else {
    $removed = $false
}
@{ removed = $removed }
"""
