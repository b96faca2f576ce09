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
#   Site, Pool     of IIS, by their names
#   Attribute      attributes of the pool that are wanted, as web_app_pool names them: managedRuntimeVersion, processModel.maxProcesses
# Result:
#   iis        the service of IIS is there
#   exists     those of Path that are there
#   values     one each that is a text or a number: key, name, data
#   rules      names of those rules that are there, in force and as they should be; none where the firewall cannot be asked,
#              as whoever sets them says what is wrong then
#   site       state, physical_path and application_pool of its root, bindings (protocol, ip, port, hostname, certificate_hash);
#              nothing where there is none, or not all of it can be read, as of a service that does not run
#   pool       state, attributes (name -> value; of an enumeration its number, of a time hh:mm:ss); nothing likewise
[CmdletBinding(SupportsShouldProcess)]
param(
    [string[]]$Path = @(),
    [string[]]$RegistryKey = @(),
    [string[]]$RegistryName = @(),
    [object[]]$Rule = @(),
    [string]$Site = '',
    [string]$Pool = '',
    [string[]]$Attribute = @()
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
        if ($data -is [string] -or $data -is [int] -or $data -is [long]) { @{ key = $key; name = $name; data = $data } }
    }
}

# Methods, as PowerShell takes a property that fails for an empty one.
function Read-Site {
    param($Manager)
    $found = $Manager.get_Sites() | Where-Object { $_.Name -eq $Site } | Select-Object -First 1
    if (-not $found) { return @{} }
    $root = $found.Applications['/']
    $bindings = foreach ($binding in $found.Bindings) {
        $read = @{ protocol = $binding.Protocol; ip = ''; port = 0; hostname = ''; certificate_hash = '' }
        if ($binding.Protocol -in 'http', 'https') {
            $parts = $binding.BindingInformation -split ':'
            $read.hostname = $parts[-1]
            $read.port = [int]$parts[-2]
            $read.ip = $parts[0..($parts.Count - 3)] -join ':'
        }
        $hash = $binding.CertificateHash
        if ($hash) { $read.certificate_hash = [System.BitConverter]::ToString($hash).Replace('-', '') }
        $read
    }
    @{
        state = $found.get_State().ToString()
        physical_path = [string]$root.VirtualDirectories['/'].PhysicalPath
        application_pool = [string]$root.ApplicationPoolName
        bindings = @($bindings)
    }
}

function Read-Pool {
    param($Manager)
    $found = $Manager.get_ApplicationPools() | Where-Object { $_.Name -eq $Pool } | Select-Object -First 1
    if (-not $found) { return @{} }
    $read = @{}
    foreach ($name in $Attribute) {
        $element = $found
        $steps = @($name -split '\.')
        for ($step = 0; $step -lt $steps.Count - 1; $step++) { $element = $element.GetChildElement($steps[$step]) }
        $value = $element.GetAttributeValue($steps[-1])
        if ($value -is [System.TimeSpan]) { $value = $value.ToString() }
        $read[$name] = $value
    }
    @{ state = $found.get_State().ToString(); attributes = $read }
}

$service = Get-Service -Name 'W3SVC' -ErrorAction SilentlyContinue
$library = "$env:windir\System32\inetsrv\Microsoft.Web.Administration.dll"
$readSite = @{}
$readPool = @{}
if ($service -and $service.Status.ToString() -eq 'Running' -and (Test-Path -LiteralPath $library)) {
    try {
        Add-Type -LiteralPath $library
        $manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
        if ($Pool) { $readPool = Read-Pool -Manager $manager }
        if ($Site) { $readSite = Read-Site -Manager $manager }
    }
    catch { $null = $_ }
}

$Ansible.Result = @{
    iis = ($null -ne $service)
    exists = @($Path | Where-Object { Test-Path -LiteralPath $_ })
    values = @($values)
    rules = $settled
    site = $readSite
    pool = $readPool
}
