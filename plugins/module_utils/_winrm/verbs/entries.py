# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entries: what is in a ZIP archive.

Parameters: Archive; Hash (default false): also read every entry to its end; Checksum (default false): with Hash, also
            its CRC-32 and how it is packed.
Items out:  one for each entry, in the archive's order: index, name (as the archive has it; what is no UTF-8 in it is
            U+FFFD, and entry_names has its bytes), size, packed (bytes), attributes (the
            external ones; 0 where this .NET does not tell them), with Hash also sha256, or error when the entry cannot
            be read; and held (bytes), where it held more or less than its size says. With Checksum also crc (as the
            archive says) and crc_read (of what was read): .NET before version 11 does not compare them; and method (0
            stored, 8 deflated, another one of PKWARE's numbers) and encrypted, both null where this .NET does not tell
            them.
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
$Checksum = $Checksum -and $Hash
$index = 0
$bytes = [long]0
$more = @{}
if ($Hash) { $hashes = $more['sha256'] = [System.Collections.Generic.List[string]]::new() }
if ($Checksum) {
    $told, $computed, $ways, $secrets = foreach ($key in 'crc', 'crc_read', 'method', 'encrypted') {
        $more[$key] = [System.Collections.Generic.List[object]]::new()
        , $more[$key]
    }
}
$class = [System.IO.Compression.ZipArchiveEntry]
$crc, $methods, $flags = foreach ($field in '_crc32', '_storedCompressionMethod', '_generalPurposeBitFlag') {
    , $class.GetField($field, 'NonPublic, Instance')
}
$hasAttributes = $class.GetProperty('ExternalAttributes')

# The entries from $sent on, and what was read of them. What their directory says is asked of many at once.
function Send-Entry {
    param([int]$Most)
    if ($Most -eq 0) { return }
    $part = $entries.GetRange($sent, $Most)
    $names = $part.FullName -join $between
    if ($names.Split($between).Count -ne $Most) { $names = [string[]]$part.FullName }
    $table = @{
        name = $names
        index = $sent..($sent + $Most - 1)
        size = [long[]]$part.Length
        packed = [long[]]$part.CompressedLength
        attributes = [long[]]::new($Most)
    }
    if ($hasAttributes) { $table['attributes'] = [long[]]$part.ExternalAttributes }
    Send-Table ($table + $more)
    foreach ($column in $more.Values) { $column.Clear() }
}

# An archive that goes nowhere: .NET works out the checksum of what is written to it.
$nowhere = [System.IO.Compression.ZipArchive]::new([System.IO.Stream]::Null, 'Create', $true)
$store = [System.IO.Compression.CompressionLevel]::NoCompression
$source = [System.IO.FileStream]::new((Get-LongPath $Archive), 'Open', 'Read', 'Read')
try {
    $zip = [System.IO.Compression.ZipArchive]::new($source, 'Read', $true, $plainText)
    $entries = [System.Collections.Generic.List[object]]::new($zip.get_Entries())
    $sent = 0
    $toRead = @()
    if ($Hash) { $toRead = $entries }
    foreach ($entry in $toRead) {
        $length = $entry.Length
        $fault = $null
        $reader = $writer = $null
        try {
            if ($Checksum) {
                $again = $nowhere.CreateEntry('x', $store)
                $writer = $again.Open()
            }
            $reader = $entry.Open()
            $size = [long]0
            $filled = 0
            while (($count = $reader.Read($buffer, $filled, $buffer.Length - $filled)) -gt 0) {
                if ($Checksum) { $writer.Write($buffer, $filled, $count) }
                $filled += $count
                if ($filled -lt $buffer.Length) { continue }
                if ($size -eq 0) { $sha.Initialize() }
                $null = $sha.TransformBlock($buffer, 0, $filled, $null, 0)
                $size += $filled
                $filled = 0
                if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes + $size } }
            }
            # Most entries fit into the buffer, and are hashed in one call.
            if ($size -eq 0) { $digest = $sha.ComputeHash($buffer, 0, $filled) }
            else {
                $null = $sha.TransformFinalBlock($buffer, 0, $filled)
                $digest = $sha.Hash
            }
            if ($Checksum) { $writer.Dispose() }
        }
        catch {
            $fault = Get-Fault $_
        }
        finally {
            if ($null -ne $writer) { $writer.Dispose() }
            if ($null -ne $reader) { $reader.Dispose() }
        }
        $bytes += $length
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes } }
        if ($Checksum) {
            $method = $isSecret = $null
            if ($methods) { $method = [int]$methods.GetValue($entry) }
            if ($flags) { $isSecret = ([int]$flags.GetValue($entry) -band 1) -eq 1 }
        }
        if ($fault -or $size + $filled -ne $length) {
            Send-Entry ($index - $sent)
            $answer = @{ index = $index; name = $entry.FullName; size = $length; packed = $entry.CompressedLength }
            $answer['attributes'] = [long]$entry.ExternalAttributes
            if ($Checksum) { $answer += @{ crc = $crc.GetValue($entry); method = $method; encrypted = $isSecret } }
            if ($fault) { $answer['error'] = $fault }
            else {
                $answer['held'] = $size + $filled
                $answer['sha256'] = [BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant()
                if ($Checksum) { $answer['crc_read'] = $crc.GetValue($again) }
            }
            $answer
            $sent = $index + 1
        }
        else {
            $hashes.Add([BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant())
            if ($Checksum) {
                $told.Add($crc.GetValue($entry))
                $computed.Add($crc.GetValue($again))
                $ways.Add($method)
                $secrets.Add($isSecret)
            }
            if ($hashes.Count -ge $rowsAtOnce) {
                Send-Entry $hashes.Count
                $sent = $index + 1
            }
        }
        $index++
    }
    for (; $sent -lt $entries.Count; $sent += $rowsAtOnce) {
        Send-Entry ([Math]::Min($entries.Count - $sent, $rowsAtOnce))
    }
}
finally {
    $source.Dispose()
}
"""
