# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two scripts that every session starts with, and nothing that a module decides.

BOOTSTRAP stands on the command line, which holds 8,191 characters, and is the same for all: it reads the first line of
its input, a script as a JSON string, and runs that with the rest of the input. That script is RUNNER.

RUNNER reads requests until its input ends. A request is one line of JSON, followed by as many secrets and items as it
says, a line each: a secret is its text (UTF-8) in base64, an item a JSON value:

    {"script": text of a verb, "parameters": {name: value}, "secrets": [names of parameters], "items": number of items,
     "begins": whether it is the first of somebody who asks, "more": whether another request is already on its way}

Several may ask, one after the other, as one task of a run does after another. For who begins, nothing is connected that
was connected for the one before.

Where more is on its way, the answer waits for the one to that, so that both cross the line together. What such a
request was to prepare would be missing if it failed: what follows is not run then, up to the first request without
more, and each answers with an OperationCanceledException. A script without text does nothing.

Lines of JSON are given to a cmdlet, and Windows may be told to write what cmdlets are given into its event log (module
logging); secrets are read by .NET alone. It answers with lines of JSON that have one key each:

    {"ready": {...}}      before the first answer to somebody: version of PowerShell, name of the computer, its time
                          (UTC)
    {"items": [...]}      objects that the verb puts out, in their order
    {"columns": {...}}    the same of many objects with the same keys: key -> values, of equal number: a list of them,
                          or texts in one text, with U+0000 between them
    {"progress": {...}}   while it works, about once a second
    {"error": {"number": Win32 error or 0, "kind": class of the exception, "message": what Windows says}}
    {"end": true}         after the last item of a verb that did not fail

An error ends a request. One whose kind is BrokenInput or EndOfInput ends the process as well: where the next request
begins cannot be known. `exit` would end the script alone: powershell.exe waits for the next line of its input for as
long as that is open, whatever became of the script that it was for.

In both directions {"lines": text} stands for as many lines as are in the text, gzip in base64: a folder may have 70,000
files, and a line for each of them, several times over, is more than WinRM carries in good time; a request, which holds
a script, may come so, too. Items are read and written hundreds at a time, as one call of a cmdlet costs more than what
most verbs do with an item; to put an item through a pipeline and to write its keys costs as much. For the same reason
verbs use what stands in RUNNER's variables, and call its functions for an item only where something fails.

Input is plain ASCII (JSON escapes the rest), so no code page and no byte order mark can hurt; output is UTF-8.
Secrets are in the input alone, never in a script and never on the command line.

Assumes: Windows PowerShell 5.1 or PowerShell 7.5 and later in full language mode (7.0 to 7.4 take a text that is a time
for a time); $input hands lines over as they arrive.
"""

from __future__ import annotations

import base64

__all__ = ["BOOTSTRAP", "COMMAND_LINE", "RUNNER"]

BOOTSTRAP = r"""# prs.recovery bootstrap
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    '{"error":{"number":0,"kind":"LanguageMode","message":"PowerShell runs in a restricted language mode"}}'
    exit 1
}
try {
    $first = foreach ($line in $input) { $line; break }
    $input | & ([ScriptBlock]::Create((ConvertFrom-Json -InputObject $first)))
}
catch {
    $fault = @{ number = 0; kind = 'BrokenInput'; message = $_.Exception.Message }
    [Console]::Out.WriteLine((ConvertTo-Json -InputObject @{ error = $fault } -Compress))
    [Environment]::Exit(1)
}
"""

COMMAND_LINE = (
    "powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand "
    + base64.b64encode(BOOTSTRAP.encode("utf-16-le")).decode("ascii")
)

RUNNER = r"""# prs.recovery runner
begin {
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'
    $WarningPreference = 'SilentlyContinue'
    $ordinal = [System.StringComparison]::Ordinal
    $slash = [char]'/'
    $between = [char]0
    $separator = [System.IO.Path]::DirectorySeparatorChar
    $plainText = [System.Text.UTF8Encoding]::new($false)
    $buffer = [byte[]]::new(1048576)
    $open = [System.IO.FileMode]::Open
    $createNew = [System.IO.FileMode]::CreateNew
    $read = [System.IO.FileAccess]::Read
    $write = [System.IO.FileAccess]::Write
    $shareNone = [System.IO.FileShare]::None
    $shareAll = [System.IO.FileShare]'ReadWrite, Delete'
    $readOnlyBit = [int][System.IO.FileAttributes]::ReadOnly
    $folderBit = [int][System.IO.FileAttributes]::Directory
    $linkBit = [int][System.IO.FileAttributes]::ReparsePoint
    $encryptedBit = [int][System.IO.FileAttributes]::Encrypted
    $answers = [System.IO.StreamWriter]::new([Console]::OpenStandardOutput(), $plainText, 32768)
    $answers.NewLine = "`n"
    $pending = [System.Text.StringBuilder]::new()
    $batch = [System.Collections.Generic.List[object]]::new()
    $columns = @{}
    $rowsAtOnce = 500
    $sinceProgress = [System.Diagnostics.Stopwatch]::StartNew()
    $sinceRequest = [System.Diagnostics.Stopwatch]::StartNew()
    $packedMark = '{"lines":"'
    $request = $null
    $more = $isBroken = $false
    # PowerShell 7 makes a time of every text that is one in ISO 8601; how to switch that off came with 7.5.
    $asText = @{}
    if ((Get-Command -Name ConvertFrom-Json).Parameters.ContainsKey('DateKind')) { $asText['DateKind'] = 'String' }

    # .NET lets what nobody needs any more lie until it has the size of the processor's cache, up to hundreds of MB.
    function Clear-Memory {
        [System.GC]::Collect(1)
    }

    # Lines wait until there are enough of them to be worth packing, or something else is to be said.
    function Send-Pending {
        if ($pending.Length -lt 4096) {
            $answers.Write($pending.ToString())
        }
        else {
            $packed = [System.IO.MemoryStream]::new()
            $fastest = [System.IO.Compression.CompressionLevel]::Fastest
            $zip = [System.IO.Compression.GZipStream]::new($packed, $fastest)
            $content = $plainText.GetBytes($pending.ToString())
            $zip.Write($content, 0, $content.Length)
            $zip.Dispose()
            Clear-Memory
            $answers.WriteLine($packedMark + [Convert]::ToBase64String($packed.ToArray()) + '"}')
        }
        $null = $pending.Clear()
    }

    function Send-Batch {
        if ($batch.Count -eq 0) { return }
        $json = ConvertTo-Json -InputObject $batch.ToArray() -Compress -Depth 5
        $batch.Clear()
        $null = $pending.Append('{"items":').Append($json).Append("}`n")
        if ($pending.Length -ge 262144) {
            Send-Pending
            $answers.Flush()
        }
    }

    # Columns of a verb that has them at hand: by their keys lists of values, or one text with $between between them,
    # which costs a fraction where no value can hold that.
    function Send-Table {
        param([hashtable]$Table)
        Send-Batch
        $json = ConvertTo-Json -InputObject $Table -Compress -Depth 5
        $null = $pending.Append('{"columns":').Append($json).Append("}`n")
        if ($pending.Length -ge 262144) {
            Send-Pending
            $answers.Flush()
        }
    }

    # For a verb with many items of the same keys: it adds to the columns, a list for each key, and has them sent
    # whenever the first holds $rowsAtOnce, and before it puts out anything else.
    function New-Column {
        param([string[]]$Texts = @(), [string[]]$Numbers = @(), [string[]]$Values = @())
        $columns.Clear()
        foreach ($Key in $Texts) { $columns[$Key] = [System.Collections.Generic.List[string]]::new() }
        foreach ($Key in $Numbers) { $columns[$Key] = [System.Collections.Generic.List[long]]::new() }
        foreach ($Key in $Texts + $Numbers) { , $columns[$Key] }
        foreach ($Key in $Values) { , (Add-Column $Key) }
    }

    function Add-Column {
        param([string]$Key)
        $columns[$Key] = [System.Collections.Generic.List[object]]::new()
        , $columns[$Key]
    }

    function Send-Column {
        $isEmpty = $true
        foreach ($column in $columns.Values) { $isEmpty = $column.Count -eq 0 }
        if ($isEmpty) { return }
        Send-Table $columns
        foreach ($column in $columns.Values) { $column.Clear() }
    }

    function Add-Answer {
        param([string]$Kind, $Value)
        Send-Batch
        $null = $pending.Append((ConvertTo-Json -InputObject @{ $Kind = $Value } -Compress -Depth 5)).Append("`n")
    }

    function Send-Answer {
        param([string]$Kind, $Value)
        Add-Answer $Kind $Value
        Send-Pending
        $answers.Flush()
    }

    # A progress that is due: asked for only where $sinceProgress says so.
    function Send-Progress {
        param([hashtable]$Value)
        $sinceProgress.Restart()
        Send-Answer 'progress' $Value
    }

    # What lines stand for: one line, or those that are packed in it.
    function Read-Item {
        param([string]$Line)
        if (-not $Line.StartsWith($packedMark, $ordinal)) {
            $item = ConvertFrom-Json -InputObject ('{"items":[' + $Line + ']}') @asText
            return , $item.items
        }
        $length = $Line.Length - $packedMark.Length - 2
        $packed = [Convert]::FromBase64String($Line.Substring($packedMark.Length, $length))
        $source = [System.IO.MemoryStream]::new($packed)
        $zip = [System.IO.Compression.GZipStream]::new($source, [System.IO.Compression.CompressionMode]::Decompress)
        $plain = [System.IO.MemoryStream]::new()
        $zip.CopyTo($plain)
        # .NET takes the place where something was cut off for its end. The last four bytes say how long it was.
        if ($packed.Length -lt 18 -or [BitConverter]::ToUInt32($packed, $packed.Length - 4) -ne $plain.Length) {
            throw [System.IO.InvalidDataException]::new('packed lines are cut')
        }
        $text = $plainText.GetString($plain.ToArray())
        $many = ConvertFrom-Json -InputObject ('{"items":[' + $text.TrimEnd("`n").Replace("`n", ',') + ']}') @asText
        Clear-Memory
        return , $many.items
    }

    # What lies below the wrappers of PowerShell and of reflection. .NET's ZIP classes wrap once more: what is wrong
    # with the file itself ends in a seek before its beginning (131, with newer ones 87), all else is Windows' own.
    function Get-Cause {
        param($Exception)
        $cause = $Exception
        while ($null -ne $cause.InnerException) {
            $class = $cause.GetType()
            $isWrapper = $class.FullName.StartsWith('System.Management.Automation.', $ordinal) -or
                $class.FullName -eq 'System.Reflection.TargetInvocationException'
            if ($class.Name -eq 'InvalidDataException') {
                $number = Get-ErrorNumber $cause.InnerException
                $isWrapper = $number -ne 0 -and $number -ne 87 -and $number -ne 131
            }
            if (-not $isWrapper) { break }
            $cause = $cause.InnerException
        }
        $cause
    }

    function Get-ErrorNumber {
        param($Exception)
        if ($Exception -is [System.ComponentModel.Win32Exception]) { return $Exception.NativeErrorCode }
        if (($Exception.HResult -band 0xFFFF0000) -eq 0x80070000) { return $Exception.HResult -band 0xFFFF }
        return 0
    }

    function Get-Fault {
        param($Caught)
        $cause = Get-Cause $Caught.Exception
        @{ number = (Get-ErrorNumber $cause); kind = $cause.GetType().Name; message = $cause.Message }
    }

    # Only the form \\?\ of a path may have more than 260 characters. Windows PowerShell has switched it off for the
    # sake of old programs and remembers that: switched on, and looked at whether that helped.
    $longForm = $false
    if ($separator -eq '\') {
        try {
            foreach ($setting in 'UseLegacyPathHandling', 'BlockLongPaths') {
                [AppContext]::SetSwitch("Switch.System.IO.$setting", $false)
            }
            $remembered = [System.IO.Path].Assembly.GetType('System.AppContextSwitches')
            foreach ($setting in '_useLegacyPathHandling', '_blockLongPaths') {
                $remembered.GetField($setting, 'Static, NonPublic').SetValue($null, 0)
            }
        }
        catch {
            $null = $_
        }
        $longForm = [System.IO.Directory]::Exists('\\?\' + $env:SystemRoot)
    }

    function Get-LongPath {
        param([string]$Path)
        if (-not $longForm -or $Path.StartsWith('\\?\', $ordinal)) { return $Path }
        if ($Path.StartsWith('\\', $ordinal)) { return '\\?\UNC\' + $Path.Substring(2) }
        return '\\?\' + $Path
    }

    # A name within a folder is written with / everywhere, as in a ZIP archive; without a name, what all begin with.
    function Join-Name {
        param([string]$Folder, [string]$Name)
        $long = Get-LongPath $Folder
        if ($long[-1] -ne $separator) { $long = $long + $separator }
        return $long + $Name.Replace($slash, $separator)
    }

    # Of all reparse points only symbolic links and junctions lead elsewhere: files that Data Deduplication or tiered
    # storage have touched are reparse points too, and open as ever. A folder is a link whatever its kind, as nobody
    # may walk in circles. A file whose kind cannot be told is read.
    function Test-Link {
        param($Entry)
        $attributes = [int]$Entry.Attributes
        if (-not ($attributes -band $linkBit)) { return $false }
        if ($attributes -band $folderBit) { return $true }
        return 'SymbolicLink', 'Junction' -ccontains $Entry.LinkType
    }

    # Nobody wants to keep what is marked as read-only and is to be replaced.
    function Clear-ReadOnly {
        param([string]$LongPath)
        if (-not [System.IO.File]::Exists($LongPath)) { return }
        $attributes = [int][System.IO.File]::GetAttributes($LongPath)
        if (-not ($attributes -band $readOnlyBit)) { return }
        $attributes = $attributes -bxor $readOnlyBit
        [System.IO.File]::SetAttributes($LongPath, $attributes)
    }

    # The one implementation of SHA-256 that a server in FIPS mode allows.
    function New-Sha256 {
        [System.Security.Cryptography.SHA256CryptoServiceProvider]::new()
    }

    # Nothing that was connected outlives the task.
    function Remove-Connection {
        Get-PSDrive -Name 'PrsRecovery*' -ErrorAction SilentlyContinue | Remove-PSDrive -Force
    }

    function Stop-Runner {
        param([string]$Kind, [string]$Reason)
        Send-Answer 'error' @{ number = 0; kind = $Kind; message = $Reason }
        try { Remove-Connection }
        finally { [Environment]::Exit(1) }
    }

    # For the next one who asks. What cannot be disconnected, as files on it are open, is told where it hinders.
    function Start-Conversation {
        try { Remove-Connection }
        catch { $null = $_ }
        $now = [DateTime]::UtcNow.ToString('s', [System.Globalization.CultureInfo]::InvariantCulture) + 'Z'
        $computer = [Environment]::MachineName
        Add-Answer 'ready' @{ powershell = $PSVersionTable.PSVersion.ToString(); computer = $computer; now = $now }
    }
}
process {
    try {
        if ($null -eq $request) {
            $sinceRequest.Restart()
            $sinceProgress.Restart()
            $request = (Read-Item $_.Trim())[0]
            $items = [System.Collections.Generic.List[object]]::new()
            $expected = [int]$request.items
            $secretNames = [object[]]$request.secrets
            $secrets = @{}
        }
        elseif ($secrets.Count -lt $secretNames.Count) {
            $secrets[$secretNames[$secrets.Count]] = $plainText.GetString([Convert]::FromBase64String($_.Trim()))
        }
        else {
            $items.AddRange([object[]](Read-Item $_.Trim()))
        }
    }
    catch {
        Stop-Runner 'BrokenInput' "A line of the input cannot be read: $($_.Exception.Message)"
    }
    if ($secrets.Count -lt $secretNames.Count -or $items.Count -lt $expected) { return }
    $script = $request.script
    $more = [bool]$request.more
    if ($request.begins) { Start-Conversation }
    try {
        if ($isBroken) { throw [System.OperationCanceledException]::new('What it follows failed') }
        $parameters = @{}
        foreach ($property in $request.parameters.PSObject.Properties) { $parameters[$property.Name] = $property.Value }
        foreach ($secret in $secretNames) { $parameters[$secret] = $secrets[$secret] }
        if ($items.Count -gt 0) { $parameters['Items'] = $items }
        $request = $null
        $columns.Clear()
        & ([ScriptBlock]::Create($script)) @parameters | & {
            process {
                $batch.Add($_)
                if ($batch.Count -ge $rowsAtOnce -or ($_ -is [string] -and $_.Length -gt 65536)) { Send-Batch }
            }
        }
        Send-Column
        Add-Answer 'end' $true
    }
    catch {
        $batch.Clear()
        $request = $null
        $isBroken = $more
        Add-Answer 'error' (Get-Fault $_)
    }
    if (-not $more) {
        Send-Pending
        $answers.Flush()
    }
    # The items of the next request are read before these would be forgotten.
    $items = $parameters = $null
    # All that such a request left costs a small part of the time that it took.
    if ($sinceRequest.ElapsedMilliseconds -ge 300) { [System.GC]::Collect() }
}
end {
    Remove-Connection
    if ($null -ne $request) {
        Stop-Runner 'EndOfInput' "The input ended after $($items.Count) of $expected items"
    }
    Send-Pending
    $answers.Flush()
}
"""
