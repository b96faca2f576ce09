# Stand-ins for Windows' commands. They answer from $global:LabWorld, in the shapes that Microsoft documents. Functions come before cmdlets of the same name.
function Write-LabError {
    param($Cmdlet, [string]$Message, [string]$Id, [string]$Category, [string]$Type = 'System.InvalidOperationException')
    $exception = if ($Type -eq 'System.Exception') { [System.Exception]::new($Message) } else { [System.InvalidOperationException]::new($Message) }
    $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new($exception, $Id, $Category, $null))
}

function Get-CimInstance {
    [CmdletBinding()]
    param([string]$ClassName, [string]$Filter, [string]$Namespace, [int]$OperationTimeoutSec)
    $key = $ClassName
    $answers = $global:LabWorld.cim
    $fault = $answers["$key!"]
    if ($fault) {
        # As CimCmdlets: a CimException, not terminating.
        Write-LabError $PSCmdlet $fault.message $fault.id $fault.category 'System.Exception'
        return
    }
    foreach ($item in @($answers[$key])) {
        if ($null -eq $item) { continue }
        if ($Filter -match "^Name = '(.*)'$" -and $item.Name -ne $Matches[1]) { continue }
        if ($Filter -match '^DriveType = (\d)$' -and [int]$item.DriveType -ne [int]$Matches[1]) { continue }
        $object = [ordered]@{}
        foreach ($pair in $item.GetEnumerator()) {
            $value = $pair.Value
            # CIM types: uint64 sizes, uint16 roles, uint32 counts; null stays null.
            if ($null -ne $value) {
                if ($pair.Key -in 'FreeSpace', 'Size', 'TotalPhysicalMemory') { $value = [uint64]$value }
                elseif ($pair.Key -in 'DomainRole') { $value = [uint16]$value }
                elseif ($pair.Key -in 'NumberOfLogicalProcessors', 'DriveType') { $value = [uint32]$value }
            }
            $object[$pair.Key] = $value
        }
        [pscustomobject]$object
    }
}

function Get-Service {
    [CmdletBinding()]
    param([string[]]$Name)
    foreach ($one in $Name) {
        $found = $global:LabWorld.services[$one]
        if (-not $found) { Write-LabError $PSCmdlet "Cannot find any service with service name '$one'." 'NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand' 'ObjectNotFound'; continue }
        [pscustomobject]@{ Name = $one; Status = [Lab.ServiceStatus]$found }
    }
}

# A server has the command, a client Windows has not.
function Get-WindowsFeature {
    [CmdletBinding()]
    param()
    if ($null -eq $global:LabWorld.features) { throw [System.Management.Automation.CommandNotFoundException]::new("The term 'Get-WindowsFeature' is not recognized as the name of a cmdlet, function, script file, or operable program.") }
    foreach ($pair in $global:LabWorld.features.GetEnumerator()) { [pscustomobject]@{ Name = $pair.Key; InstallState = [Lab.InstallState]$pair.Value } }
}

class LabSid {
    [string]$Value; [string]$Name
    [object] Translate([type]$Type) {
        if (-not $this.Name) { throw [System.Exception]::new('Some or all identity references could not be translated.') }
        return [pscustomobject]@{ Value = $this.Name }
    }
    [string] ToString() { return $this.Value }
    [bool] Equals([object]$Other) { return ($Other -is [LabSid]) -and $Other.Value -eq $this.Value }
    [int] GetHashCode() { return $this.Value.GetHashCode() }
}
class LabAccount {
    [string]$Value
    [object] Translate([type]$Type) {
        $sid = $global:LabWorld.accounts[$this.Value]
        if (-not $sid) { throw [System.Exception]::new('Some or all identity references could not be translated.') }
        return [LabSid]@{ Value = $sid; Name = $this.Value }
    }
}
class LabAcl {
    [System.Collections.ArrayList]$Rules = @()
    [object] GetAccessRules([bool]$Explicit, [bool]$Inherited, [type]$Type) { return $this.Rules.ToArray() }
    [void] AddAccessRule($Rule) { [void]$this.Rules.Add($Rule); [Lab.World]::Log.Add("acl add $($Rule.IdentityReference.Value)") }
}
class LabX509Store {
    [string]$Store; [string]$Location
    [void] Open([string]$Flags) {
        if ($global:LabWorld.store_denied) { throw [System.Security.Cryptography.CryptographicException]::new('Access is denied.') }
        [Lab.World]::Log.Add("store open $($this.Location)\$($this.Store) $Flags")
    }
    [void] Add($Certificate) {
        [Lab.World]::Log.Add("store add $($this.Store) $($Certificate.Thumbprint)")
        $key = "$($this.Location)\$($this.Store)"
        if (-not [Lab.World]::Stores.ContainsKey($key)) { [Lab.World]::Stores[$key] = [System.Collections.Generic.Dictionary[string, object]]::new([StringComparer]::OrdinalIgnoreCase) }
        [Lab.World]::Stores[$key][$Certificate.Thumbprint] = $Certificate
    }
    [void] Close() { [Lab.World]::Log.Add('store close') }
}
class LabSqlCommand {
    [string]$CommandText; [object]$Parameters = [LabSqlParameters]::new()
    [object] ExecuteScalar() {
        [Lab.World]::Log.Add("sql $($this.CommandText -replace '\s+', ' ')")
        foreach ($rule in $global:LabWorld.sql) {
            if ($this.CommandText -match $rule.match) {
                if ($rule.error) { throw [System.Exception]::new($rule.error) }
                if ($rule.dbnull) { return [DBNull]::Value }
                return $rule.answer
            }
        }
        return $null
    }
}
class LabSqlParameters { [object] AddWithValue([string]$Name, $Value) { [Lab.World]::Log.Add("sql parameter $Name=$Value"); return $Name } }
class LabSqlConnection {
    [string]$ConnectionString
    [void] Open() { [Lab.World]::Log.Add("sql open $($this.ConnectionString)"); if ($global:LabWorld.sql_open) { throw [System.Exception]::new($global:LabWorld.sql_open) } }
    [object] CreateCommand() { return [LabSqlCommand]::new() }
    [void] Dispose() { [Lab.World]::Log.Add('sql dispose') }
}
class LabState { [string]$Name; [string] ToString() { return $this.Name } }

function New-LabManager {
    $iis = $global:LabWorld.iis
    [Lab.IisManager]::From($iis)
}

function New-LabFirewall {
    if ($global:LabWorld.firewall -is [string]) { throw [System.Runtime.InteropServices.COMException]::new($global:LabWorld.firewall) }
    $rules = foreach ($given in @($global:LabWorld.firewall)) {
        if ($null -eq $given) { continue }
        $rule = [Lab.FirewallRule]::new()
        $rule.Protocol = $given.Protocol
        foreach ($pair in $given.GetEnumerator()) { $rule."$($pair.Key)" = $pair.Value }
        $rule
    }
    [pscustomobject]@{ Rules = @($rules) }
}

function New-Object {
    [CmdletBinding(DefaultParameterSetName = 'Net')]
    param([Parameter(Position = 0, ParameterSetName = 'Net')][string]$TypeName, [Parameter(Position = 1, ParameterSetName = 'Net')][object[]]$ArgumentList, [Parameter(ParameterSetName = 'Com')][string]$ComObject)
    if ($ComObject) {
        if ($global:LabWorld.com_denied) { throw [System.Runtime.InteropServices.COMException]::new('Retrieving the COM class factory for component failed: 80070005 Access is denied.') }
        if ($ComObject -eq 'HNetCfg.FWRule') { return [Lab.FirewallRule]::new() }
        if ($ComObject -eq 'HNetCfg.FwPolicy2') { return New-LabFirewall }
        return [Lab.FileSystemObject]::new()
    }
    switch ($TypeName) {
        'System.Security.Principal.SecurityIdentifier' { return [LabSid]@{ Value = $ArgumentList[0]; Name = $global:LabWorld.sids[$ArgumentList[0]] } }
        'System.Security.Principal.NTAccount' { return [LabAccount]@{ Value = $ArgumentList[0] } }
        'System.Security.Cryptography.X509Certificates.X509Store' { return [LabX509Store]@{ Store = $ArgumentList[0]; Location = $ArgumentList[1] } }
        'System.Security.AccessControl.FileSystemAccessRule' { return [pscustomobject]@{ IdentityReference = $ArgumentList[0]; FileSystemRights = $ArgumentList[1]; AccessControlType = $ArgumentList[2] } }
        'System.Data.SqlClient.SqlConnection' { return [LabSqlConnection]::new() }
        'Microsoft.Web.Administration.ServerManager' { return New-LabManager }
    }
    Microsoft.PowerShell.Utility\New-Object @PSBoundParameters
}

function Get-Acl {
    [CmdletBinding()]
    param([string]$LiteralPath)
    [Lab.World]::Log.Add("acl get $LiteralPath")
    $given = $global:LabWorld.acls[$LiteralPath]
    if ($null -eq $given) { $given = $global:LabWorld.acls['*'] }
    if ($given -is [string]) { throw [System.UnauthorizedAccessException]::new($given) }      # FileSystemSecurity.cs catches SecurityException alone: this one ends the command
    $acl = [LabAcl]::new()
    foreach ($rule in @($given)) {
        if ($null -eq $rule) { continue }
        [void]$acl.Rules.Add([pscustomobject]@{
                IdentityReference = [LabSid]@{ Value = $rule.sid; Name = $global:LabWorld.sids[$rule.sid] }
                FileSystemRights = [System.Enum]::ToObject([System.Security.AccessControl.FileSystemRights], [int]$rule.rights)
                AccessControlType = [System.Security.AccessControl.AccessControlType]$(if ($rule.type) { $rule.type } else { 'Allow' })
                IsInherited = [bool]$rule.inherited
                InheritanceFlags = [System.Security.AccessControl.InheritanceFlags]$(if ($null -eq $rule.inheritance) { 3 } else { [int]$rule.inheritance })
                PropagationFlags = [System.Security.AccessControl.PropagationFlags][int]$rule.propagation
            })
    }
    $acl
}
function Set-Acl {
    [CmdletBinding()]
    param([string]$LiteralPath, $AclObject)
    [Lab.World]::Log.Add("acl set $LiteralPath")
    if ($global:LabWorld.set_acl_denied) { throw [System.UnauthorizedAccessException]::new('Attempted to perform an unauthorized operation.') }
}
function Add-Type {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$TypeDefinition, [string]$AssemblyName, [string]$LiteralPath)
    if ($LiteralPath) { return }
    if ($AssemblyName) { return }
    if (-not ('PrsRecoveryTrust' -as [type])) { Microsoft.PowerShell.Utility\Add-Type -TypeDefinition $TypeDefinition -WarningAction SilentlyContinue }
}
function Test-Path {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Path, [string]$PathType)
    if ($LiteralPath -like '*inetsrv*') { return [bool]$global:LabWorld.iis }
    if ($LiteralPath -like '*Crypto*') { [Lab.World]::Log.Add("test $LiteralPath"); return ($LiteralPath -in $global:LabWorld.key_files) }
    Microsoft.PowerShell.Management\Test-Path @PSBoundParameters
}
Export-ModuleMember -Function Get-CimInstance, Get-Service, Get-WindowsFeature, New-Object, Get-Acl, Set-Acl, Add-Type, Test-Path
