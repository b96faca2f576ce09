# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""copy_file: copy one file.

Parameters: From; To. An existing file is replaced, also one that is marked as read-only.
Items out:  none.
Errors:     2, 3, 5, 32, 112.
Assumes:    nothing.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery copy_file
[CmdletBinding()]
param([Parameter(Mandatory)][string]$From, [Parameter(Mandatory)][string]$To)
$target = Get-LongPath $To
Clear-ReadOnly $target
[System.IO.File]::Copy((Get-LongPath $From), $target, $true)
"""
