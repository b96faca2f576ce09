# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""move: give files and folders another name on the same drive, one after the other.

Items in:   one for each: from, to (full paths). Nothing may be at `to`.
Items out:  one for each that was tried: from, to, and error (null, or number, kind, message). After an error the rest is not tried.
Errors:     none for the whole.
Assumes:    nothing.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery move
[CmdletBinding()]
param($Items)
foreach ($item in $Items) {
    $from = Get-LongPath $item.from
    $to = Get-LongPath $item.to
    $answer = @{ from = $item.from; to = $item.to; error = $null }
    try {
        if ([System.IO.Directory]::Exists($from)) { [System.IO.Directory]::Move($from, $to) }
        else { [System.IO.File]::Move($from, $to) }
    }
    catch {
        $answer['error'] = Get-Fault $_
    }
    $answer
    if ($answer['error']) { break }
}
"""
