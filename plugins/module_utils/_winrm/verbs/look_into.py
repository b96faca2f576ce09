# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""look_into: what a small file is, without taking its content off the host.

Parameters: Path; Entry (default none): which entry of the archive that Path is, counted from 0.
Items in:   texts to look for, one character for each byte (Latin-1).
Items out:  one: size (bytes), xml (whether it is well-formed XML), found (positions of the texts that are in it,
            counted from 0).
Errors:     2, 3, 5, 32; kind InvalidDataException when Path is no ZIP archive.
Assumes:    the content fits into memory.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery look_into
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, [int]$Entry = -1, $Items)
$content = [System.IO.MemoryStream]::new()
$source = [System.IO.FileStream]::new((Get-LongPath $Path), 'Open', 'Read', 'ReadWrite, Delete')
try {
    $inner = $source
    if ($Entry -ge 0) {
        Add-Type -AssemblyName System.IO.Compression
        $zip = [System.IO.Compression.ZipArchive]::new($source, 'Read', $true, $plainText)
        $inner = $zip.get_Entries()[$Entry].Open()
    }
    $inner.CopyTo($content)
}
finally {
    $source.Dispose()
}
$text = [System.Text.Encoding]::GetEncoding(28591).GetString($content.ToArray())
$found = @()
$position = 0
foreach ($wanted in $Items) {
    if ($text.IndexOf($wanted, $ordinal) -ge 0) { $found += $position }
    $position++
}
$xml = $true
$content.Position = 0
try {
    $reader = [System.Xml.XmlReader]::Create($content)
    while ($reader.Read()) { $null = $reader.NodeType }
}
catch {
    $xml = $false
}
@{ size = $content.Length; xml = $xml; found = $found }
"""
