# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""read_lines: the lines of a text file, or of a text in a ZIP archive.

Parameters: Path; Entry (default none): the name of an entry of the archive that Path is, with /; First (default all):
            how many lines at most.
Items out:  one string for each line. Nothing at all when the archive has no such entry, in whichever of the two ways it
            separates folders.
Errors:     2, 3, 5, 32, 53; kind InvalidDataException when Path is no ZIP archive.
Assumes:    UTF-8.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery read_lines
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, [string]$Entry, [int]$First = [int]::MaxValue)
$source = [System.IO.FileStream]::new((Get-LongPath $Path), 'Open', 'Read', 'Read')
try {
    $text = $source
    if ($Entry) {
        Add-Type -AssemblyName System.IO.Compression
        $zip = [System.IO.Compression.ZipArchive]::new($source, 'Read', $true, $plainText)
        $stored = $zip.GetEntry($Entry)
        # Some programs separate the folders of an archive by the other stroke.
        if ($null -eq $stored) { $stored = $zip.GetEntry($Entry.Replace($slash, [char]'\')) }
        if ($null -eq $stored) { return }
        $text = $stored.Open()
    }
    $reader = [System.IO.StreamReader]::new($text, $plainText)
    $size = 0
    for ($count = 0; $count -lt $First -and $null -ne ($line = $reader.ReadLine()); $count++) {
        $batch.Add($line)
        $size += $line.Length
        if ($size -ge 131072) {
            Send-Batch
            $size = 0
        }
    }
}
finally {
    $source.Dispose()
}
"""
