# prs.recovery inspect_protection
#
# What this server sees of the estate's protection, in one round trip: its own site, certificates and room, and the shares with the
# credentials that it runs with (become, logon_type new_credentials: shares are seen with these, the server itself with the rights of
# who connects). Reads only, so it runs in check mode too.
#
# Parameters:
#   Site       site of IIS whose state, pool and certificate are wanted; '' for none
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
#   iis            installed, service (Running, Stopped, ... or ''), site (Started, Stopped or '' when there is none), pool, pool_state,
#                  bindings (protocol, port, thumbprint); of all of IIS: sites, pools (names), ports
#   certificates   of the bindings and of the instance, one each: use (site or sql), thumbprint, subject, not_after (UTC), has_key, found
#   hashed         one each: path, sha256, bytes, error, message
#   paths          one each: path, is_folder, bytes, version (of an .exe), error (Win32 number, 0 when none), message
#   folders        one each: path, readers (sid, name), free_bytes (-1: not known), error, message, readers_error, readers_message
#   archived       path ('' when there is none), entries (name, sha256), error, message
#   texts          one each: pattern, path, modified (UTC), text; with error and message when the folder cannot be read
[CmdletBinding(SupportsShouldProcess)]
param(
    [string]$Site = '',
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

function Add-Failure {
    param($Record, $Caught)
    $cause = $Caught.Exception.GetBaseException()
    $Record.error = $cause.HResult -band 0xFFFF
    $Record.message = $cause.Message
}

function Read-Iis {
    $found = @{ installed = $false; service = ''; site = ''; pool = ''; pool_state = ''; bindings = @(); sites = @(); pools = @(); ports = @() }
    $service = Get-Service -Name W3SVC -ErrorAction SilentlyContinue
    if ($service) { $found.service = $service.Status.ToString() }
    $library = "$env:windir\System32\inetsrv\Microsoft.Web.Administration.dll"
    if (-not $service -or -not (Test-Path -LiteralPath $library)) { return $found }
    $found.installed = $true
    Add-Type -LiteralPath $library
    $manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
    $found.sites = @($manager.Sites | ForEach-Object { $_.Name })
    $found.pools = @($manager.ApplicationPools | ForEach-Object { $_.Name })
    $found.ports = @($manager.Sites | ForEach-Object { $_.Bindings } | Where-Object { $_.Protocol -like 'http*' } |
            ForEach-Object { [int]($_.BindingInformation -split ':')[-2] } | Sort-Object -Unique)
    $wanted = $manager.Sites[$Site]
    if (-not $wanted) { return $found }
    $found.pool = $wanted.Applications['/'].ApplicationPoolName
    # A service that does not run cannot be asked for states.
    $found.site = 'Stopped'
    $found.pool_state = 'Stopped'
    if ($found.service -eq 'Running') {
        $found.site = $wanted.State.ToString()
        $pool = $manager.ApplicationPools[$found.pool]
        if ($pool) { $found.pool_state = $pool.State.ToString() } else { $found.pool_state = '' }
    }
    $found.bindings = @(foreach ($binding in $wanted.Bindings) {
            $thumbprint = ''
            if ($binding.CertificateHash) { $thumbprint = [System.BitConverter]::ToString($binding.CertificateHash).Replace('-', '') }
            @{ protocol = $binding.Protocol; port = [int]($binding.BindingInformation -split ':')[-2]; thumbprint = $thumbprint }
        })
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
    $record = @{ use = $Use; thumbprint = $Thumbprint.ToUpperInvariant(); subject = ''; not_after = ''; has_key = $false; found = $false }
    $stored = Get-Item -LiteralPath "Cert:\LocalMachine\My\$Thumbprint" -ErrorAction SilentlyContinue
    if ($stored) {
        $record.found = $true
        $record.subject = $stored.Subject
        $record.not_after = $stored.NotAfter.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
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

function Read-FreeByte {
    param([string]$Name)
    try { [long](New-Object -ComObject Scripting.FileSystemObject).GetDrive([System.IO.Path]::GetPathRoot($Name)).AvailableSpace } catch { [long]-1 }
}

$drives = @{}
foreach ($disk in Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType = 3') {
    $drives[$disk.DeviceID] = @{ free = [long]$disk.FreeSpace; size = [long]$disk.Size }
}

$iis = @{ installed = $false; service = ''; site = ''; pool = ''; pool_state = ''; bindings = @(); sites = @(); pools = @(); ports = @() }
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

$hashRecords = foreach ($name in $Hashed) {
    $record = @{ path = $name; sha256 = ''; bytes = 0; error = 0; message = '' }
    try {
        $record.bytes = ([System.IO.FileInfo]$name).Length
        $record.sha256 = (Get-FileHash -LiteralPath $name -Algorithm SHA256 -ErrorAction Stop).Hash.ToLowerInvariant()
    }
    catch { Add-Failure -Record $record -Caught $_ }
    $record
}

$pathRecords = foreach ($name in $Path) {
    $record = @{ path = $name; is_folder = $false; bytes = 0; version = ''; error = 0; message = '' }
    try {
        $record.is_folder = [System.IO.File]::GetAttributes($name).HasFlag([System.IO.FileAttributes]::Directory)
        if ($record.is_folder) { $null = [System.IO.Directory]::GetFileSystemEntries($name) }
        else {
            # Opened, because to see a file is not to be allowed to read it.
            $stream = [System.IO.File]::Open($name, 'Open', 'Read', 'ReadWrite, Delete')
            $record.bytes = $stream.Length
            $stream.Dispose()
            if ($name -like '*.exe') { $record.version = [string][System.Diagnostics.FileVersionInfo]::GetVersionInfo($name).ProductVersion }
        }
    }
    catch { Add-Failure -Record $record -Caught $_ }
    $record
}

$folderRecords = foreach ($name in $Folder) {
    $record = @{ path = $name; readers = @(); free_bytes = [long]-1; error = 0; message = ''; readers_error = 0; readers_message = '' }
    try {
        $null = [System.IO.Directory]::GetFileSystemEntries($name)
        $record.free_bytes = Read-FreeByte -Name $name
        try { $record.readers = @(Read-Reader -Name $name) }
        catch {
            $cause = $_.Exception.GetBaseException()
            $record.readers_error = $cause.HResult -band 0xFFFF
            $record.readers_message = $cause.Message
        }
    }
    catch { Add-Failure -Record $record -Caught $_ }
    $record
}

$archived = @{ path = ''; entries = @(); error = 0; message = '' }
if ($Archive) {
    try {
        $store = [System.IO.DirectoryInfo][System.IO.Path]::GetDirectoryName($Archive)
        $last = $store.GetFiles([System.IO.Path]::GetFileName($Archive)) | Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
        if ($last) {
            $archived.path = $last.FullName
            Add-Type -AssemblyName System.IO.Compression.FileSystem
            $zip = [System.IO.Compression.ZipFile]::OpenRead($last.FullName)
            try {
                $archived.entries = @(foreach ($item in $zip.Entries | Where-Object { $Entry -contains $_.Name }) {
                        $stream = $item.Open()
                        $sum = (Get-FileHash -InputStream $stream -Algorithm SHA256).Hash.ToLowerInvariant()
                        $stream.Dispose()
                        @{ name = $item.FullName; sha256 = $sum }
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
        $parent = [System.IO.DirectoryInfo][System.IO.Path]::GetDirectoryName($pattern)
        $files = $parent.GetFiles([System.IO.Path]::GetFileName($pattern)) | Where-Object { $_.Length -le 4194304 }
        foreach ($file in $files | Sort-Object -Property LastWriteTimeUtc -Descending | Select-Object -First $Newest) {
            $content = [System.IO.File]::ReadAllText($file.FullName)
            @{ pattern = $pattern; path = $file.FullName; modified = $file.LastWriteTimeUtc.ToString('o'); text = $content; error = 0; message = '' }
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
