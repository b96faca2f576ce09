# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""move: give files and folders another name on the same drive, one after the other.

Items in:   one for each, a list: from, to (full paths). Nothing may be at `to`.
Items out:  one for each that was tried: from, to, and error (null, or number, kind, message). After an error the rest
            is not tried.
Errors:     none for the whole.
Assumes:    nothing.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery move
[CmdletBinding()]
param($Items)
$count = 0
$origins, $targets, $errors = New-Column 'from', 'to' @() 'error'
foreach ($item in $Items) {
    $from, $to = $item
    $fault = $null
    $origins.Add($from)
    $targets.Add($to)
    if ($longForm) {
        $from = Get-LongPath $from
        $to = Get-LongPath $to
    }
    try {
        if ([System.IO.Directory]::Exists($from)) { [System.IO.Directory]::Move($from, $to) }
        else { [System.IO.File]::Move($from, $to) }
    }
    catch {
        $fault = Get-Fault $_
    }
    $errors.Add($fault)
    if ($fault) { break }
    if ($origins.Count -ge $rowsAtOnce) { Send-Column }
    $count++
    if ($sinceProgress.ElapsedMilliseconds -ge 1000) { Send-Progress @{ files = $count } }
}
"""
