# run_cases.ps1 FOLDER
# Runs cases.json of FOLDER, each script through ansible.windows' own win_powershell (module.ps1) on ansible-core's
# Ansible.Basic.cs, and appends what the module says to answers.json, a line for each case.
param([string]$Folder)
$ErrorActionPreference = 'Stop'
Import-Module "$Folder/AddType.psm1"
$addCSharp = (Get-Command Add-CSharpType).ScriptBlock
$null = & $addCSharp -References ([IO.File]::ReadAllText("$Folder/Basic.cs")) -TempPath ([IO.Path]::GetTempPath()) -IgnoreWarnings
$assemblies = @(
    [psobject].Assembly.Location, [System.Security.Cryptography.X509Certificates.X509Certificate2].Assembly.Location
    'System.Collections', 'System.Linq', 'System.Runtime', 'System.ComponentModel.Primitives', 'netstandard'
    'System.Collections.NonGeneric', 'System.Runtime.InteropServices', 'System.Collections.Specialized', 'System.ObjectModel'
)
$quiet = @{ IgnoreWarnings = $true; WarningAction = 'SilentlyContinue' }
$null = Add-Type -TypeDefinition ([IO.File]::ReadAllText("$Folder/Providers.cs")) -ReferencedAssemblies $assemblies @quiet
$null = Add-Type -TypeDefinition ([IO.File]::ReadAllText("$Folder/Iis.cs")) @quiet
$null = Add-Type -TypeDefinition ([IO.File]::ReadAllText("$Folder/Firewall.cs")) @quiet
$moduleBlock = [scriptblock]::Create([IO.File]::ReadAllText("$Folder/module.ps1"))

function New-LabSessionState {
    $state = [InitialSessionState]::CreateDefault2()
    $state.ThreadOptions = 'UseCurrentThread'
    $entry = [System.Management.Automation.Runspaces.SessionStateVariableEntry]
    $state.Variables.Add($entry::new('LabWorld', $script:world, ''))
    $provider = [System.Management.Automation.Runspaces.SessionStateProviderEntry]
    $state.Providers.Add($provider::new('LabRegistry', [Lab.LabRegistry], $null))
    $state.Providers.Add($provider::new('LabCert', [Lab.LabCert], $null))
    $state.ImportPSModule(@("$Folder/Commands.psm1"))
    $null = $state.StartupScripts.Add("$Folder/session.ps1")
    $state
}

# The C# of the module is compiled once for all cases.
$compiled = @{}
function Add-CSharpType {
    param($AnsibleModule, [string[]]$References, $TempPath)
    $key = $References -join "`0"
    if ($compiled[$key]) { return }
    $compiled[$key] = $true
    & $addCSharp -AnsibleModule $AnsibleModule -References $References -IgnoreWarnings
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

class LabExit : System.Exception { LabExit() : base('exit') {} }
[Ansible.Basic.AnsibleModule]::Exit = { param([int]$rc) throw [LabExit]::new() }
[Ansible.Basic.AnsibleModule]::WriteLine = { param([string]$text) $script:said = $text }
$env:ProgramData = '/ProgramData'
$env:windir = 'C:\Windows'
$out, $err = [Console]::Out, [Console]::Error
$world = $said = $null
foreach ($case in ConvertFrom-Json -InputObject ([IO.File]::ReadAllText("$Folder/cases.json")) -AsHashtable -DateKind String -Depth 50) {
    Set-LabWorld $case.world
    $complex_args = $case.arguments
    $complex_args['_ansible_check_mode'] = $case.check
    $culture = [cultureinfo]::GetCultureInfo($case.culture)
    [cultureinfo]::CurrentCulture = $culture
    [cultureinfo]::DefaultThreadCurrentCulture = $culture
    $said = $failure = $null
    try { & $moduleBlock }
    catch { if ($null -eq $said) { $failure = "$($_ | Out-String) $($_.ScriptStackTrace)" } }
    [Console]::SetOut($out)
    [Console]::SetError($err)
    # The module closes its pipes twice, which is harmless in a process that ends: here finalizers meet nothing else.
    [GC]::Collect()
    [GC]::WaitForPendingFinalizers()
    [cultureinfo]::CurrentCulture = 'en-US'
    $answer = ConvertTo-Json -InputObject @{ said = $said; failure = $failure; log = @([Lab.World]::Log) } -Compress -EscapeHandling EscapeNonAscii
    [IO.File]::AppendAllText("$Folder/answers.json", "$answer`n")
}
