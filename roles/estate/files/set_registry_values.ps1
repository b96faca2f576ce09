# prs.recovery set_registry_values
#
# Values of the registry, several at once, each compared by its type and its data before it is set. A key that is not there
# is made. In check mode it says what it would set.
#
# Parameters:
#   Value     one each: key such as HKLM:\SOFTWARE\..., name, data, type (string, dword), a string where none is said
# Result:
#   set       names of those that were set
# Diff:       before and after, by key and name: the type and the data of those that were set
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory = $true)][object[]]$Value
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$differing = @()
$before = @{}
$after = @{}

function Read-Value {
    param([string]$Key, [string]$Name)
    if (-not (Test-Path -LiteralPath $Key)) { return }
    $found = Get-Item -LiteralPath $Key
    if ($Name -notin $found.GetValueNames()) { return }
    @{ type = $found.GetValueKind($Name).ToString(); data = $found.GetValue($Name, $null, 'DoNotExpandEnvironmentNames') }
}

foreach ($wanted in $Value) {
    $name = [string]$wanted.name
    $type = 'String'
    $data = [string]$wanted.data
    if ($wanted.type -eq 'dword') {
        $type = 'DWord'
        $data = [int]$wanted.data
    }
    $found = Read-Value -Key $wanted.key -Name $name
    if ($found -and $found.type -eq $type -and $found.data -ceq $data) { continue }
    $differing += $name
    foreach ($side in $before, $after) {
        if (-not $side.ContainsKey($wanted.key)) { $side[$wanted.key] = @{} }
    }
    if ($found) { $before[$wanted.key][$name] = $found }
    $after[$wanted.key][$name] = @{ type = $type; data = $data }
    if ($PSCmdlet.ShouldProcess("$($wanted.key)\$name", 'set')) {
        if (-not (Test-Path -LiteralPath $wanted.key)) { $null = New-Item -Path $wanted.key -Force }
        $null = New-ItemProperty -LiteralPath $wanted.key -Name $name -PropertyType $type -Value $data -Force
    }
    $Ansible.Changed = $true
}

$Ansible.Diff = @{ before = $before; after = $after }
$Ansible.Result = @{ set = $differing }
