# prs.recovery inspect_sql_instance
#
# What Windows knows about one SQL Server instance, in one round trip. Reads only, so it runs in check mode too.
#
# Parameters:
#   InstanceName   MSSQLSERVER for the default instance
# Result:
#   installed            setup finished (ConfigurationState 1); a service alone proves nothing
#   partly_installed     setup began and did not finish
#   id                   registry name, such as MSSQL15.MSSQLSERVER; '' when there is none
#   version, edition, collation
#   login_mode           1 Windows, 2 mixed
#   tcp_enabled, tcp_port, tcp_dynamic_ports, certificate      as set for the next start of the service; ports may be lists
#   listens_on_all_addresses      false where the ports of single addresses count instead
#   data_dir, log_dir, backup_dir
#   service, service_account, service_state      MSSQLSERVER or MSSQL$NAME; '' state when there is no such service
#   pending_restart      reasons why setup would refuse to run, empty when it would not
#   system_account, administrators      the localised names of S-1-5-18 and S-1-5-32-544
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory = $true)][string]$InstanceName
)

$Ansible.Changed = $false
$root = 'HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server'

# What is not there has no value. What may not be read fails: it would pass for what is not there.
function Read-RegistryValue {
    param([string]$Key, [string]$Name)
    try { (Get-ItemProperty -LiteralPath $Key -Name $Name -ErrorAction Stop).$Name }
    catch [System.Management.Automation.ItemNotFoundException] { $null }
    catch [System.Management.Automation.PSArgumentException] { $null }
}

function Get-AccountName {
    param([string]$Sid)
    $identifier = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList $Sid
    $identifier.Translate([System.Security.Principal.NTAccount]).Value
}

$id = [string](Read-RegistryValue -Key "$root\Instance Names\SQL" -Name $InstanceName)
$key = "$root\$id"
$state = [int](Read-RegistryValue -Key "$key\ConfigurationState" -Name 'SQL_Engine_Core_Inst')
$network = "$key\MSSQLServer\SuperSocketNetLib"

$listenAll = Read-RegistryValue -Key "$network\Tcp" -Name 'ListenOnAllIPs'

$service = 'MSSQLSERVER'
if ($InstanceName -ne 'MSSQLSERVER') { $service = 'MSSQL$' + $InstanceName }
$filter = "Name = '$service'"
$running = Get-CimInstance -ClassName Win32_Service -Filter $filter -OperationTimeoutSec 60 -ErrorAction Stop

$current = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion'
$pending = @()
if (Test-Path -LiteralPath "$current\Component Based Servicing\RebootPending") { $pending += 'component servicing' }
if (Test-Path -LiteralPath "$current\WindowsUpdate\Auto Update\RebootRequired") { $pending += 'Windows update' }
if (Read-RegistryValue -Key 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager' -Name 'PendingFileRenameOperations') {
    $pending += 'file rename'
}

$Ansible.Result = @{
    installed = ($id -ne '' -and $state -eq 1)
    partly_installed = ($id -ne '' -and $state -ne 1)
    id = $id
    version = [string](Read-RegistryValue -Key "$key\Setup" -Name 'PatchLevel')
    edition = [string](Read-RegistryValue -Key "$key\Setup" -Name 'Edition')
    collation = [string](Read-RegistryValue -Key "$key\Setup" -Name 'Collation')
    login_mode = [int](Read-RegistryValue -Key "$key\MSSQLServer" -Name 'LoginMode')
    tcp_enabled = [int](Read-RegistryValue -Key "$network\Tcp" -Name 'Enabled')
    tcp_port = [string](Read-RegistryValue -Key "$network\Tcp\IPAll" -Name 'TcpPort')
    tcp_dynamic_ports = [string](Read-RegistryValue -Key "$network\Tcp\IPAll" -Name 'TcpDynamicPorts')
    listens_on_all_addresses = ($null -eq $listenAll -or [int]$listenAll -ne 0)
    certificate = [string](Read-RegistryValue -Key $network -Name 'Certificate')
    data_dir = [string](Read-RegistryValue -Key "$key\MSSQLServer" -Name 'DefaultData')
    log_dir = [string](Read-RegistryValue -Key "$key\MSSQLServer" -Name 'DefaultLog')
    backup_dir = [string](Read-RegistryValue -Key "$key\MSSQLServer" -Name 'BackupDirectory')
    service = $service
    service_account = [string]$running.StartName
    service_state = [string]$running.State
    pending_restart = $pending
    system_account = Get-AccountName -Sid 'S-1-5-18'
    administrators = Get-AccountName -Sid 'S-1-5-32-544'
}
