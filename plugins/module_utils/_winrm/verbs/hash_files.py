# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hash_files: SHA-256 of files.

Parameters: Path of the folder.
Items in:   names within it, with /.
Items out:  one for each name: name, and either size and sha256 (hex) or error (number, kind, message). A file that cannot be read is no reason to stop.
Errors:     none for the whole.
Assumes:    a file that another process writes may be read meanwhile.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery hash_files
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, $Items)
$sha = New-Sha256
$bytes = [long]0
foreach ($name in $Items) {
    try {
        $file = [System.IO.FileStream]::new((Join-Name $Path $name), 'Open', 'Read', 'ReadWrite, Delete')
        try {
            $hash = Format-Hash ($sha.ComputeHash($file))
            $size = $file.Position
        }
        finally {
            $file.Dispose()
        }
        @{ name = $name; size = $size; sha256 = $hash }
        $bytes += $size
    }
    catch {
        @{ name = $name; error = (Get-Fault $_) }
    }
    Send-Progress @{ bytes = $bytes }
}
"""
