# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hash_files: SHA-256 of files.

Parameters: Path of the folder.
Items in:   names within it, with /.
Items out:  one for each name: name, and either size and sha256 (hex) or error (number, kind, message). A file that
            cannot be read is no reason to stop.
Errors:     none for the whole.
Assumes:    a file that another process writes may be read meanwhile.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery hash_files
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, $Items)
$root = Join-Name $Path ''
$sha = New-Sha256
$bytes = [long]0
$names, $hashes, $sizes = New-Column 'name', 'sha256' 'size'
foreach ($name in $Items) {
    $file = $null
    try {
        $file = [System.IO.FileStream]::new($root + $name.Replace($slash, $separator), $open, $read, $shareAll, 1)
        $size = [long]0
        $filled = 0
        while (($count = $file.Read($buffer, $filled, $buffer.Length - $filled)) -gt 0) {
            $filled += $count
            if ($filled -lt $buffer.Length) { continue }
            if ($size -eq 0) { $sha.Initialize() }
            $null = $sha.TransformBlock($buffer, 0, $filled, $null, 0)
            $size += $filled
            $filled = 0
            if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes + $size } }
        }
        # Most files fit into the buffer, and are hashed in one call.
        if ($size -eq 0) { $digest = $sha.ComputeHash($buffer, 0, $filled) }
        else {
            $null = $sha.TransformFinalBlock($buffer, 0, $filled)
            $digest = $sha.Hash
        }
        $size += $filled
        $bytes += $size
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes } }
        $hash = [BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant()
        $names.Add($name)
        $hashes.Add($hash)
        $sizes.Add($size)
        if ($names.Count -ge $rowsAtOnce) { Send-Column }
    }
    catch {
        Send-Column
        @{ name = $name; error = (Get-Fault $_) }
    }
    finally {
        if ($null -ne $file) { $file.Dispose() }
    }
}
"""
