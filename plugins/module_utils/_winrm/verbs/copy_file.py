# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""copy_file: copy one file.

Parameters: From; To. An existing file is replaced, also one that is marked as read-only.
Items out:  none.
Errors:     2, 3, 5, 32, 112.
Assumes:    nothing. Windows copies in one call, on the server where both lie on the same one: that runs beside the
            session, which says every second that it is not done.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery copy_file
[CmdletBinding()]
param([Parameter(Mandatory)][string]$From, [Parameter(Mandatory)][string]$To)
$target = Get-LongPath $To
Clear-ReadOnly $target
$worker = [System.Management.Automation.PowerShell]::Create()
try {
    $null = $worker.AddScript({
        param($From, $To)
        $ErrorActionPreference = 'Stop'
        [System.IO.File]::Copy($From, $To, $true)
    }).AddArgument((Get-LongPath $From)).AddArgument($target)
    $copying = $worker.BeginInvoke()
    while (-not $copying.AsyncWaitHandle.WaitOne(1000)) { Send-Progress @{ files = 0 } }
    $null = $worker.EndInvoke($copying)
}
finally {
    $worker.Dispose()
}
"""
