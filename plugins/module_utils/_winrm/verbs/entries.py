# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entries: what is in a ZIP archive.

Parameters: Archive; Hash (default false): also read every entry to its end; Checksum (default false): with Hash, also
            its CRC-32 and how it is packed.
Items out:  one for each entry, in the archive's order: index, name (as the archive has it; what is no UTF-8 in it is
            U+FFFD), size, packed (bytes), attributes (the external ones; 0 where this .NET does not tell them), with
            Hash also sha256, or error when the entry cannot be read. With Checksum also crc (as the archive says) and
            crc_read (of what was read): .NET before version 11 does not compare them; and method (0 stored, 8 deflated,
            another one of PKWARE's numbers) and encrypted, both null where this .NET does not tell them.
Errors:     2, 3, 5, 32, 53; kind InvalidDataException when the file is no ZIP archive or its directory is damaged.
Assumes:    .NET Framework 4.5 or later, whose class of an entry has had its checksum in the field _crc32, its method in
            _storedCompressionMethod and its flags in _generalPurposeBitFlag from then on.
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
$class = [System.IO.Compression.ZipArchiveEntry]
$crc, $methods, $flags = foreach ($field in '_crc32', '_storedCompressionMethod', '_generalPurposeBitFlag') {
    , $class.GetField($field, 'NonPublic, Instance')
}
# An archive that goes nowhere: .NET works out the checksum of what is written to it.
$nowhere = [System.IO.Compression.ZipArchive]::new([System.IO.Stream]::Null, 'Create', $true)
$store = [System.IO.Compression.CompressionLevel]::NoCompression
$source = [System.IO.FileStream]::new((Get-LongPath $Archive), 'Open', 'Read', 'Read')
try {
    $zip = [System.IO.Compression.ZipArchive]::new($source, 'Read', $true, $plainText)
    foreach ($entry in $zip.get_Entries()) {
        $answer = @{
            index = $index
            name = $entry.FullName
            size = $entry.Length
            packed = $entry.CompressedLength
            attributes = [long]$entry.ExternalAttributes
        }
        if ($Hash) {
            $reader = $writer = $null
            try {
                if ($Checksum) {
                    $answer['crc'] = $crc.GetValue($entry)
                    $answer['method'] = $answer['encrypted'] = $null
                    if ($methods) { $answer['method'] = [int]$methods.GetValue($entry) }
                    if ($flags) { $answer['encrypted'] = ([int]$flags.GetValue($entry) -band 1) -eq 1 }
                    $again = $nowhere.CreateEntry('x', $store)
                    $writer = $again.Open()
                }
                $reader = $entry.Open()
                $size = [long]0
                $sha.Initialize()
                while (($count = $reader.Read($buffer, 0, $buffer.Length)) -gt 0) {
                    $null = $sha.TransformBlock($buffer, 0, $count, $null, 0)
                    if ($Checksum) { $writer.Write($buffer, 0, $count) }
                    $size += $count
                    if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes + $size } }
                }
                $null = $sha.TransformFinalBlock($buffer, 0, 0)
                $answer['sha256'] = [BitConverter]::ToString($sha.Hash).Replace('-', '').ToLowerInvariant()
                if ($Checksum) {
                    $writer.Dispose()
                    $answer['crc_read'] = $crc.GetValue($again)
                }
            }
            catch {
                $answer['error'] = Get-Fault $_
            }
            finally {
                if ($null -ne $writer) { $writer.Dispose() }
                if ($null -ne $reader) { $reader.Dispose() }
            }
            $bytes += $entry.Length
        }
        $answer
        $index++
    }
}
finally {
    $source.Dispose()
}
"""
