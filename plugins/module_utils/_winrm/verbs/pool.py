# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pool: look at an application pool of IIS, stop it or start it.

Parameters: Name; Action: look, stop or start.
Items out:  one: exists (false also when there is no IIS), state (Started, Stopped, Starting, Stopping, Unknown; as it
            was before a stop or start took effect), workers (process ids of its living worker processes).
Errors:     5 when IIS' configuration may not be read; kind COMException when it is broken, or the pool refuses.
Assumes:    IIS 7 or later with its management library, which comes with it. Stop returns at once: a worker process may
            live on for 90 seconds and more. Without Windows Process Activation (WAS) no pool runs.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery pool
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Name, [ValidateSet('look', 'stop', 'start')][string]$Action = 'look')
$answer = @{ exists = $false; state = 'Unknown'; workers = @() }
$library = "$env:windir\System32\inetsrv\Microsoft.Web.Administration.dll"
if (-not (Test-Path -LiteralPath $library)) { return $answer }
Add-Type -LiteralPath $library
$manager = [Microsoft.Web.Administration.ServerManager]::new()
# Methods, as PowerShell takes a property that fails for an empty one.
$pool = $manager.get_ApplicationPools().get_Item($Name)
if ($null -eq $pool) { return $answer }
$answer['exists'] = $true
try {
    $answer['state'] = $pool.get_State().ToString()
    $answer['workers'] = @(foreach ($worker in $pool.get_WorkerProcesses()) { $worker.get_ProcessId() })
}
catch {
    $activation = Get-Service -Name WAS -ErrorAction SilentlyContinue
    if ($null -ne $activation -and $activation.Status -eq 'Running') { throw }
    $answer['state'] = 'Stopped'
}
if ($Action -eq 'stop' -and $answer['state'] -eq 'Started') { $null = $pool.Stop() }
if ($Action -eq 'start' -and $answer['state'] -eq 'Stopped') { $null = $pool.Start() }
$answer
"""
