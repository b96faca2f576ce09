# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entries: what is in a ZIP archive.

Parameters: Archive; Hash (default false): also read every entry to its end; Checksum (default false): with Hash, also its CRC-32.
Items out:  one for each entry, in the archive's order: index, name (as the archive has it), size, packed (bytes), attributes (the external ones; 0 where
            this .NET does not tell them), with Hash also sha256, or error when the entry cannot be read. With Checksum also crc (as the archive says) and
            crc_read (of what was read): .NET before version 11 does not compare them.
Errors:     2, 3, 5, 32, 53; kind InvalidDataException when the file is no ZIP archive or its directory is damaged.
Assumes:    .NET Framework 4.5 or later, whose class of an entry has had its checksum in the field _crc32 from then on.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery entries
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Archive, [bool]$Hash = $false, [bool]$Checksum = $false)
Add-Type -AssemblyName System.IO.Compression
$sha = New-Sha256
$index = 0
$bytes = [long]0
$crc = [System.IO.Compression.ZipArchiveEntry].GetField('_crc32', 'NonPublic, Instance')
# An archive that goes nowhere: .NET works out the checksum of what is written to it.
$nowhere = [System.IO.Compression.ZipArchive]::new([System.IO.Stream]::Null, 'Create', $true)
$source = [System.IO.FileStream]::new((Get-LongPath $Archive), 'Open', 'Read', 'Read')
try {
    $zip = [System.IO.Compression.ZipArchive]::new($source, 'Read')
    foreach ($entry in $zip.Entries) {
        $answer = @{
            index = $index
            name = $entry.FullName
            size = $entry.Length
            packed = $entry.CompressedLength
            attributes = [long]$entry.ExternalAttributes
        }
        if ($Hash) {
            try {
                $reader = $entry.Open()
                try {
                    if ($Checksum) {
                        $again = $nowhere.CreateEntry('x', [System.IO.Compression.CompressionLevel]::NoCompression)
                        $sha = New-Sha256
                        $writer = [System.Security.Cryptography.CryptoStream]::new($again.Open(), $sha, 'Write')
                        try { $reader.CopyTo($writer, 1048576) }
                        finally { $writer.Dispose() }
                        $answer['sha256'] = Format-Hash $sha.Hash
                        $answer['crc'] = $crc.GetValue($entry)
                        $answer['crc_read'] = $crc.GetValue($again)
                    }
                    else {
                        $answer['sha256'] = Format-Hash ($sha.ComputeHash($reader))
                    }
                }
                finally {
                    $reader.Dispose()
                }
            }
            catch {
                $answer['error'] = Get-Fault $_
            }
            $bytes += $entry.Length
        }
        $answer
        $index++
        Send-Progress @{ bytes = $bytes }
    }
}
finally {
    $source.Dispose()
}
"""
