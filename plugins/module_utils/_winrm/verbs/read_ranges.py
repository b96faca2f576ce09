# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""read_ranges: parts of many files.

Items in:   for each file: path, and ranges, pairs (offset, length) in bytes; an offset below zero is counted from the
            file's end.
Items out:  for each file: path, and either size, modified (UTC, ISO 8601) and lengths, how many bytes of each range
            there are, or error (number, kind, message). A file that cannot be read is no reason to stop. Among them,
            behind those that it belongs to, a text: the bytes of their ranges, one behind the other, gzip in base64.
Errors:     none for the whole.
Assumes:    a file that another process writes may be read meanwhile, unless that process forbids it (32).
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery read_ranges
[CmdletBinding()]
param($Items)
function Get-Packed {
    param($Stream)
    $packed = [System.IO.MemoryStream]::new()
    $zip = [System.IO.Compression.GZipStream]::new($packed, [System.IO.Compression.CompressionLevel]::Optimal)
    $Stream.WriteTo($zip)
    $zip.Dispose()
    [Convert]::ToBase64String($packed.ToArray())
}
$collected = [System.IO.MemoryStream]::new()
$files = [long]0
foreach ($item in $Items) {
    $file = $null
    $start = $collected.Position
    $pack = $false
    try {
        $path = Get-LongPath $item.path
        $file = [System.IO.FileStream]::new($path, $open, $read, $shareAll, 1)
        $size = $file.Length
        $lengths = [System.Collections.Generic.List[long]]::new()
        foreach ($range in $item.ranges) {
            $offset = [long]$range[0]
            if ($offset -lt 0) { $offset = [Math]::Max([long]0, $size + $offset) }
            $null = $file.Seek($offset, [System.IO.SeekOrigin]::Begin)
            $left = [long]$range[1]
            while ($left -gt 0) {
                $count = $file.Read($buffer, 0, [int][Math]::Min($left, $buffer.Length))
                if ($count -le 0) { break }
                $collected.Write($buffer, 0, $count)
                $left -= $count
                if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $files } }
            }
            $lengths.Add([long]$range[1] - $left)
        }
        $modified = [System.IO.File]::GetLastWriteTimeUtc($path).ToString('o')
        $answer = @{ path = $item.path; size = $size; modified = $modified; lengths = $lengths.ToArray() }
        $pack = $collected.Length -ge 4194304
    }
    catch {
        $collected.SetLength($start)
        $answer = @{ path = $item.path; error = (Get-Fault $_) }
    }
    finally {
        if ($null -ne $file) { $file.Dispose() }
    }
    $answer
    if ($pack) {
        Get-Packed $collected
        $collected.SetLength(0)
    }
    $files++
    if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $files } }
}
if ($collected.Length -gt 0) { Get-Packed $collected }
"""
