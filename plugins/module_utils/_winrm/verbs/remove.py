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
if ([System.IO.Directory]::Exists($full)) {
    # A file or folder marked as read-only, as Explorer marks folders that somebody gave an icon, would stop the removal half-way.
    $todo = [System.Collections.Generic.Stack[object]]::new()
    $todo.Push([System.IO.DirectoryInfo]::new($full))
    while ($todo.Count -gt 0) {
        $entry = $todo.Pop()
        if ($entry.Attributes.HasFlag([System.IO.FileAttributes]::ReadOnly)) {
            $entry.Attributes = $entry.Attributes -bxor [System.IO.FileAttributes]::ReadOnly
        }
        $isFolder = $entry.Attributes.HasFlag([System.IO.FileAttributes]::Directory)
        if ($isFolder -and -not $entry.Attributes.HasFlag([System.IO.FileAttributes]::ReparsePoint)) {
            foreach ($inner in $entry.GetFileSystemInfos()) { $todo.Push($inner) }
        }
    }
    [System.IO.Directory]::Delete($full, $true)
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
