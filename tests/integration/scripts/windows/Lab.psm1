# Lab.psm1
# Stand-ins for Windows' commands, drives and objects, and the world that they answer from, for the session state of the
# scripts under test.
$ErrorActionPreference = 'Stop'
$Folder = $PSScriptRoot
$assemblies = @(
    [psobject].Assembly.Location, [System.Security.Cryptography.X509Certificates.X509Certificate2].Assembly.Location
    'System.Collections', 'System.Linq', 'System.Runtime', 'System.ComponentModel.Primitives', 'netstandard'
    'System.Collections.NonGeneric', 'System.Runtime.InteropServices', 'System.Collections.Specialized', 'System.ObjectModel'
)
$quiet = @{ IgnoreWarnings = $true; WarningAction = 'SilentlyContinue' }
$null = Add-Type -TypeDefinition ([IO.File]::ReadAllText("$Folder/Providers.cs")) -ReferencedAssemblies $assemblies @quiet
$null = Add-Type -TypeDefinition ([IO.File]::ReadAllText("$Folder/Iis.cs")) @quiet
$null = Add-Type -TypeDefinition ([IO.File]::ReadAllText("$Folder/Firewall.cs")) @quiet
$world = $null

# OwnThread: for a runspace that is not waited for as it is asked.
function New-LabSessionState {
    param([switch]$OwnThread)
    $state = [InitialSessionState]::CreateDefault2()
    if (-not $OwnThread) { $state.ThreadOptions = 'UseCurrentThread' }
    $entry = [System.Management.Automation.Runspaces.SessionStateVariableEntry]
    $state.Variables.Add($entry::new('LabWorld', $script:world, ''))
    $provider = [System.Management.Automation.Runspaces.SessionStateProviderEntry]
    $state.Providers.Add($provider::new('LabRegistry', [Lab.LabRegistry], $null))
    $state.Providers.Add($provider::new('LabCert', [Lab.LabCert], $null))
    $state.ImportPSModule(@("$Folder/Commands.psm1"))
    $null = $state.StartupScripts.Add("$Folder/session.ps1")
    $state
}

function New-LabStore { , [System.Collections.Generic.Dictionary[string, object]]::new([StringComparer]::OrdinalIgnoreCase) }

function Set-LabWorld {
    param([System.Collections.IDictionary]$World)
    foreach ($name in 'cim', 'services', 'accounts', 'sids', 'acls') { if ($null -eq $World[$name]) { $World[$name] = @{} } }
    foreach ($name in 'sql', 'key_files') { if ($null -eq $World[$name]) { $World[$name] = @() } }
    $script:world = $World
    [Lab.World]::Reset()
    foreach ($pair in $World.registry.GetEnumerator()) {
        if ($pair.Value -is [string]) { [void][Lab.World]::DeniedKeys.Add([Lab.World]::Norm($pair.Key)) }
        else { [Lab.World]::AddKey($pair.Key, $pair.Value) }
    }
    foreach ($store in 'LocalMachine\My', 'LocalMachine\CA') { [Lab.World]::Stores[$store] = New-LabStore }
    $loader = [System.Security.Cryptography.X509Certificates.X509CertificateLoader]
    foreach ($entry in @($World.certificates)) {
        if ($null -eq $entry) { continue }
        $content = [Convert]::FromBase64String($entry.content)
        if ($entry.password) { $certificate = $loader::LoadPkcs12($content, $entry.password) }
        else { $certificate = $loader::LoadCertificate($content) }
        [Lab.World]::Stores['LocalMachine\My'][$certificate.Thumbprint] = $certificate
    }
}

Export-ModuleMember -Function New-LabSessionState, Set-LabWorld
