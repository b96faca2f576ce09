# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""unpack: write entries of a ZIP archive as new files below a folder.

Parameters: Archive; Target, a folder that exists.
Items in:   one for each entry to write, a list: index (in the archive), name (relative to Target, with /), size (bytes,
            as the archive says), whether it is a folder. What may be written, and under which name, was decided before.
Items out:  one for each file: name, size, sha256 of what was written.
Errors:     80 or 183 when a file exists, 112, 5; kind InvalidDataException when an entry is damaged or holds more than
            its size says. What was written until then stays: the folder is thrown away by who made it.
Assumes:    .NET Framework 4.5 or later. Streams.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery unpack
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Archive, [Parameter(Mandatory)][string]$Target, $Items)
Add-Type -AssemblyName System.IO.Compression
$root = Join-Name $Target ''
$made = [System.Collections.Generic.HashSet[string]]::new()
$sha = New-Sha256
$bytes = [long]0
$names, $hashes, $sizes = New-Column 'name', 'sha256' 'size'
$source = [System.IO.FileStream]::new((Get-LongPath $Archive), 'Open', 'Read', 'Read')
try {
    $entries = [System.IO.Compression.ZipArchive]::new($source, 'Read', $true, $plainText).get_Entries()
    foreach ($item in $Items) {
        $index, $name, $most, $isFolder = $item
        $path = $root + $name.Replace($slash, $separator)
        if ($isFolder) {
            $null = [System.IO.Directory]::CreateDirectory($path)
            continue
        }
        $parent = $path.Substring(0, $path.LastIndexOf($separator))
        if ($made.Add($parent)) { $null = [System.IO.Directory]::CreateDirectory($parent) }
        $entry = $entries[$index]
        $size = [long]0
        $filled = 0
        $reader = $entry.Open()
        try {
            $writer = [System.IO.FileStream]::new($path, $createNew, $write, $shareNone, 1)
            try {
                while (($count = $reader.Read($buffer, $filled, $buffer.Length - $filled)) -gt 0) {
                    if ($size + $filled + $count -gt $most) {
                        $reason = "$name holds more than the $most bytes that the archive says"
                        throw [System.IO.InvalidDataException]::new($reason)
                    }
                    $writer.Write($buffer, $filled, $count)
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
                $size += $filled
            }
            finally {
                $writer.Dispose()
            }
        }
        finally {
            $reader.Dispose()
        }
        [System.IO.File]::SetLastWriteTime($path, $entry.LastWriteTime.LocalDateTime)
        $bytes += $size
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes } }
        $hash = [BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant()
        $names.Add($name)
        $hashes.Add($hash)
        $sizes.Add($size)
        if ($names.Count -ge $rowsAtOnce) { Send-Column }
    }
}
finally {
    $source.Dispose()
}
"""
