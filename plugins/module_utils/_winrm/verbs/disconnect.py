# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""disconnect: end what connect began.

Parameters: Name of the connection; Server (default none): \\server, from which everything else is disconnected as well
            that this logon has connected.
Items out:  none. A connection that is no longer there is no error.
Errors:     2401 when files on the share are open.
Assumes:    Windows. A logon over WinRM is its session's alone, so what it has connected is nobody else's.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery disconnect
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Name, [string]$Server)
Get-PSDrive -Name $Name -ErrorAction SilentlyContinue | Remove-PSDrive -Force -Scope Global
if ($Server) {
    $network = New-Object -ComObject WScript.Network
    $known = $network.EnumNetworkDrives()
    for ($number = 0; $number -lt $known.Count(); $number += 2) {
        $remote = $known.Item($number + 1)
        if ($remote.StartsWith("$Server\", [System.StringComparison]::OrdinalIgnoreCase)) {
            $local = $known.Item($number)
            if (-not $local) { $local = $remote }
            $network.RemoveNetworkDrive($local, $true)
        }
    }
}
"""
