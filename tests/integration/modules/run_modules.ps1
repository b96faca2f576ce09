# run_modules.ps1 FOLDER
# Runs cases.json of FOLDER, each module in a session of its own as Ansible would run it: the module utilities that it
# names are there, its arguments are in $complex_args. Appends what it says to answers.json, a line for each case.
param([string]$Folder)
$ErrorActionPreference = 'Stop'
$compile = @'
param($Folder)
Import-Module "$Folder\AddType.psm1"
foreach ($name in 'Basic.cs', 'Process.cs') {
    Add-CSharpType -References ([IO.File]::ReadAllText("$Folder\$name")) -TempPath ([IO.Path]::GetTempPath()) -IgnoreWarnings
}
'@
$prelude = @'
param($Folder, $Arguments)
$global:complex_args = $Arguments
$global:said = $null
foreach ($name in 'AddType', 'Legacy', 'Backup', 'FileUtil', 'Process') { Import-Module "$Folder\$name.psm1" -DisableNameChecking }
[Ansible.Basic.AnsibleModule]::Exit = { param([int]$rc) throw 'the module has ended' }
[Ansible.Basic.AnsibleModule]::WriteLine = { param([string]$text) $global:said = $text }
$global:ErrorActionPreference = 'Stop'
'@

function Invoke-Session {
    param($Session, [string]$Text, [object[]]$Arguments)
    $Session.Commands.Clear()
    $null = $Session.AddScript($Text)
    foreach ($argument in $Arguments) { $null = $Session.AddArgument($argument) }
    $Session.Invoke()
}

$null = Invoke-Session ([PowerShell]::Create()) $compile @($Folder)
foreach ($case in ConvertFrom-Json -InputObject ([IO.File]::ReadAllText("$Folder\cases.json")) -AsHashtable -DateKind String -Depth 50) {
    $session = [PowerShell]::Create()
    $said = $failure = $null
    try {
        $null = Invoke-Session $session $prelude @($Folder, $case.arguments)
        $said = @(Invoke-Session $session ([IO.File]::ReadAllText("$Folder\$($case.module).ps1"))) -join ''
    }
    catch { $failure = "$_ $($_.ScriptStackTrace)" }
    $basic = $session.Runspace.SessionStateProxy.GetVariable('said')
    if ($basic) { $said = $basic }
    if (-not $said) { $failure = "$failure $($session.Streams.Error -join '; ')" }
    $answer = ConvertTo-Json -InputObject @{ said = $said; failure = $failure } -Compress -EscapeHandling EscapeNonAscii
    [IO.File]::AppendAllText("$Folder\answers.json", "$answer`n")
    $session.Dispose()
}
