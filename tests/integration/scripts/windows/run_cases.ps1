# run_cases.ps1 FOLDER
# Runs cases.json of FOLDER, each script through ansible.windows' own win_powershell (module.ps1) on ansible-core's
# Ansible.Basic.cs, and appends what the module says to answers.json, a line for each case.
param([string]$Folder)
$ErrorActionPreference = 'Stop'
Import-Module "$Folder/AddType.psm1"
$addCSharp = (Get-Command Add-CSharpType).ScriptBlock
$null = & $addCSharp -References ([IO.File]::ReadAllText("$Folder/Basic.cs")) -TempPath ([IO.Path]::GetTempPath()) -IgnoreWarnings
Import-Module "$Folder/Lab.psm1"
$moduleBlock = [scriptblock]::Create([IO.File]::ReadAllText("$Folder/module.ps1"))

# The C# of the module is compiled once for all cases.
$compiled = @{}
function Add-CSharpType {
    param($AnsibleModule, [string[]]$References, $TempPath)
    $key = $References -join "`0"
    if ($compiled[$key]) { return }
    $compiled[$key] = $true
    & $addCSharp -AnsibleModule $AnsibleModule -References $References -IgnoreWarnings
}

class LabExit : System.Exception { LabExit() : base('exit') {} }
[Ansible.Basic.AnsibleModule]::Exit = { param([int]$rc) throw [LabExit]::new() }
[Ansible.Basic.AnsibleModule]::WriteLine = { param([string]$text) $script:said = $text }
$env:ProgramData = '/ProgramData'
$env:windir = 'C:\Windows'
$out, $err = [Console]::Out, [Console]::Error
$said = $null
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
