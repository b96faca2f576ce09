# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entry_names: names in a ZIP archive whose letters .NET cannot know, as the bytes that they are.

Parameters: Archive.
Items out:  one for each entry whose name is neither ASCII nor marked as UTF-8: index (in the archive), name (as its
            header has it) and extra (the extra fields of that header), both in base64. Nothing at all where this .NET
            does not tell where the archive's directory begins.
Errors:     2, 3, 5, 32, 53; kind InvalidDataException when the file is no ZIP archive or its directory is damaged.
Assumes:    .NET Framework 4.5 or later, whose class of an archive has had the beginning of its directory in the field
            _centralDirectoryStart from then on. It has read that directory, and holds its entries in the same order: a
            header of 46 bytes, the name, the extra fields and a comment each (PKWARE's APPNOTE, 4.3.12).
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery entry_names
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Archive)
Add-Type -AssemblyName System.IO.Compression
$start = [System.IO.Compression.ZipArchive].GetField('_centralDirectoryStart', 'NonPublic, Instance')
if ($null -eq $start) { return }
$index = 0
$names, $extras, $indices = New-Column 'name', 'extra' 'index'
$source = [System.IO.FileStream]::new((Get-LongPath $Archive), 'Open', 'Read', 'Read')
try {
    $zip = [System.IO.Compression.ZipArchive]::new($source, 'Read', $true, $plainText)
    $entries = $zip.get_Entries()
    $source.Position = $start.GetValue($zip)
    $reader = [System.IO.BinaryReader]::new($source)
    foreach ($entry in $entries) {
        $header = $reader.ReadBytes(46)
        $name = $reader.ReadBytes([BitConverter]::ToUInt16($header, 28))
        $extra = $reader.ReadBytes([BitConverter]::ToUInt16($header, 30))
        $null = $reader.ReadBytes([BitConverter]::ToUInt16($header, 32))
        $isUtf8 = $header[9] -band 8
        if (-not $isUtf8 -and $entry.FullName -cmatch '[^\x00-\x7f]') {
            $names.Add([Convert]::ToBase64String($name))
            $extras.Add([Convert]::ToBase64String($extra))
            $indices.Add($index)
            if ($names.Count -ge $rowsAtOnce) { Send-Column }
        }
        $index++
    }
}
finally {
    $source.Dispose()
}
"""
