# prs.recovery look_at_once
#
# Several scripts of the roles in one process, one after the other: each in a runspace of its own, as win_powershell itself
# would run it, so that none sees what another defines, and one that fails takes no other along.
#
# Parameters:
#   Look      one each: name, script (its text), parameters (name -> value)
#   Secret    further parameters of the looks, which are SecureStrings, a line each: the look's name, the parameter's, and
#             the value, in which a character may stand as %XX (of its UTF-8), with a blank between them
# Result:
#   NAME      of each look what the module would say of its script alone: failed, changed, result, error (records, of which
#             there is exception.message alone)
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory = $true)][object[]]$Look,
    [securestring]$Secret = (New-Object -TypeName System.Security.SecureString)
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$answers = @{}
# Windows PowerShell tells no state of a runspace that was opened as the module opens the one of this script.
$state = [System.Management.Automation.Runspaces.Runspace]::DefaultRunspace.InitialSessionState
$goesOn = [System.Management.Automation.ActionPreference]::Continue

# Methods alone: what a cmdlet is given may stand in an event log.
$secrets = @{}
foreach ($line in (New-Object -TypeName System.Net.NetworkCredential -ArgumentList '', $Secret).Password.Split([char]10)) {
    $parts = $line.Split([char]32)
    if ($parts.Length -ne 3) { continue }
    if (-not $secrets.ContainsKey($parts[0])) { $secrets[$parts[0]] = @{} }
    $credential = New-Object -TypeName System.Net.NetworkCredential
    $credential.Password = [System.Uri]::UnescapeDataString($parts[2])
    $secrets[$parts[0]][$parts[1]] = $credential.SecurePassword
}

function Read-Failure {
    param($Record)
    @{ exception = @{ message = $Record.Exception.Message } }
}

foreach ($one in $Look) {
    $given = @{ WhatIf = [bool]$Ansible.CheckMode; Confirm = $false }
    foreach ($pair in $one.parameters.GetEnumerator()) { $given[$pair.Key] = $pair.Value }
    if ($secrets.ContainsKey($one.name)) { $given += $secrets[$one.name] }
    $own = [pscustomobject]@{
        CheckMode = $Ansible.CheckMode
        Verbosity = $Ansible.Verbosity
        Result = @{}
        Diff = @{}
        Changed = $true
        Failed = $false
        Tmpdir = $Ansible.Tmpdir
    }
    if ($state) {
        $runspace = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
    }
    else {
        $runspace = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace()
    }
    $runspace.Open()
    $shell = [System.Management.Automation.PowerShell]::Create()
    $shell.Runspace = $runspace
    try {
        $runspace.SessionStateProxy.SetVariable('Ansible', $own)
        $runspace.SessionStateProxy.SetVariable('ErrorActionPreference', $goesOn)
        $null = $shell.AddScript($one.script).AddParameters($given)
        $failed = $false
        $thrown = @()
        try { $null = $shell.Invoke() }
        catch [System.Management.Automation.RuntimeException] {
            $failed = $true
            $thrown = @($_.Exception.ErrorRecord)
        }
        $answers[$one.name] = @{
            failed = ($failed -or $own.Failed)
            changed = $own.Changed
            result = $own.Result
            error = @(@($shell.Streams.Error) + $thrown | ForEach-Object { Read-Failure -Record $_ })
        }
    }
    finally {
        $shell.Dispose()
        $runspace.Dispose()
    }
}

$Ansible.Changed = @($answers.Values | Where-Object { $_.changed }).Count -gt 0
$Ansible.Result = $answers
