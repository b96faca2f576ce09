# prs.recovery inspect_paths
#
# What files and folders look like to the account that runs this script, and those of a share to the one under which it was
# connected (share_user of windows_script). Reads only, so it runs in check mode too.
#
# Parameters:
#   Path       files and folders, local or UNC
#   ZipEntry   names that each .zip among them must hold; a name that ends in / is a folder
#   Newest     patterns such as \\server\share\folder\*.bak, searched in sub-folders too
# Result:
#   paths    one each: path, exists, is_folder, bytes, version (of an .exe), missing (ZipEntry not found),
#            error (Win32 number, 13 for a damaged .zip, 0 when none), message
#   newest   one each: pattern, count, path, modified (UTC), bytes, text (of a .json up to 1 MB), version (of an .exe or
#            .dll), unreadable (folders below the first that may not be read), error, message
[CmdletBinding(SupportsShouldProcess)]
param(
    [string[]]$Path = @(),
    [string[]]$ZipEntry = @(),
    [string[]]$Newest = @()
)

$Ansible.Changed = $false
$ignoreCase = [System.StringComparison]::OrdinalIgnoreCase

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

# A folder below the first that the account may not read (snapshots of a filer) stops no other, and is named.
function Find-File {
    param([string]$Pattern, [string]$Depth, [System.Collections.Generic.List[string]]$Unreadable)
    $parent = [System.IO.Path]::GetDirectoryName($Pattern)
    $name = [System.IO.Path]::GetFileName($Pattern)
    $form = '\A' + [regex]::Escape($name).Replace('\*', '.*').Replace('\?', '.') + '\z'
    $folders = New-Object -TypeName System.Collections.Generic.Stack[string]
    $folders.Push($parent)
    while ($folders.Count -gt 0) {
        $folder = $folders.Pop()
        try {
            $files = [System.IO.Directory]::GetFiles($folder, $name)
            $below = @()
            if ($Depth -eq 'AllDirectories') { $below = [System.IO.Directory]::GetDirectories($folder) }
        }
        catch [System.UnauthorizedAccessException] {
            if ($folder -eq $parent) { throw }
            $Unreadable.Add($folder)
            continue
        }
        foreach ($full in $files) {
            if ([regex]::IsMatch([System.IO.Path]::GetFileName($full), $form, 'IgnoreCase, CultureInvariant')) {
                [System.IO.FileInfo]$full
            }
        }
        foreach ($full in $below) { $folders.Push($full) }
    }
}

function Find-MissingEntry {
    param([string]$Archive)
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    $zip = [System.IO.Compression.ZipFile]::OpenRead($Archive)
    try {
        # A method, as PowerShell takes a property that fails for an empty one.
        $names = @($zip.get_Entries() | ForEach-Object { $_.FullName.Replace('\', '/') })
        foreach ($wanted in $ZipEntry) {
            $found = foreach ($name in $names) {
                if ($name.Equals($wanted, $ignoreCase)) { $name }
                elseif (Test-Ending -Name $wanted -Ending '/') { if ($name.StartsWith($wanted, $ignoreCase)) { $name } }
            }
            if (-not $found) { $wanted }
        }
    }
    finally {
        $zip.Dispose()
    }
}

$lostShares = Find-LostShare -Name @($Path + $Newest)

$pathRecords = foreach ($name in $Path) {
    $record = @{
        path = $name; exists = $false; is_folder = $false; bytes = 0; version = ''; missing = @(); error = 0; message = ''
    }
    try {
        Assert-Share -Name $name
        $attributes = [System.IO.File]::GetAttributes($name)
        $record.exists = $true
        $record.is_folder = $attributes.HasFlag([System.IO.FileAttributes]::Directory)
        if ($record.is_folder) {
            $null = [System.IO.Directory]::GetFileSystemEntries($name)
        }
        else {
            $record.bytes = ([System.IO.FileInfo]$name).get_Length()
            if (Test-Ending -Name $name -Ending '.exe') {
                $record.version = [string][System.Diagnostics.FileVersionInfo]::GetVersionInfo($name).ProductVersion
            }
            if (Test-Ending -Name $name -Ending '.zip') {
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
    $record = @{
        pattern = $pattern; count = 0; path = ''; modified = ''; bytes = 0; text = ''; version = ''; unreadable = @(); error = 0; message = ''
    }
    try {
        Assert-Share -Name $pattern
        $unreadable = New-Object -TypeName System.Collections.Generic.List[string]
        $files = @(Find-File -Pattern $pattern -Depth 'AllDirectories' -Unreadable $unreadable)
        $record.unreadable = @($unreadable)
        $record.count = $files.Count
        $file = $files | Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
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
