# prs.recovery read_page
#
# Reads a page of a site on this very server, over its own loopback address: the certificate is that of the public name and
# is not verified. Redirects are followed as long as they stay in the scheme; only their path counts, so that no request
# ever leaves the server.
#
# Parameters:
#   Uri        address, such as https://127.0.0.1:44380/
#   HostName   name that the site is asked for
#   Timeout    seconds that one answer may take, its text included
# Result:
#   status     of the last page, 0 without one
#   path       where redirects led
#   location   where the last answer pointed, when it was not followed
#   text       of the page, up to 65536 characters; '' when the answer broke off
#   error      why there was none
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory = $true)][string]$Uri,
    [Parameter(Mandatory = $true)][string]$HostName,
    [int]$Timeout = 120
)

$Ansible.Changed = $false
$result = @{ status = 0; path = ''; location = ''; text = ''; error = '' }
# A script block cannot be the callback: it would be called on a thread that has no PowerShell.
Add-Type -TypeDefinition (
    'using System.Net.Security; public static class PrsRecoveryTrust { ' +
    'public static readonly RemoteCertificateValidationCallback Any = delegate { return true; }; }')
$manager = [System.Net.ServicePointManager]
$manager::SecurityProtocol = $manager::SecurityProtocol -bor [System.Net.SecurityProtocolType]::Tls12

# How many bytes of a page are read: enough for its text in any encoding.
$most = 262144
$longest = 65536

# The bytes of an answer, within the time that is left.
function Read-Body {
    param($Response, $Request, [System.Diagnostics.Stopwatch]$Clock)
    $stream = $Response.GetResponseStream()
    $content = New-Object -TypeName System.IO.MemoryStream
    $buffer = New-Object -TypeName byte[] -ArgumentList 16384
    while ($content.Length -lt $most) {
        $left = $Timeout * 1000 - $Clock.ElapsedMilliseconds
        $reading = $stream.ReadAsync($buffer, 0, $buffer.Length)
        if ($left -le 0 -or -not $reading.Wait([int]$left)) {
            $Request.Abort()
            throw "The page did not end within $Timeout seconds."
        }
        if ($reading.Result -eq 0) { break }
        $content.Write($buffer, 0, $reading.Result)
    }
    if ($content.Length -lt $Response.ContentLength -and $content.Length -lt $most) {
        throw "The page broke off after $($content.Length) of $($Response.ContentLength) bytes."
    }
    if ($content.Length -ge $most) { $Request.Abort() }
    , $content.ToArray()
}

# In the encoding that the answer names, UTF-8 otherwise; what the text itself says of it comes first.
function ConvertTo-Text {
    param([byte[]]$Content, [string]$Kind)
    $encoding = [System.Text.Encoding]::UTF8
    $named = [regex]::Match($Kind, 'charset\s*=\s*"?([\w.:-]+)', 'IgnoreCase, CultureInvariant')
    if ($named.Success) {
        try { $encoding = [System.Text.Encoding]::GetEncoding($named.Groups[1].Value) } catch { $null = $_ }
    }
    $source = New-Object -TypeName System.IO.MemoryStream -ArgumentList (, $Content)
    $text = (New-Object -TypeName System.IO.StreamReader -ArgumentList $source, $encoding, $true).ReadToEnd()
    $length = [Math]::Min($text.Length, $longest)
    if ($length -gt 0 -and $length -lt $text.Length -and [char]::IsHighSurrogate($text[$length - 1])) { $length-- }
    $text.Substring(0, $length)
}

$start = [System.Uri]$Uri
$target = $start
foreach ($turn in 1..6) {
    $result.path = $target.AbsolutePath
    $request = [System.Net.HttpWebRequest][System.Net.WebRequest]::Create($target)
    # As a browser names a site on another port than its scheme's; newer .NET does so by itself, older does not.
    $request.Host = $HostName
    if (-not $target.IsDefaultPort -and -not $HostName.Contains(':')) { $request.Host = "${HostName}:$($target.Port)" }
    $request.AllowAutoRedirect = $false
    $request.Timeout = $Timeout * 1000
    $request.ReadWriteTimeout = $Timeout * 1000
    $request.Proxy = $null
    $request.ServerCertificateValidationCallback = [PrsRecoveryTrust]::Any
    $response = $null
    $result.text = ''
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    try { $response = $request.GetResponse() }
    catch {
        $cause = $_.Exception
        while ($cause -and $cause -isnot [System.Net.WebException]) { $cause = $cause.InnerException }
        if ($cause -and $cause.Response) { $response = $cause.Response }
        else {
            $result.error = $_.Exception.GetBaseException().Message
            break
        }
    }
    $result.status = [int]$response.StatusCode
    $result.location = [string]$response.Headers['Location']
    try {
        $content = Read-Body -Response $response -Request $request -Clock $clock
        $result.text = ConvertTo-Text -Content $content -Kind ([string]$response.Headers['Content-Type'])
    }
    catch {
        $result.error = $_.Exception.GetBaseException().Message
        break
    }
    finally { $response.Close() }
    $isRedirect = $result.status -ge 300 -and $result.status -lt 400 -and $result.location
    if (-not $isRedirect) { break }
    $next = New-Object -TypeName System.Uri -ArgumentList $target, $result.location
    if ($next.Scheme -ne $start.Scheme) { break }
    $target = New-Object -TypeName System.Uri -ArgumentList $start, $next.PathAndQuery
    if ($turn -eq 6) { $result.error = 'Too many automatic redirections were attempted' }
}

$Ansible.Result = $result
