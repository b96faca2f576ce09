# prs.recovery inspect_protection
#
# What this server sees of the estate's protection, in one round trip: its own site, certificates and room with the rights of who
# connects, and shares with those of the account under which they were connected (share_user of windows_script). Reads only, so it
# runs in check mode too.
#
# Parameters:
#   Site       site of IIS whose state, pool and certificate are wanted; '' for none
#   Pool       application pool whose state is wanted as well, where the site is not served by it alone; '' for none
#   Instance   instance of SQL Server whose certificate is wanted; '' for none
#   Hashed     files whose SHA-256 is wanted
#   Path       files and folders that must be there and readable
#   Folder     folders whose readers and free space are wanted
#   Archive    pattern of archives (.zip), into the newest of which is looked
#   Entry      files whose SHA-256 inside it is wanted, by their names without a folder
#   Text       patterns of small JSON files, the newest of which are wanted
#   Newest     how many of each pattern
# Result:
#   drives         fixed drive -> free, size (bytes)
#   iis            installed, service (Running, Stopped, ... or ''), site (Started, Stopped or '' when there is none), pool,
#                  pool_state, asked_state (of Pool, '' when there is none), bindings (protocol, port, thumbprint); of all of
#                  IIS: sites, pools (names), ports; error and message when IIS' configuration or a state cannot be read: then
#                  the rest is what was read before
#   certificates   of the bindings and of the instance, one each: use (site or sql), thumbprint, subject, not_after (UTC), has_key, found
#   hashed         one each: path, sha256, bytes, error, message
#   paths          one each: path, is_folder, bytes, version (of an .exe), error (Win32 number, 0 when none), message
#   folders        one each: path, readers (sid, name), free_bytes (-1: not known), error, message, readers_error, readers_message
#   archived       path ('' when there is none), entries (name, sha256), error, message
#   texts          one each: pattern, path, modified (UTC), text; with error and message when the folder cannot be read
[CmdletBinding(SupportsShouldProcess)]
param(
    [string]$Site = '',
    [string]$Pool = '',
    [string]$Instance = '',
    [string[]]$Hashed = @(),
    [string[]]$Path = @(),
    [string[]]$Folder = @(),
    [string]$Archive = '',
    [string[]]$Entry = @(),
    [string[]]$Text = @(),
    [int]$Newest = 1
)

$Ansible.Changed = $false
$invariant = [System.Globalization.CultureInfo]::InvariantCulture
$bounded = @{ OperationTimeoutSec = 60; ErrorAction = 'Stop' }

# Below the wrappers of PowerShell: the number of a Win32 error, 13 (the data is invalid) for a damaged ZIP archive. What
# is wrong with such a file itself ends in a seek before its beginning (131, with newer .NET 87).
function Get-Win32Number {
    param($Exception)
    if (($Exception.HResult -band 0xFFFF0000) -eq 0x80070000) { return $Exception.HResult -band 0xFFFF }
    return 0
}

function Get-Cause {
    param($Exception)
    while ($null -ne $Exception.InnerException) {
        $class = $Exception.GetType().FullName
        $isWrapper = $class.StartsWith('System.Management.Automation.', [System.StringComparison]::Ordinal)
        if ($class -eq 'System.IO.InvalidDataException') {
            $isWrapper = (Get-Win32Number -Exception $Exception.InnerException) -notin 0, 87, 131
        }
        if (-not $isWrapper) { break }
        $Exception = $Exception.InnerException
    }
    $Exception
}

function Add-Failure {
    param($Record, $Caught)
    $cause = Get-Cause -Exception $Caught.Exception
    $number = Get-Win32Number -Exception $cause
    if ($cause -is [System.IO.InvalidDataException]) { $number = 13 }
    if (-not $number) { $number = $cause.HResult -band 0xFFFF }
    $Record.error = $number
    $Record.message = $cause.Message
}

# A file server that is away keeps everybody waiting who asks it for something, a minute and more with each question. So
# all shares are asked beforehand, side by side, and one that does not answer in time is asked for nothing more.
$sharePatience = 60000

function Get-Share {
    param([string]$Name)
    [regex]::Match($Name, '\A\\\\[^\\]+\\[^\\]+').Value
}

function Find-LostShare {
    param([string[]]$Name)
    $lost = @{}
    # Those that the account cannot be connected to are known already.
    foreach ($share in $Ansible.Unconnected.Keys) {
        $known = $Ansible.Unconnected[$share]
        $lost[$share] = New-Object -TypeName System.IO.IOException -ArgumentList $known.message, (0x80070000 -bor [int]$known.number)
    }
    $shares = $Name | ForEach-Object { Get-Share -Name $_ } | Where-Object { $_ -and -not $lost.ContainsKey($_) }
    $asked = foreach ($share in $shares | Sort-Object -Unique) {
        $asking = [System.Management.Automation.PowerShell]::Create()
        $null = $asking.AddScript('[System.IO.File]::GetAttributes($args[0])').AddArgument($share)
        @{ share = $share; asking = $asking; answer = $asking.BeginInvoke() }
    }
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    foreach ($question in $asked) {
        $left = [int][Math]::Max(0, $sharePatience - $clock.ElapsedMilliseconds)
        if (-not $question.answer.AsyncWaitHandle.WaitOne($left)) {
            # 53, as Windows says it in the end. Whoever waits for a dead server cannot be disposed of: that would wait, too.
            $said = "$($question.share) did not answer within $($sharePatience / 1000) seconds."
            $lost[$question.share] = New-Object -TypeName System.IO.IOException -ArgumentList $said, 0x80070035
            continue
        }
        try { $null = $question.asking.EndInvoke($question.answer) }
        catch {
            $cause = Get-Cause -Exception $_.Exception
            if ((Get-Win32Number -Exception $cause) -in 51, 53, 59, 64, 67, 121, 1231) { $lost[$question.share] = $cause }
        }
        $question.asking.Dispose()
    }
    $lost
}

function Assert-Share {
    param([string]$Name)
    $problem = $lostShares[(Get-Share -Name $Name)]
    if ($problem) { throw $problem }
}

# A name ends as Windows compares names, in no culture; GetFiles also gives *.bak_old for *.bak where short names exist.
function Test-Ending {
    param([string]$Name, [string]$Ending)
    $Name.EndsWith($Ending, [System.StringComparison]::OrdinalIgnoreCase)
}

function Find-File {
    param([string]$Pattern, [string]$Depth)
    $parent = [System.IO.Path]::GetDirectoryName($Pattern)
    $name = [System.IO.Path]::GetFileName($Pattern)
    $form = '\A' + [regex]::Escape($name).Replace('\*', '.*').Replace('\?', '.') + '\z'
    foreach ($full in [System.IO.Directory]::GetFiles($parent, $name, $Depth)) {
        if ([regex]::IsMatch([System.IO.Path]::GetFileName($full), $form, 'IgnoreCase, CultureInvariant')) {
            [System.IO.FileInfo]$full
        }
    }
}

function New-IisRecord {
    @{
        installed = $false; service = ''; site = ''; pool = ''; pool_state = ''; asked_state = ''; bindings = @(); sites = @()
        pools = @(); ports = @(); error = 0; message = ''
    }
}

# Methods, as PowerShell takes a property that fails for an empty one.
function Read-PoolState {
    param([object[]]$Known, [string]$Name)
    $one = $Known | Where-Object { $_.Name -eq $Name } | Select-Object -First 1
    if ($one) { $one.get_State().ToString() } else { '' }
}

function Read-Iis {
    $found = New-IisRecord
    $service = Get-Service -Name W3SVC -ErrorAction SilentlyContinue
    if ($service) { $found.service = $service.Status.ToString() }
    $library = "$env:windir\System32\inetsrv\Microsoft.Web.Administration.dll"
    if (-not $service -or -not (Test-Path -LiteralPath $library)) { return $found }
    $found.installed = $true
    Add-Type -LiteralPath $library
    $manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
    try {
        $sites = @($manager.get_Sites())
        $pools = @($manager.get_ApplicationPools())
        $found.sites = @($sites | ForEach-Object { $_.Name })
        $found.pools = @($pools | ForEach-Object { $_.Name })
        $found.ports = @($sites | ForEach-Object { $_.Bindings } | Where-Object { $_.Protocol -in 'http', 'https' } |
                ForEach-Object { [int]($_.BindingInformation -split ':')[-2] } | Sort-Object -Unique)
        $wanted = $sites | Where-Object { $_.Name -eq $Site } | Select-Object -First 1
        if (-not $wanted) { return $found }
        $root = $wanted.Applications['/']
        if ($root) { $found.pool = [string]$root.ApplicationPoolName }
        $found.bindings = @(foreach ($binding in $wanted.Bindings) {
                $hash = $binding.CertificateHash
                $thumbprint = ''
                if ($hash) { $thumbprint = [System.BitConverter]::ToString($hash).Replace('-', '') }
                $port = 0
                if ($binding.Protocol -in 'http', 'https') { $port = [int]($binding.BindingInformation -split ':')[-2] }
                @{ protocol = $binding.Protocol; port = $port; thumbprint = $thumbprint }
            })
        # A service that does not run cannot be asked for states.
        $found.site = 'Stopped'
        $found.pool_state = 'Stopped'
        if ($found.service -eq 'Running') {
            $found.site = 'Unknown'
            $found.pool_state = 'Unknown'
            $found.asked_state = 'Unknown'
            $found.site = $wanted.get_State().ToString()
            $found.pool_state = Read-PoolState -Known $pools -Name $found.pool
            $found.asked_state = Read-PoolState -Known $pools -Name $Pool
        }
    }
    catch { Add-Failure -Record $found -Caught $_ }
    $found
}

function Read-InstanceThumbprint {
    $root = 'HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server'
    $id = (Get-ItemProperty -LiteralPath "$root\Instance Names\SQL" -Name $Instance -ErrorAction SilentlyContinue).$Instance
    if (-not $id) { return '' }
    $network = "$root\$id\MSSQLServer\SuperSocketNetLib"
    [string](Get-ItemProperty -LiteralPath $network -Name 'Certificate' -ErrorAction SilentlyContinue).Certificate
}

function Read-Certificate {
    param([string]$Use, [string]$Thumbprint)
    $record = @{
        use = $Use; thumbprint = $Thumbprint.ToUpperInvariant(); subject = ''; not_after = ''; has_key = $false; found = $false
    }
    # Without a thumbprint the path would be that of the store itself.
    if (-not $Thumbprint) { return $record }
    $stored = Get-Item -LiteralPath "Cert:\LocalMachine\My\$Thumbprint" -ErrorAction SilentlyContinue
    if ($stored) {
        $record.found = $true
        $record.subject = $stored.Subject
        $record.not_after = $stored.NotAfter.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)
        $record.has_key = $stored.HasPrivateKey
    }
    $record
}

function Read-Reader {
    param([string]$Name)
    $sidType = [System.Security.Principal.SecurityIdentifier]
    $rules = (Get-Acl -LiteralPath $Name).GetAccessRules($true, $true, $sidType)
    # What is only inherited by what lies below is often written as a generic right: all (0x10000000), or to read (0x80000000).
    $reads = [int][System.Security.AccessControl.FileSystemRights]::ReadData -bor 0x10000000 -bor [int]::MinValue
    $allowed = $rules | Where-Object { $_.AccessControlType -eq 'Allow' -and ([int]$_.FileSystemRights -band $reads) }
    foreach ($sid in $allowed | ForEach-Object { $_.IdentityReference } | Sort-Object -Property Value -Unique) {
        $named = $sid.Value
        try { $named = $sid.Translate([System.Security.Principal.NTAccount]).Value } catch { $named = $sid.Value }
        @{ sid = $sid.Value; name = $named }
    }
}

# The one implementation of SHA-256 that a server in FIPS mode allows.
function Get-Sha256 {
    param($Stream)
    $sha = New-Object -TypeName System.Security.Cryptography.SHA256CryptoServiceProvider
    [System.BitConverter]::ToString($sha.ComputeHash($Stream)).Replace('-', '').ToLowerInvariant()
}

function Read-FreeByte {
    param([string]$Name)
    try { [long](New-Object -ComObject Scripting.FileSystemObject).GetDrive([System.IO.Path]::GetPathRoot($Name)).AvailableSpace } catch { [long]-1 }
}

$drives = @{}
foreach ($disk in Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType = 3' @bounded) {
    $drives[$disk.DeviceID] = @{ free = [long]$disk.FreeSpace; size = [long]$disk.Size }
}

$iis = New-IisRecord
if ($Site) { $iis = Read-Iis }

$certificates = @(
    foreach ($binding in $iis.bindings) {
        if ($binding.protocol -eq 'https') { Read-Certificate -Use 'site' -Thumbprint $binding.thumbprint }
    }
    if ($Instance) {
        $thumbprint = Read-InstanceThumbprint
        if ($thumbprint) { Read-Certificate -Use 'sql' -Thumbprint $thumbprint }
    }
)

$lostShares = Find-LostShare -Name @($Hashed + $Path + $Folder + $Archive + $Text)

$hashRecords = foreach ($name in $Hashed) {
    $record = @{ path = $name; sha256 = ''; bytes = 0; error = 0; message = '' }
    try {
        Assert-Share -Name $name
        # Not Get-FileHash, which is a function in Windows PowerShell and hides why a file cannot be read.
        $stream = [System.IO.File]::Open($name, 'Open', 'Read', 'ReadWrite, Delete')
        try {
            $record.sha256 = Get-Sha256 -Stream $stream
            $record.bytes = $stream.get_Length()
        }
        finally { $stream.Dispose() }
    }
    catch { Add-Failure -Record $record -Caught $_ }
    $record
}

$pathRecords = foreach ($name in $Path) {
    $record = @{ path = $name; is_folder = $false; bytes = 0; version = ''; error = 0; message = '' }
    try {
        Assert-Share -Name $name
        $record.is_folder = [System.IO.File]::GetAttributes($name).HasFlag([System.IO.FileAttributes]::Directory)
        if ($record.is_folder) { $null = [System.IO.Directory]::GetFileSystemEntries($name) }
        else {
            # Opened, because to see a file is not to be allowed to read it.
            $stream = [System.IO.File]::Open($name, 'Open', 'Read', 'ReadWrite, Delete')
            $record.bytes = $stream.get_Length()
            $stream.Dispose()
            if (Test-Ending -Name $name -Ending '.exe') {
                $record.version = [string][System.Diagnostics.FileVersionInfo]::GetVersionInfo($name).ProductVersion
            }
        }
    }
    catch { Add-Failure -Record $record -Caught $_ }
    $record
}

$folderRecords = foreach ($name in $Folder) {
    $record = @{
        path = $name; readers = @(); free_bytes = [long]-1; error = 0; message = ''; readers_error = 0; readers_message = ''
    }
    try {
        Assert-Share -Name $name
        $null = [System.IO.Directory]::GetFileSystemEntries($name)
        $record.free_bytes = Read-FreeByte -Name $name
        try { $record.readers = @(Read-Reader -Name $name) }
        catch {
            $refused = @{}
            Add-Failure -Record $refused -Caught $_
            $record.readers_error = $refused.error
            $record.readers_message = $refused.message
        }
    }
    catch { Add-Failure -Record $record -Caught $_ }
    $record
}

$archived = @{ path = ''; entries = @(); error = 0; message = '' }
if ($Archive) {
    try {
        Assert-Share -Name $Archive
        $stored = Find-File -Pattern $Archive -Depth 'TopDirectoryOnly'
        $last = $stored | Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
        if ($last) {
            $archived.path = $last.FullName
            Add-Type -AssemblyName System.IO.Compression.FileSystem
            $zip = [System.IO.Compression.ZipFile]::OpenRead($last.FullName)
            try {
                $archived.entries = @(foreach ($item in $zip.get_Entries()) {
                        $plain = $item.FullName.Replace('\', '/')
                        if ($Entry -notcontains $plain.Substring($plain.LastIndexOf([char]'/') + 1)) { continue }
                        $stream = $item.Open()
                        try { @{ name = $item.FullName; sha256 = (Get-Sha256 -Stream $stream) } }
                        finally { $stream.Dispose() }
                    })
            }
            finally { $zip.Dispose() }
        }
    }
    catch { Add-Failure -Record $archived -Caught $_ }
}

$textRecords = foreach ($pattern in $Text) {
    $record = @{ pattern = $pattern; path = ''; modified = ''; text = ''; error = 0; message = '' }
    try {
        Assert-Share -Name $pattern
        $files = Find-File -Pattern $pattern -Depth 'TopDirectoryOnly' | Where-Object { $_.Length -le 4194304 }
        foreach ($file in $files | Sort-Object -Property LastWriteTimeUtc -Descending | Select-Object -First $Newest) {
            $content = [System.IO.File]::ReadAllText($file.FullName)
            $modified = $file.LastWriteTimeUtc.ToString('o')
            @{ pattern = $pattern; path = $file.FullName; modified = $modified; text = $content; error = 0; message = '' }
        }
    }
    catch {
        Add-Failure -Record $record -Caught $_
        $record
    }
}

$Ansible.Result = @{
    drives = $drives
    iis = $iis
    certificates = $certificates
    hashed = @($hashRecords)
    paths = @($pathRecords)
    folders = @($folderRecords)
    archived = $archived
    texts = @($textRecords)
}
