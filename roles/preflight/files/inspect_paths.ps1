# prs.recovery inspect_paths
#
# What files and folders look like to the account that runs this script: run it with become to look with another account's
# eyes. Reads only, so it runs in check mode too.
#
# Parameters:
#   Path       files and folders, local or UNC
#   ZipEntry   names that each .zip among them must hold; a name that ends in / is a folder
#   Newest     patterns such as \\server\share\folder\*.bak, searched in sub-folders too
# Result:
#   paths    one each: path, exists, is_folder, bytes, version (of an .exe), missing (ZipEntry not found),
#            error (Win32 number, 0 when none), message
#   newest   one each: pattern, count, path, modified (UTC), bytes, text (of a .json up to 1 MB), version (of an .exe or .dll), error, message
[CmdletBinding(SupportsShouldProcess)]
param(
    [string[]]$Path = @(),
    [string[]]$ZipEntry = @(),
    [string[]]$Newest = @()
)

$Ansible.Changed = $false

function Add-Failure {
    param($Record, $Caught)
    $cause = $Caught.Exception.GetBaseException()
    $Record.error = $cause.HResult -band 0xFFFF
    $Record.message = $cause.Message
}

function Find-MissingEntry {
    param([string]$Archive)
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    $zip = [System.IO.Compression.ZipFile]::OpenRead($Archive)
    try {
        $names = @($zip.Entries | ForEach-Object { $_.FullName.Replace('\', '/') })
        foreach ($wanted in $ZipEntry) {
            $found = $names | Where-Object { $_ -eq $wanted -or ($wanted.EndsWith('/') -and $_ -like "$wanted*") }
            if (-not $found) { $wanted }
        }
    }
    finally {
        $zip.Dispose()
    }
}

$pathRecords = foreach ($name in $Path) {
    $record = @{ path = $name; exists = $false; is_folder = $false; bytes = 0; version = ''; missing = @(); error = 0; message = '' }
    try {
        $attributes = [System.IO.File]::GetAttributes($name)
        $record.exists = $true
        $record.is_folder = $attributes.HasFlag([System.IO.FileAttributes]::Directory)
        if ($record.is_folder) {
            $null = [System.IO.Directory]::GetFileSystemEntries($name)
        }
        else {
            $record.bytes = ([System.IO.FileInfo]$name).Length
            if ($name -like '*.exe') {
                $record.version = [System.Diagnostics.FileVersionInfo]::GetVersionInfo($name).ProductVersion
            }
            if ($name -like '*.zip') {
                $record.missing = @(Find-MissingEntry -Archive $name)
            }
        }
    }
    catch {
        Add-Failure -Record $record -Caught $_
    }
    $record
}

$newestRecords = foreach ($pattern in $Newest) {
    $record = @{ pattern = $pattern; count = 0; path = ''; modified = ''; bytes = 0; text = ''; version = ''; error = 0; message = '' }
    try {
        $folder = [System.IO.Path]::GetDirectoryName($pattern)
        $files = [System.IO.Directory]::GetFiles($folder, [System.IO.Path]::GetFileName($pattern), 'AllDirectories')
        $record.count = $files.Count
        $file = $files | ForEach-Object { [System.IO.FileInfo]$_ } | Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
        if ($file) {
            $record.path = $file.FullName
            $record.modified = $file.LastWriteTimeUtc.ToString('o')
            $record.bytes = $file.Length
            if ($file.Extension -eq '.json' -and $file.Length -le 1048576) {
                $record.text = [System.IO.File]::ReadAllText($file.FullName)
            }
            if ($file.Extension -in '.exe', '.dll') {
                $record.version = [string][System.Diagnostics.FileVersionInfo]::GetVersionInfo($file.FullName).FileVersion
            }
        }
    }
    catch {
        Add-Failure -Record $record -Caught $_
    }
    $record
}

$Ansible.Result = @{ paths = @($pathRecords); newest = @($newestRecords) }
