# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""write_lines: write a text file, so that it is there whole or not at all.

Parameters: Path. An existing file is replaced, also one that is marked as read-only.
Items in:   one string for each line.
Items out:  none.
Errors:     3, 5, 53, 112; then nothing is left but what was there.
Assumes:    a rename within a folder is done at once, which NTFS and SMB see to, and so is the exchange of two files. On
            a file server that has no such exchange there is a moment without either, and then the .partial stays.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery write_lines
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, $Items)
$final = Get-LongPath $Path
$partial = "$final.partial"
Clear-ReadOnly $partial
$file = [System.IO.FileStream]::new($partial, 'Create', 'Write', 'None')
$whole = $false
try {
    try {
        $writer = [System.IO.StreamWriter]::new($file, $plainText)
        $writer.NewLine = "`n"
        foreach ($line in $Items) { $writer.WriteLine($line) }
        $writer.Flush()
        $file.Flush($true)
    }
    finally {
        $file.Dispose()
    }
    Clear-ReadOnly $final
    $replaced = $false
    if ([System.IO.File]::Exists($final)) {
        try {
            # Rights of the old file are taken over as far as the share lets them be: it may grant no more than changes.
            [System.IO.File]::Replace($partial, $final, [NullString]::Value, $true)
            $replaced = $true
        }
        catch {
            # Not every file server can exchange two files (1, 50: no such function).
            if (1, 50 -notcontains (Get-Fault $_)['number']) { throw }
            [System.IO.File]::Delete($final)
            # From here on there is nothing but this file.
            $whole = $true
        }
    }
    if (-not $replaced) { [System.IO.File]::Move($partial, $final) }
}
finally {
    if (-not $whole) { [System.IO.File]::Delete($partial) }
}
"""
