# prs.recovery inspect_web_server
#
# What this server has already of all that the application needs around it, in one round trip. Reads only, so it runs in
# check mode too.
#
# Parameters:
#   Path           files and folders
#   RegistryKey    keys such as HKLM:\SOFTWARE\..., each with
#   RegistryName   values of these names
#   Rule           rules of Windows Firewall for what programs send over TCP, one each: name, description, action (allow,
#                  block), program, remote_ports, remote_addresses
# Result:
#   iis        the service of IIS is there
#   exists     those of Path that are there
#   values     one each that is a text: key, name, data
#   rules      names of those rules that are there, in force and as they should be; none where the firewall cannot be asked,
#              as whoever sets them says what is wrong then
[CmdletBinding(SupportsShouldProcess)]
param(
    [string[]]$Path = @(),
    [string[]]$RegistryKey = @(),
    [string[]]$RegistryName = @(),
    [object[]]$Rule = @()
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false

# What Windows makes of the texts shows only in a rule, which is added to none. Ports may be set after the protocol alone.
function New-WantedRule {
    param($Wanted)
    $made = New-Object -ComObject HNetCfg.FWRule
    $made.Name = $Wanted.name
    $made.Description = $Wanted.description
    $made.Direction = 2
    $made.Action = @{ block = 0; allow = 1 }[$Wanted.action]
    $made.Enabled = $true
    $made.ApplicationName = [System.Environment]::ExpandEnvironmentVariables($Wanted.program)
    $made.Protocol = 6
    $made.RemotePorts = $Wanted.remote_ports
    $made.RemoteAddresses = $Wanted.remote_addresses
    $made
}

function Test-SameRule {
    param($Found, $Made)
    foreach ($name in 'Description', 'Direction', 'Action', 'Enabled', 'ApplicationName', 'Protocol', 'RemotePorts') {
        if ($Found.$name -ne $Made.$name) { return $false }
    }
    $theirs = [string]$Found.RemoteAddresses -split ',' | Sort-Object
    $ours = [string]$Made.RemoteAddresses -split ',' | Sort-Object
    ($theirs -join ',') -eq ($ours -join ',')
}

# Several rules may have one name; where one of them differs, the name is not said to be as it should.
function Find-SettledRule {
    $made = @{}
    $same = @{}
    foreach ($wanted in $Rule) { $made[$wanted.name] = New-WantedRule -Wanted $wanted }
    foreach ($found in (New-Object -ComObject HNetCfg.FwPolicy2).Rules) {
        $name = [string]$found.Name
        if ($made.ContainsKey($name) -and $same[$name] -ne $false) {
            $same[$name] = Test-SameRule -Found $found -Made $made[$name]
        }
    }
    foreach ($wanted in $Rule) {
        if ($same[$wanted.name]) { $wanted.name }
    }
}

$settled = @()
if ($Rule) {
    try { $settled = @(Find-SettledRule) } catch { $null = $_ }
}

$values = foreach ($key in $RegistryKey) {
    foreach ($name in $RegistryName) {
        $data = (Get-ItemProperty -LiteralPath $key -Name $name -ErrorAction SilentlyContinue).$name
        if ($data -is [string]) { @{ key = $key; name = $name; data = $data } }
    }
}

$Ansible.Result = @{
    iis = ($null -ne (Get-Service -Name 'W3SVC' -ErrorAction SilentlyContinue))
    exists = @($Path | Where-Object { Test-Path -LiteralPath $_ })
    values = @($values)
    rules = $settled
}
