# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make_folder: make a folder, with those above it.

Parameters: Path; Private (default false): only SYSTEM and the local Administrators have rights there, and nothing is
            inherited.
Items out:  none. An existing folder is no error.
Errors:     3, 5, 53, 112.
Assumes:    for Private Windows, and less than 260 characters.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery make_folder
[CmdletBinding()]
param([Parameter(Mandatory)][string]$Path, [bool]$Private = $false)
$null = [System.IO.Directory]::CreateDirectory((Get-LongPath $Path))
if ($Private) {
    $folder = [System.IO.DirectoryInfo]::new($Path)
    $rights = [System.Security.AccessControl.DirectorySecurity]::new()
    $rights.SetAccessRuleProtection($true, $false)
    foreach ($sid in 'S-1-5-18', 'S-1-5-32-544') {
        $account = [System.Security.Principal.SecurityIdentifier]::new($sid)
        $rule = [System.Security.AccessControl.FileSystemAccessRule]::new(
            $account, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow')
        $rights.AddAccessRule($rule)
    }
    if ($PSVersionTable.PSEdition -eq 'Core') {
        [System.IO.FileSystemAclExtensions]::SetAccessControl($folder, $rights)
    }
    else {
        $folder.SetAccessControl($rights)
    }
}
"""
