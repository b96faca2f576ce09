# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""check_content: backup files read to their end where they lie, and judged by the checksums in them.

Parameters: MostFlaws, how many are told of a file; but of each part that has some at least one.
Items in:   for each file: path, packed, marks (offsets of its filemarks), mark (size of one) and parts: what lies
            between them, triples (start, end, length); length: of what the packed frames hold there, 0 where that is
            not known. All in bytes.
Items out:  for each file: path, and either size, modified (UTC, ISO 8601), judged (bytes that are what was written),
            frames, pages, unjudged (pages without a checksum), marks (the filemarks in base64, empty where the file
            ends before) and flaws, or error (number, kind, message). A file that cannot be read is no reason to stop.
            A flaw has kind and at; that of a page file and page; that of frames which hold more or less than they
            should bytes and told; one behind which a part was not judged start and end. What the kinds mean:
            _core/backup_file/flaws.py.
Errors:     none for the whole.
Assumes:    a file that another process writes may be read meanwhile.

Both checksums are sums of words of 32 bits, xor-ed after a turn of the sum to the left by one bit: of a frame before
each word, of a page before each sector of 128 words. A loop of PowerShell does some 20 MB of that a second. So the loop
is an expression tree, which .NET compiles in memory: no compiler is started and no file is written for it.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery check_content
[CmdletBinding()]
param([Parameter(Mandatory)][int]$MostFlaws, $Items)

# uint sum(uint[] words, int at, int end, int group), compiled.
function New-Sum {
    $tree = [System.Linq.Expressions.Expression]
    $numbers = $tree::Parameter([uint32[]], 'numbers')
    $at, $limit, $group = foreach ($name in 'at', 'limit', 'group') { $tree::Parameter([int], $name) }
    $sum, $stop = $tree::Variable([uint32], 'sum'), $tree::Variable([int], 'stop')
    $groupDone, $allDone = $tree::Label(), $tree::Label([uint32])
    $turned = $tree::Or($tree::LeftShift($sum, $tree::Constant(1)), $tree::RightShift($sum, $tree::Constant(31)))
    $take = $tree::ExclusiveOrAssign($sum, $tree::ArrayIndex($numbers, $tree::PostIncrementAssign($at)))
    $inGroup = $tree::IfThenElse($tree::LessThan($at, $stop), $take, $tree::Break($groupDone))
    $steps = [System.Linq.Expressions.Expression[]]@(
        $tree::Assign($sum, $turned)
        $tree::Assign($stop, $tree::Add($at, $group))
        $tree::Loop($inGroup, $groupDone)
    )
    $step = $tree::Block($steps)
    $inAll = $tree::IfThenElse($tree::LessThan($at, $limit), $step, $tree::Break($allDone, $sum))
    $own = [System.Linq.Expressions.ParameterExpression[]]@($sum, $stop)
    $body = $tree::Block($own, [System.Linq.Expressions.Expression[]]@($tree::Loop($inAll, $allDone)))
    $given = [System.Linq.Expressions.ParameterExpression[]]@($numbers, $at, $limit, $group)
    $tree::Lambda($body, $given).Compile()
}

# Where in the buffer bytes of the file lie, which are read if they do not; -1 where the file ends before.
function Get-Place {
    param([long]$Offset, [int]$Needed)
    $place = $Offset - $window.start
    if ($place -ge 0 -and $place + $Needed -le $window.filled) { return [int]$place }
    $null = $file.Seek($Offset, [System.IO.SeekOrigin]::Begin)
    $window.start = $Offset
    $window.filled = 0
    while ($window.filled -lt $buffer.Length) {
        $count = $file.Read($buffer, $window.filled, $buffer.Length - $window.filled)
        if ($count -le 0) { break }
        $window.filled += $count
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $earlier + $Offset } }
    }
    if ($Needed -le $window.filled) { return 0 }
    return -1
}

function Add-Flaw {
    param([hashtable]$Flaw)
    if ($result.flaws.Count -lt $MostFlaws -or $part.isSound) { $result.flaws.Add($Flaw) }
    $part.isSound = $false
}

# The words of 16 bits of a header, xor-ed: those that are checked and the checksum itself give 0.
function Test-Header {
    param([int]$Index, [int]$Bytes)
    $words[$Bytes -shr 2] = 0
    [System.Buffer]::BlockCopy($buffer, $Index, $words, 0, $Bytes)
    $count = $Bytes + 3 -shr 2
    $sum = $turnedSum.Invoke($words, 0, $count, $count)
    ($sum -shr 16) -eq ($sum -band 65535)
}

function Test-Zero {
    param([int]$Start, [int]$End)
    for ($place = $Start; $place -lt $End; $place++) { if ($buffer[$place] -ne 0) { return $false } }
    $true
}

# The list of frames in a filler: where its head lies, and the copy of that behind it. One in which both heads and the
# checksum are wrong has another form, and is not judged.
function Test-List {
    param([int]$Head, [int]$Tail)
    $isSame = $Tail -ge $Head + 16
    for ($byte = 0; $byte -lt 16 -and $isSame; $byte++) { $isSame = $buffer[$Head + $byte] -eq $buffer[$Tail + $byte] }
    $behind = -1
    foreach ($copy in $Head, $Tail) {
        if ($Tail -lt $Head + 16) { break }
        $length = 16 * [long][BitConverter]::ToUInt32($buffer, $copy + 4)
        if ($length -eq 0 -or $length -gt $Tail - $Head - 16) { continue }
        [System.Buffer]::BlockCopy($buffer, $Head + 16, $words, 0, $length)
        $sum = $turnedSum.Invoke($words, 0, $length -shr 2, 1)
        if ($sum -eq [BitConverter]::ToUInt32($buffer, $copy + 12)) { $behind = $Head + 16 + $length }
    }
    if (-not $isSame -and $behind -lt 0) { return $true }
    $isSame -and $behind -ge 0 -and (Test-Zero $behind $Tail)
}

# Whether nothing but a filler is left in front of a place, which tells its own length.
function Test-Filler {
    param([long]$Offset, [long]$Upto)
    $left = $Upto - $Offset
    if ($left -lt 24 -or $left -gt $buffer.Length) { return $false }
    $place = Get-Place $Offset $left
    if ($place -lt 0 -or $buffer[$place + 1] -ne 0 -or -not (Test-Zero ($place + 4) ($place + 24))) { return $false }
    if ($buffer[$place] -eq 0x24) {
        if (24 + [BitConverter]::ToUInt16($buffer, $place + 2) -ne $left) { return $false }
        return Test-Zero ($place + 24) ($place + $left)
    }
    if ($buffer[$place] -ne 0x2C -or $left -lt 36 -or -not (Test-Zero ($place + 1) ($place + 4))) { return $false }
    if (24 + [BitConverter]::ToUInt32($buffer, $place + 32) -ne $left) { return $false }
    Test-List ($place + 24) ($place + $left - 16)
}

# Frame behind frame, then a filler. What is wrong with their order, and where.
function Test-Frame {
    param([long]$Offset, [long]$Upto, [long]$Told)
    $first = $Offset
    $held = [long]0
    while ($Offset + 4 -le $Upto) {
        $place = Get-Place $Offset 4
        if ($place -lt 0 -or $buffer[$place] -ne 0x21 -or $buffer[$place + 1] -eq 0) { break }
        $length = 28 + $buffer[$place + 2] + 256 * $buffer[$place + 3]
        if ($length -le 284) { break }
        $held += 512 * $buffer[$place + 1]
        $place = if ($Offset + $length -le $Upto) { Get-Place $Offset $length } else { -1 }
        $isSound = $false
        if ($place -ge 0) {
            $count = $length - 25 -shr 2
            $words[[Math]::Max(0, $count - 1)] = 0
            [System.Buffer]::BlockCopy($buffer, $place + 28, $words, 0, $length - 28)
            $isSound = $turnedSum.Invoke($words, 0, $count, 1) -eq [BitConverter]::ToUInt32($buffer, $place + 24)
        }
        if ($isSound) { $result.judged += $length } else { Add-Flaw @{ kind = 'frame'; at = $Offset } }
        $result.frames++
        $Offset += $length
    }
    if (-not (Test-Filler $Offset $Upto)) { @{ kind = 'frames_end'; at = $Offset } }
    elseif ($Told -and $held -ne $Told) { Add-Flaw @{ kind = 'held'; at = $first; bytes = $held; told = $Told } }
}

# Block behind block, in each of them stream behind stream. What is wrong with their order, and where.
function Test-Block {
    param([long]$Offset, [long]$Upto)
    while ($Offset + 52 -le $Upto) {
        $block = $Offset
        $place = Get-Place $block 52
        if ($place -ge 0 -and -not ($buffer[$place..($place + 51)] -ne 0)) { return }
        if ($place -lt 0 -or -not (Test-Header $place 52)) { return @{ kind = 'no_block'; at = $block } }
        $result.judged += 52
        $Offset += [BitConverter]::ToUInt16($buffer, $place + 8)
        do {
            $place = Get-Place $Offset 22
            if ($place -lt 0) { return @{ kind = 'stream_cut_off'; at = $Offset } }
            if (-not (Test-Header $place 22)) { return @{ kind = 'stream_checksum'; at = $Offset } }
            $stream = $ascii.GetString($buffer, $place, 4)
            $length = [BitConverter]::ToUInt64($buffer, $place + 8)
            $room = [Math]::Max([long]0, $Upto - $Offset - 22)
            $fits = $length -le $room
            if ($fits) { $room = [long]$length }
            if ($stream -ceq 'MQDA' -and $room -gt 2) { Test-Page ($Offset + 24) ($room - 2) $fits }
            if (-not $fits) { return @{ kind = 'data_end'; at = $block } }
            $result.judged += 22
            $Offset += 22 + $room
            if ($stream -cne 'SPAD') { $Offset += (4 - (22 + $room) % 4) % 4 }
        } until ($stream -ceq 'SPAD')
    }
}

# Pages one behind the other. Of a stream that is cut off the whole ones count.
function Test-Page {
    param([long]$Offset, [long]$Bytes, [bool]$Whole)
    $rest = $Bytes % 8192
    $left = ($Bytes - $rest) / 8192
    if ($Whole -and $rest) {
        $result.unjudged += $left
        return
    }
    while ($left -gt 0) {
        $place = Get-Place $Offset 8192
        if ($place -lt 0) { return }
        $count = [int][Math]::Min($left, ($window.filled - $place) -shr 13)
        [System.Buffer]::BlockCopy($buffer, $place, $words, 0, 8192 * $count)
        $first = $judged = $bad = 0
        for ($page = 0; $page -lt $count; $page++) {
            $type = $buffer[$place + 1]
            $protection = $buffer[$place + 5] -band 3
            if ($buffer[$place] -eq 1 -and $type -ge 1 -and $type -le 20 -and $protection -ne 0) {
                $judged++
                if ($protection -eq 1) { $isSound = Test-Torn $place }
                else {
                    $stored = $words[$first + 15]
                    $words[$first + 15] = 0
                    $isSound = $turnedSum.Invoke($words, $first, $first + 2048, 128) -eq $stored
                }
                if (-not $isSound) {
                    $bad++
                    $number = [BitConverter]::ToUInt32($buffer, $place + 32)
                    $owner = [BitConverter]::ToUInt16($buffer, $place + 36)
                    Add-Flaw @{ kind = 'page'; at = $Offset + 8192 * $page; file = $owner; page = $number }
                }
            }
            $place += 8192
            $first += 2048
        }
        $result.pages += $judged
        $result.unjudged += $count - $judged
        $result.judged += [long]8192 * ($judged - $bad)
        $Offset += 8192 * $count
        $left -= $count
    }
}

# The last two bits of each sector but the first are those that the page tells.
function Test-Torn {
    param([int]$Index)
    $pattern = $buffer[$Index + 60] -band 3
    if ($pattern -ne 1 -and $pattern -ne 2) { return $false }
    for ($last = $Index + 1023; $last -lt $Index + 8192; $last += 512) {
        if (($buffer[$last] -band 3) -ne $pattern) { return $false }
    }
    $true
}

$turnedSum = New-Sum
$ascii = [System.Text.Encoding]::ASCII
$words = [uint32[]]::new($buffer.Length -shr 2)
$earlier = [long]0
foreach ($item in $Items) {
    $file = $null
    $window = @{ start = [long]0; filled = 0 }
    $result = @{ judged = [long]0; frames = 0; pages = [long]0; unjudged = [long]0 }
    $result.flaws = [System.Collections.Generic.List[object]]::new()
    try {
        $path = Get-LongPath $item.path
        $file = [System.IO.FileStream]::new($path, $open, $read, $shareAll, 1)
        $size = $file.Length
        foreach ($range in $item.parts) {
            $from, $to = [long]$range[0], [long]$range[1]
            $part = @{ isSound = $true }
            if ($item.packed) { $problem = Test-Frame $from $to $range[2] } else { $problem = Test-Block $from $to }
            if ($problem) { Add-Flaw ($problem + @{ start = $from; end = $to }) }
        }
        $result.marks = @(foreach ($mark in $item.marks) {
            $place = Get-Place $mark $item.mark
            if ($place -lt 0) { '' } else { [Convert]::ToBase64String($buffer, $place, $item.mark) }
        })
        $result.flaws = $result.flaws.ToArray()
        $modified = [System.IO.File]::GetLastWriteTimeUtc($path).ToString('o')
        $answer = $result + @{ path = $item.path; size = $size; modified = $modified }
        $earlier += $size
    }
    catch {
        $answer = @{ path = $item.path; error = (Get-Fault $_) }
    }
    finally {
        if ($null -ne $file) { $file.Dispose() }
    }
    $answer
    if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ bytes = $earlier } }
}
"""
