# prs.recovery inspect_server
#
# What this server is and what it has to offer, in one round trip. Reads only, so it runs in check mode too.
#
# Parameters:
#   Rule                        names of rules of Windows Firewall
#   Features                    whether the features of Windows are wanted
# Result:
#   name, domain, domain_role   Win32_ComputerSystem.DomainRole: 0, 1 workstation; 2, 3 server; 4, 5 domain controller
#   caption, version            "Microsoft Windows Server 2019 Standard", "10.0.17763"
#   installation_type           Server, Server Core, Client
#   processors, memory_bytes    logical processors; physical memory
#   free_bytes                  fixed drive -> bytes, such as {"C:": 42949672960}
#   mounted_bytes               folder in which a volume is mounted -> its free bytes, such as {"D:\\data": 42949672960}
#   firewall_running            the service of Windows Firewall runs
#   dotnet_release              release key of .NET Framework 4.x, 0 when absent
#   pending_restart             reasons why Windows waits for a restart, empty when it does not
#   system_account              what this Windows calls S-1-5-18 in its language, such as NT AUTHORITY\SYSTEM
#   rules                       rules with those names, one each: name, description, direction (1 in), action (1 allow), enabled,
#                               protocol (6 TCP), local_ports; none where the firewall cannot be asked, as whoever sets them
#                               says what is wrong then
#   features                    names of the features that are installed, and wait for no restart; none on a client Windows,
#                               and where they cannot be asked for, as whoever installs them says what is wrong then
# It fails where Windows may not be asked for them: half of an answer would be taken for the whole.
[CmdletBinding(SupportsShouldProcess)]
param(
    [string[]]$Rule = @(),
    [bool]$Features = $false
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$bounded = @{ OperationTimeoutSec = 60 }
$system = Get-CimInstance -ClassName Win32_ComputerSystem @bounded
$windows = Get-CimInstance -ClassName Win32_OperatingSystem @bounded

$free = @{}
foreach ($disk in Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType = 3' @bounded) {
    $free[$disk.DeviceID] = [long]$disk.FreeSpace
}

$mounted = @{}
foreach ($volume in Get-CimInstance -ClassName Win32_Volume -Filter 'DriveType = 3 AND DriveLetter IS NULL' @bounded) {
    if (-not $volume.Name.StartsWith('\\', [System.StringComparison]::Ordinal)) {
        $mounted[$volume.Name.TrimEnd('\')] = [long]$volume.FreeSpace
    }
}
$running = Get-CimInstance -ClassName Win32_Service -Filter "Name = 'MpsSvc'" @bounded

# What is not there has no value. What may not be read fails: it would pass for what is not there.
function Read-RegistryValue {
    param([string]$Key, [string]$Name)
    try { (Get-ItemProperty -LiteralPath $Key -Name $Name -ErrorAction Stop).$Name }
    catch [System.Management.Automation.ItemNotFoundException] { $null }
    catch [System.Management.Automation.PSArgumentException] { $null }
}

$current = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion'
$pending = @()
if (Test-Path -LiteralPath "$current\Component Based Servicing\RebootPending") { $pending += 'component servicing' }
if (Test-Path -LiteralPath "$current\WindowsUpdate\Auto Update\RebootRequired") { $pending += 'Windows update' }
if (Read-RegistryValue -Key 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager' -Name 'PendingFileRenameOperations') {
    $pending += 'file rename'
}

# Several rules may have one name.
function Read-Rule {
    foreach ($found in (New-Object -ComObject HNetCfg.FwPolicy2).Rules) {
        if ($found.Name -notin $Rule) { continue }
        @{
            name = [string]$found.Name
            description = [string]$found.Description
            direction = [int]$found.Direction
            action = [int]$found.Action
            enabled = [bool]$found.Enabled
            protocol = [int]$found.Protocol
            local_ports = [string]$found.LocalPorts
        }
    }
}

$rules = @()
if ($Rule) {
    try { $rules = @(Read-Rule) } catch { $null = $_ }
}

$installed = @()
if ($Features) {
    try {
        $installed = @(Get-WindowsFeature | Where-Object { [string]$_.InstallState -eq 'Installed' } | ForEach-Object { $_.Name })
    }
    catch { $null = $_ }
}

$systemSid = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList 'S-1-5-18'

$Ansible.Result = @{
    name = $system.Name
    domain = $system.Domain
    domain_role = [int]$system.DomainRole
    caption = $windows.Caption
    version = $windows.Version
    installation_type = Read-RegistryValue -Key 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' -Name 'InstallationType'
    processors = [int]$system.NumberOfLogicalProcessors
    memory_bytes = [long]$system.TotalPhysicalMemory
    free_bytes = $free
    mounted_bytes = $mounted
    firewall_running = ([string]$running.State -eq 'Running')
    dotnet_release = [int](Read-RegistryValue -Key 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' -Name 'Release')
    pending_restart = $pending
    system_account = $systemSid.Translate([System.Security.Principal.NTAccount]).Value
    rules = $rules
    features = $installed
}
