# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_scripts: whole scripts, one after the other, each in a runspace of its own, as ansible.windows' win_powershell
runs one: none sees what another defines, and one that fails takes no other along.

Parameters: CheckMode; Verbosity; Depth, how far down a result is followed before it becomes a text; Unconnected, by
            their roots the shares that could not be connected: number (Win32) and message.
Items in:   name, script (its text), parameters (an object). A script supports ShouldProcess: in check mode it is given
            -WhatIf.
Items out:  one for each, in their order: name, failed, changed, diff, result, error (a list of exception.message).
            Values are as the module's: an enumeration is Type, String and Value, a date a text in ISO 8601, what is
            deeper than Depth a text.
Progress:   the name of the script that runs.
Errors:     none of the scripts' own.
Assumes:    a script leaves what it has to say in $Ansible: Result, Diff, Changed, Failed.
"""

from __future__ import annotations

__all__ = ["SCRIPT"]

SCRIPT = r"""# prs.recovery run_scripts
[CmdletBinding()]
param([bool]$CheckMode, [int]$Verbosity, [Parameter(Mandatory)][int]$Depth, $Unconnected, $Items)

# What has no need of an escape in JSON, but for the two that are seen to here.
$unescaped = [regex]'\A[^\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff]*\z'
$json = [System.Text.StringBuilder]::new()
$goesOn = [System.Management.Automation.ActionPreference]::Continue

# What ConvertFrom-Json makes of an object is none that a script may ask for its keys.
function ConvertTo-Given {
    param($Value)
    if ($Value -is [System.Management.Automation.PSCustomObject]) {
        $given = @{}
        foreach ($member in $Value.PSObject.Properties) { $given[$member.Name] = ConvertTo-Given $member.Value }
        return $given
    }
    if ($Value -is [object[]]) { return , @(foreach ($inner in $Value) { ConvertTo-Given $inner }) }
    return $Value
}

# ConvertTo-Json of Windows PowerShell tells a text with notes, and a list that came out of a pipeline, as an object.
function Add-Text {
    param([string]$Text)
    if ($unescaped.IsMatch($Text)) {
        $null = $json.Append('"').Append($Text.Replace('\', '\\').Replace('"', '\"')).Append('"')
        return
    }
    $null = $json.Append((ConvertTo-Json -InputObject $Text -Compress))
}

function Add-Table {
    param([hashtable]$Table, [int]$Left)
    $mark = '{'
    foreach ($pair in $Table.GetEnumerator()) {
        $null = $json.Append($mark)
        Add-Text $pair.Key
        $null = $json.Append(':')
        Add-Value $pair.Value $Left
        $mark = ','
    }
    if ($mark -eq '{') { $null = $json.Append($mark) }
    $null = $json.Append('}')
}

# By the rules of the module's Convert-OutputObject, and in their order.
function Add-Value {
    param($Value, [int]$Left)
    if ($null -eq $Value) { $null = $json.Append('null'); return }
    if ($Value -is [System.Enum] -and $Left -ge 0) {
        $of = @{ Type = $Value.GetType().FullName; String = $Value.ToString(); Value = [int]$Value }
        Add-Table $of $Left
        return
    }
    if ($Value -is [System.DateTime] -or $Value -is [System.DateTimeOffset]) { Add-Text $Value.ToString('o'); return }
    if ($Value -is [string]) { Add-Text $Value; return }
    if ($Value -is [switch]) { $Value = $Value.IsPresent }
    if ($Value -is [System.ValueType]) {
        $null = $json.Append((ConvertTo-Json -InputObject $Value.PSObject.BaseObject -Compress))
        return
    }
    if ($Left -lt 0) { Add-Text "$Value"; return }
    if ($Value -is [System.Collections.IList]) {
        $mark = '['
        foreach ($inner in $Value) {
            $null = $json.Append($mark)
            Add-Value $inner ($Left - 1)
            $mark = ','
        }
        if ($mark -eq '[') { $null = $json.Append($mark) }
        $null = $json.Append(']')
        return
    }
    $Table = @{}
    $isTable = $Value -is [System.Collections.IDictionary]
    foreach ($member in $Value.PSObject.Properties) {
        $isNote = 'AliasProperty', 'ScriptProperty', 'NoteProperty' -contains $member.MemberType
        if ($isNote -or -not $isTable) { $Table[$member.Name] = $member.Value }
    }
    if ($isTable) { foreach ($pair in $Value.GetEnumerator()) { $Table["$($pair.Key)"] = $pair.Value } }
    Add-Table $Table ($Left - 1)
}

# Whether a script knows -WhatIf, which others would run without. One that cannot be parsed says so when it is run.
function Test-CheckMode {
    param([string]$Text)
    try {
        foreach ($attribute in [ScriptBlock]::Create($Text).Attributes) {
            if ($attribute.SupportsShouldProcess) { return $true }
        }
    }
    catch { return $true }
    $false
}

# Of a record, of an exception, of nothing.
function Read-Failure {
    param($Problem)
    if ($Problem.Exception) { $Problem = $Problem.Exception }
    if ($Problem) { @{ exception = @{ message = $Problem.Message } } }
}

foreach ($item in $Items) {
    $given = ConvertTo-Given $item.parameters
    $given['WhatIf'] = $CheckMode
    $given['Confirm'] = $false
    $own = [pscustomobject]@{
        CheckMode = $CheckMode
        Verbosity = $Verbosity
        Result = @{}
        Diff = @{}
        Changed = $true
        Failed = $false
        Tmpdir = [System.IO.Path]::GetTempPath()
        Unconnected = ConvertTo-Given $Unconnected
    }
    $runspace = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace()
    $null = $json.Clear()
    $runspace.Open()
    $shell = [System.Management.Automation.PowerShell]::Create()
    $shell.Runspace = $runspace
    try {
        $runspace.SessionStateProxy.SetVariable('Ansible', $own)
        $runspace.SessionStateProxy.SetVariable('ErrorActionPreference', $goesOn)
        $null = $shell.AddScript($item.script).AddParameters($given)
        if (Test-CheckMode $item.script) {
            $running = $shell.BeginInvoke()
            while (-not $running.AsyncWaitHandle.WaitOne(1000)) { Send-Progress @{ running = $item.name } }
            $thrown = $shell.InvocationStateInfo.Reason
            if ($thrown.ErrorRecord) { $thrown = $thrown.ErrorRecord.Exception }
        }
        else {
            $thrown = [System.NotSupportedException]::new('The script has no [CmdletBinding(SupportsShouldProcess)].')
        }
        $answer = @{
            name = $item.name
            failed = $null -ne $thrown -or [bool]$own.Failed
            changed = [bool]$own.Changed
            diff = $own.Diff
            error = @(foreach ($Problem in @($shell.Streams.Error) + $thrown) { Read-Failure $Problem })
            result = $own.Result
        }
        try { Add-Table $answer $Depth }
        catch {
            # A value that cannot be read is the fault of the script that left it.
            $null = $json.Clear()
            $answer.failed = $true
            $answer.diff = $answer.result = @{}
            $answer.error += Read-Failure $_.Exception
            Add-Table $answer $Depth
        }
    }
    finally {
        $shell.Dispose()
        $runspace.Dispose()
    }
    Send-Batch
    $null = $pending.Append('{"items":[').Append($json.ToString()).Append("]}`n")
    if ($pending.Length -ge 262144) {
        Send-Pending
        $answers.Flush()
    }
}
"""
