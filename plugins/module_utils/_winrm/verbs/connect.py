# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""connect: connect to a share under an account of its own.

Parameters: Name of the connection, PrsRecovery and a number; Root, \\server\\share; User; Password.
Items out:  none. Until it is disconnected, every UNC path below Root is used with this account.
Errors:     5, 53, 67, 86, 1219 (the server is already connected under another account), 1312, 1326, 1330, 1331.
Assumes:    Windows. WinRM's logon cannot take its own identity to another server; an account and a password given here
            need no second hop.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery connect
[CmdletBinding()]
param(
    [Parameter(Mandatory)][string]$Name,
    [Parameter(Mandatory)][string]$Root,
    [Parameter(Mandatory)][string]$User,
    [Parameter(Mandatory)][string]$Password
)
$secret = [System.Security.SecureString]::new()
foreach ($character in $Password.ToCharArray()) { $secret.AppendChar($character) }
$account = [System.Management.Automation.PSCredential]::new($User, $secret)
try {
    $null = New-PSDrive -Name $Name -PSProvider FileSystem -Root $Root -Credential $account -Scope Global
}
catch {
    $refusal = $_
    # Without a number it is PowerShell that found no folder there, after Windows had connected it.
    if ((Get-ErrorNumber (Get-Cause $refusal.Exception)) -eq 0) {
        try { (New-Object -ComObject WScript.Network).RemoveNetworkDrive($Root, $true) }
        catch { $null = $_ }
    }
    throw $refusal
}
"""
