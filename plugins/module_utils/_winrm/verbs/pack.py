# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pack: write files of a folder into a new ZIP archive.

Parameters: Path of the folder; Archive, a file that must not exist; ManifestName, the name of the archive's last entry;
            ManifestHead, its first line, in which {count} after "files": becomes the number of files in the archive;
            Rounds (default 3): how often a file is tried that cannot be read, or that changes while it is read; Pause
            (default 2000): milliseconds before each further round; Settle (default 32 MB): up to this size a file is
            read whole before a byte of it is written. A larger one that changes is in the archive as it was read.
Items in:   names within the folder, with /; a name that ends in / is a folder. Or {name, source}: the file at `source`
            under that name.
Items out:  one for each file: name, and either size, sha256 (of the bytes that are in the archive), modified (UTC, ISO
            8601) and changed (whether the file became another one while it was read, in the last round too), or error
            when it could not be read; then it is not in the archive. The manifest has one line of JSON (name, size,
            sha256, modified) for each file that is in the archive.
Errors:     80 or 183 when the archive exists, 3, 5, 53, 112; 33 when a part of a file beyond Settle is locked, which
            the message names; then the archive is removed again.
Assumes:    .NET Framework 4.5 or later. Streams: neither a large file nor the archive has to fit into memory, and both
            may be larger than 4 GB.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery pack
[CmdletBinding()]
param(
    [Parameter(Mandatory)][string]$Path,
    [Parameter(Mandatory)][string]$Archive,
    [Parameter(Mandatory)][string]$ManifestName,
    [Parameter(Mandatory)][string]$ManifestHead,
    [int]$Rounds = 3,
    [int]$Pause = 2000,
    [long]$Settle = 33554432,
    $Items
)
Add-Type -AssemblyName System.IO.Compression

# The manifest's lines, many at a time: only a name needs JSON's escapes, and "," ends a string wherever it stands.
$lines = [System.Collections.Generic.List[string]]::new()
$names, $hashes, $times, $sizes, $changes = New-Column 'name', 'sha256', 'modified' 'size' 'changed'
$tails = [System.Collections.Generic.List[string]]::new()
function Add-Line {
    if ($names.Count -eq 0) { return }
    $json = ConvertTo-Json -InputObject $names.ToArray() -Compress
    $quoted = $json.Substring(2, $json.Length - 4) -split '","', 0, 'SimpleMatch'
    for ($number = 0; $number -lt $names.Count; $number++) {
        $lines.Add('{"name":"' + $quoted[$number] + '",' + $tails[$number])
    }
    $tails.Clear()
    Send-Column
}

$root = Join-Name $Path ''
$sha = New-Sha256
$settled = [byte[]]::new(65536)
$bytes = [long]0
$whole = $false
$target = [System.IO.FileStream]::new((Get-LongPath $Archive), 'CreateNew', 'ReadWrite', 'None')
try {
    $zip = [System.IO.Compression.ZipArchive]::new($target, 'Create', $true)
    $todo = $Items
    for ($round = 1; $null -ne $todo -and $todo.Count -gt 0; $round++) {
        $again = [System.Collections.Generic.List[object]]::new()
        foreach ($item in $todo) {
            $name = $item
            if ($item -isnot [string]) { $name = $item.name }
            if ($name.EndsWith('/', $ordinal)) {
                $null = $zip.CreateEntry($name)
                continue
            }
            $fullName = $root + $name.Replace($slash, $separator)
            if ($item -isnot [string]) { $fullName = Get-LongPath $item.source }
            $source = $null
            try {
                $source = [System.IO.FileStream]::new($fullName, $open, $read, $shareAll, 1)
                # FileInfo remembers what it saw first.
                $first = [System.IO.FileInfo]::new($fullName)
                $modified = $first.LastWriteTimeUtc
                $length = $source.get_Length()
                $wholeRead = $length -le $Settle
                $size = [long]0
                if ($wholeRead) {
                    if ($settled.Length -lt $length) { $settled = [byte[]]::new($length) }
                    while ($size -lt $length) {
                        $most = [Math]::Min($length - $size, $buffer.Length)
                        $count = $source.Read($settled, $size, $most)
                        if ($count -eq 0) { break }
                        $size += $count
                        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes } }
                    }
                    $after = [System.IO.FileInfo]::new($fullName)
                    $changed = $after.LastWriteTimeUtc -ne $modified -or -not $after.Exists -or $after.Length -ne $size
                }
            }
            catch {
                if ($null -ne $source) { $source.Dispose() }
                $fault = Get-Fault $_
                # What is not there any more (2, 3) does not come back.
                if ($round -lt $Rounds -and $fault['number'] -ne 2 -and $fault['number'] -ne 3) { $again.Add($item) }
                else {
                    Add-Line
                    @{ name = $name; error = $fault }
                }
                continue
            }
            $writer = $null
            try {
                if ($wholeRead -and $changed -and $round -lt $Rounds) {
                    $again.Add($item)
                    continue
                }
                $stored = $zip.CreateEntry($name)
                # The time that a ZIP archive can hold, which is the one on the wall.
                $wall = $first.LastWriteTime
                if ($wall.Year -ge 1980 -and $wall.Year -le 2107) { $stored.LastWriteTime = $wall }
                $writer = $stored.Open()
                if ($wholeRead) {
                    $digest = $sha.ComputeHash($settled, 0, $size)
                    for ($start = 0; $start -lt $size; $start += $count) {
                        $count = [Math]::Min($size - $start, $buffer.Length)
                        $writer.Write($settled, $start, $count)
                        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes + $start } }
                    }
                }
                else {
                    $sha.Initialize()
                    while (($count = $source.Read($buffer, 0, $buffer.Length)) -gt 0) {
                        $null = $sha.TransformBlock($buffer, 0, $count, $null, 0)
                        $writer.Write($buffer, 0, $count)
                        $size += $count
                        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes + $size } }
                    }
                    $null = $sha.TransformFinalBlock($buffer, 0, 0)
                    $digest = $sha.Hash
                    $after = [System.IO.FileInfo]::new($fullName)
                    $changed = $after.LastWriteTimeUtc -ne $modified -or -not $after.Exists -or $after.Length -ne $size
                }
            }
            catch {
                $cause = Get-Cause $_.Exception
                throw [System.IO.IOException]::new(('{0}: {1}' -f $name, $cause.Message), $cause.HResult)
            }
            finally {
                if ($null -ne $writer) { $writer.Dispose() }
                $source.Dispose()
            }
            $hash = [BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant()
            $time = $modified.ToString('o')
            $names.Add($name)
            $hashes.Add($hash)
            $times.Add($time)
            $sizes.Add($size)
            $changes.Add($changed)
            $tails.Add('"size":' + $size + ',"sha256":"' + $hash + '","modified":"' + $time + '"}')
            if ($names.Count -ge $rowsAtOnce) { Add-Line }
            $bytes += $size
            if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $bytes } }
        }
        $todo = $again
        if ($todo.Count -gt 0) { Start-Sleep -Milliseconds $Pause }
    }
    Add-Line
    $manifest = [System.IO.StreamWriter]::new($zip.CreateEntry($ManifestName).Open(), $plainText)
    $manifest.NewLine = "`n"
    try {
        $manifest.WriteLine($ManifestHead.Replace('"files": {count}', '"files": ' + $lines.Count))
        foreach ($line in $lines) { $manifest.WriteLine($line) }
    }
    finally {
        $manifest.Dispose()
    }
    $zip.Dispose()
    $target.Flush($true)
    $whole = $true
}
finally {
    try {
        $target.Dispose()
    }
    finally {
        if (-not $whole) { [System.IO.File]::Delete((Get-LongPath $Archive)) }
    }
}
"""
