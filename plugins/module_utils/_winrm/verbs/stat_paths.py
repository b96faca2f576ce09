# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""stat_paths: what is at some paths.

Items in:   paths, local or UNC.
Items out:  one for each: path, exists, folder, size (bytes, 0 for a folder), modified (UTC, ISO 8601, empty when
            nothing is there), free (bytes of its drive; null for a share), error (null, or number, kind, message: what
            kept it from being looked at, such as 5 or 53).
Errors:     none for the whole. That nothing is there (2, 3) is an answer, no error.
Assumes:    nothing.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery stat_paths
[CmdletBinding()]
param($Items)
$looked = 0
foreach ($path in $Items) {
    $full = Get-LongPath $path
    $answer = @{
        path = $path; exists = $false; folder = $false; size = [long]0; modified = ''; free = $null; error = $null
    }
    try {
        $attributes = [int][System.IO.File]::GetAttributes($full)
        $answer['folder'] = ($attributes -band $folderBit) -ne 0
        $answer['modified'] = [System.IO.File]::GetLastWriteTimeUtc($full).ToString('o')
        if (-not $answer['folder']) { $answer['size'] = [System.IO.FileInfo]::new($full).get_Length() }
        $answer['exists'] = $true
    }
    catch {
        $fault = Get-Fault $_
        if ($fault['number'] -ne 2 -and $fault['number'] -ne 3) { $answer['error'] = $fault }
    }
    if ($path -match '^[A-Za-z]:') {
        try { $answer['free'] = [System.IO.DriveInfo]::new($path.Substring(0, 1)).get_AvailableFreeSpace() }
        catch { $answer['free'] = $null }
    }
    $answer
    # A share whose server is gone takes its time.
    $looked++
    if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $looked } }
}
"""
