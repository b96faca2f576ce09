# prs.recovery read_page
#
# Reads a page of a site on this very server, over its own loopback address: the certificate is that of the public name and is not verified.
# Redirects are followed as long as they stay in the scheme; only their path counts, so that no request ever leaves the server.
#
# Parameters:
#   Uri        address, such as https://127.0.0.1:44380/
#   HostName   name that the site is asked for
#   Timeout    seconds that one answer may take
# Result:
#   status     of the last page, 0 without one
#   path       where redirects led
#   location   where the last answer pointed, when it was not followed
#   text       of the page, up to 65536 characters
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
[System.Net.ServicePointManager]::SecurityProtocol = [System.Net.ServicePointManager]::SecurityProtocol -bor [System.Net.SecurityProtocolType]::Tls12

$start = [System.Uri]$Uri
$target = $start
foreach ($turn in 1..6) {
    $result.path = $target.AbsolutePath
    $request = [System.Net.HttpWebRequest][System.Net.WebRequest]::Create($target)
    $request.Host = $HostName
    $request.AllowAutoRedirect = $false
    $request.Timeout = $Timeout * 1000
    $request.ReadWriteTimeout = $Timeout * 1000
    $request.Proxy = $null
    $request.ServerCertificateValidationCallback = [PrsRecoveryTrust]::Any
    $response = $null
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
    $reader = New-Object -TypeName System.IO.StreamReader -ArgumentList $response.GetResponseStream()
    $content = $reader.ReadToEnd()
    $reader.Dispose()
    $response.Close()
    $result.text = $content.Substring(0, [Math]::Min($content.Length, 65536))
    $isRedirect = $result.status -ge 300 -and $result.status -lt 400 -and $result.location
    if (-not $isRedirect) { break }
    $next = New-Object -TypeName System.Uri -ArgumentList $target, $result.location
    if ($next.Scheme -ne $start.Scheme) { break }
    $target = New-Object -TypeName System.Uri -ArgumentList $start, $next.PathAndQuery
    if ($turn -eq 6) { $result.error = 'Too many automatic redirections were attempted' }
}

$Ansible.Result = $result
