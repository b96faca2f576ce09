# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two scripts that every session starts with, and nothing that a module decides.

BOOTSTRAP stands on the command line, which holds 8,191 characters, and is the same for all: it reads the first line of its input, a script
as a JSON string, and runs that with the rest of the input. That script is RUNNER.

RUNNER reads requests until its input ends. A request is one line of JSON, followed by as many lines, one JSON value each, as it says:

    {"script": text of a verb, "parameters": {name: value}, "items": number of lines that follow}

and answers with lines of JSON that have one key each:

    {"ready": {...}}      once, at the start: version of PowerShell, name of the computer, its time (UTC)
    {"item": value}       one for each object that the verb puts out
    {"progress": {...}}   while it works, about once a second
    {"error": {"number": Win32 error or 0, "kind": class of the exception, "message": what Windows says}}
    {"end": true}         after the last item of a verb that did not fail

In both directions {"lines": text} stands for as many lines as are in the text, gzip in base64: a folder may have 70,000 files, and a line for
each of them, several times over, is more than WinRM carries in good time.

Input is plain ASCII (JSON escapes the rest), so no code page and no byte order mark can hurt; output is UTF-8. Parameters with secrets are in the
input alone, never in a script and never on the command line.

Assumes: Windows PowerShell 5.1 or PowerShell 7 in full language mode; $input hands lines over as they arrive.
"""

from __future__ import annotations

import base64

__all__ = ["BOOTSTRAP", "COMMAND_LINE", "RUNNER"]

BOOTSTRAP = r"""# prs.recovery bootstrap
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    '{"error":{"number":0,"kind":"LanguageMode","message":"PowerShell runs in a restricted language mode"}}'
    exit 1
}
$first = foreach ($line in $input) { $line; break }
$input | & ([ScriptBlock]::Create((ConvertFrom-Json -InputObject $first)))
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
    $separator = [string][System.IO.Path]::DirectorySeparatorChar
    $plainText = [System.Text.UTF8Encoding]::new($false)
    $answers = [System.IO.StreamWriter]::new([Console]::OpenStandardOutput(), $plainText, 32768)
    $answers.NewLine = "`n"
    $pending = [System.Text.StringBuilder]::new()
    $sinceProgress = [System.Diagnostics.Stopwatch]::StartNew()
    $request = $null

    # Items wait until there are enough of them to be worth packing, or something else is to be said.
    function Send-Pending {
        if ($pending.Length -lt 4096) {
            $answers.Write($pending.ToString())
        }
        else {
            $packed = [System.IO.MemoryStream]::new()
            $zip = [System.IO.Compression.GZipStream]::new($packed, [System.IO.Compression.CompressionMode]::Compress)
            $content = $plainText.GetBytes($pending.ToString())
            $zip.Write($content, 0, $content.Length)
            $zip.Dispose()
            $answers.WriteLine('{"lines":"' + [Convert]::ToBase64String($packed.ToArray()) + '"}')
        }
        $null = $pending.Clear()
    }

    function Send-Answer {
        param([string]$Kind, $Value)
        $null = $pending.Append((ConvertTo-Json -InputObject @{ $Kind = $Value } -Compress -Depth 5)).Append("`n")
        if ($Kind -ne 'item' -or $pending.Length -ge 262144) {
            Send-Pending
            $answers.Flush()
        }
    }

    function Read-Line {
        param([string]$Line)
        $mark = '{"lines":"'
        if (-not $Line.StartsWith($mark)) { return $Line }
        $packed = [Convert]::FromBase64String($Line.Substring($mark.Length, $Line.Length - $mark.Length - 2))
        $source = [System.IO.MemoryStream]::new($packed)
        $zip = [System.IO.Compression.GZipStream]::new($source, [System.IO.Compression.CompressionMode]::Decompress)
        $reader = [System.IO.StreamReader]::new($zip, $plainText)
        while ($null -ne ($next = $reader.ReadLine())) { $next }
    }

    function Send-Progress {
        param([hashtable]$Value)
        if ($sinceProgress.ElapsedMilliseconds -ge 1000) {
            $sinceProgress.Restart()
            Send-Answer 'progress' $Value
        }
    }

    function Get-Fault {
        param($Caught)
        $cause = $Caught.Exception.GetBaseException()
        $number = 0
        if ($cause -is [System.ComponentModel.Win32Exception]) { $number = $cause.NativeErrorCode }
        elseif (('{0:X8}' -f $cause.HResult).StartsWith('8007')) { $number = $cause.HResult -band 0xFFFF }
        @{ number = $number; kind = $cause.GetType().Name; message = $cause.Message }
    }

    # Only the form \\?\ of a path may have more than 260 characters. Windows PowerShell has switched it off for the sake of old
    # programs and remembers that: switched on, and looked at whether that helped.
    $longForm = $false
    if ($separator -eq '\') {
        try {
            foreach ($setting in 'UseLegacyPathHandling', 'BlockLongPaths') { [AppContext]::SetSwitch("Switch.System.IO.$setting", $false) }
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
        if (-not $longForm -or $Path.StartsWith('\\?\')) { return $Path }
        if ($Path.StartsWith('\\')) { return '\\?\UNC\' + $Path.Substring(2) }
        return '\\?\' + $Path
    }

    # A name within a folder is written with / everywhere, as in a ZIP archive.
    function Join-Name {
        param([string]$Folder, [string]$Name)
        $root = Get-LongPath $Folder
        if (-not $root.EndsWith($separator)) { $root = $root + $separator }
        return $root + $Name.Replace('/', $separator)
    }

    # The one implementation of SHA-256 that a server in FIPS mode allows.
    function New-Sha256 {
        [System.Security.Cryptography.SHA256CryptoServiceProvider]::new()
    }

    function Format-Hash {
        param([byte[]]$Hash)
        [BitConverter]::ToString($Hash).Replace('-', '').ToLowerInvariant()
    }

    $computer = [Environment]::MachineName
    Send-Answer 'ready' @{ powershell = $PSVersionTable.PSVersion.ToString(); computer = $computer; now = [DateTime]::UtcNow.ToString('s') + 'Z' }
}
process {
    if ($null -eq $request) {
        $request = ConvertFrom-Json -InputObject $_
        $items = [System.Collections.Generic.List[object]]::new()
    }
    else {
        foreach ($text in (Read-Line $_.Trim())) { $items.Add((ConvertFrom-Json -InputObject $text)) }
    }
    if ($items.Count -lt $request.items) { return }
    $parameters = @{}
    foreach ($property in $request.parameters.PSObject.Properties) { $parameters[$property.Name] = $property.Value }
    if ($items.Count -gt 0) { $parameters['Items'] = $items }
    $verb = $request.script
    $request = $null
    try {
        & ([ScriptBlock]::Create($verb)) @parameters | ForEach-Object { Send-Answer 'item' $_ }
        Send-Answer 'end' $true
    }
    catch {
        Send-Answer 'error' (Get-Fault $_)
    }
}
end {
    # Nothing that was connected outlives the session.
    Get-PSDrive -Name 'PrsRecovery*' -ErrorAction SilentlyContinue | Remove-PSDrive -Force
    $answers.Flush()
}
"""
