# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""write_lines: write a text file, so that it is there whole or not at all.

Parameters: Path. An existing file is replaced, also one that is marked as read-only. Utf16: in UTF-16 with a byte order
            mark, otherwise in UTF-8 without one. Patience: milliseconds for which
            the exchange is tried again where another program has one of the files open. It is not begun anew: a virus
            scanner that looks at what is new would look again.
Items in:   one string for each line.
Items out:  none.
Errors:     3, 5, 32, 53, 112; then nothing is left but what was there.
Assumes:    a rename within a folder is done at once, which NTFS and SMB see to, and so is the exchange of two files. On
            a file server that has no such exchange there is a moment without either, and then the .partial stays.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery write_lines
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, [int]$Patience = 0, [bool]$Utf16 = $false, $Items)
$final = Get-LongPath $Path
$partial = "$final.partial"
Clear-ReadOnly $partial
$file = [System.IO.FileStream]::new($partial, 'Create', 'Write', 'None')
$encoding = $plainText
if ($Utf16) { $encoding = [System.Text.Encoding]::Unicode }
$whole = $false
try {
    try {
        $writer = [System.IO.StreamWriter]::new($file, $encoding)
        $writer.NewLine = "`n"
        foreach ($line in $Items) { $writer.WriteLine($line) }
        $writer.Flush()
        $file.Flush($true)
    }
    finally {
        $file.Dispose()
    }
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        try {
            Clear-ReadOnly $final
            $replaced = $false
            if ([System.IO.File]::Exists($final)) {
                try {
                    # Rights of the old file are taken over as far as the share lets them be: it may grant no more than
                    # changes.
                    [System.IO.File]::Replace($partial, $final, [NullString]::Value, $true)
                    $replaced = $true
                }
                catch {
                    # 1176: the old file is gone, and the new one has its own name still.
                    $number = (Get-Fault $_)['number']
                    if ($number -eq 1176) { $whole = $true }
                    # Not every file server can exchange two files (1, 50: no such function).
                    if (1, 50 -notcontains $number) { throw }
                    [System.IO.File]::Delete($final)
                    # From here on there is nothing but this file.
                    $whole = $true
                }
            }
            if (-not $replaced) { [System.IO.File]::Move($partial, $final) }
            break
        }
        catch {
            $inUse = 5, 32, 33, 1175, 1176 -contains (Get-Fault $_)['number']
            if (-not $inUse -or $clock.ElapsedMilliseconds -ge $Patience) { throw }
        }
        Start-Sleep -Milliseconds 250
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ waits = $true } }
    }
}
finally {
    # What cannot be removed stays: why there is no file is more important.
    if (-not $whole) { try { [System.IO.File]::Delete($partial) } catch { $null = $_ } }
}
"""
