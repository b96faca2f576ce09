# prs.recovery import_certificate
#
# Puts a certificate with its private key from a PFX into the machine's store and lets accounts read the key. The PFX comes
# as a parameter and never touches the server's disk. Its authorities, if it holds any, go into the intermediate store.
#
# Parameters:
#   Pfx          SecureString: the file in base64
#   Password     SecureString
#   ReadAccess   accounts that must read the private key, such as NT SERVICE\MSSQLSERVER; unknown ones fail
# Result:
#   thumbprint, subject, names (DNS names), not_after (UTC)
#   imported     it was not in the store, or lay there without its key
#   granted      accounts that could not read the key
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory = $true)][securestring]$Pfx,
    [Parameter(Mandatory = $true)][securestring]$Password,
    [string[]]$ReadAccess = @()
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$secret = (New-Object System.Net.NetworkCredential('', $Password)).Password
$content = [System.Convert]::FromBase64String((New-Object System.Net.NetworkCredential('', $Pfx)).Password)

function Read-Pfx {
    param([string]$Flags)
    $read = New-Object -TypeName System.Security.Cryptography.X509Certificates.X509Certificate2Collection
    $read.Import($content, $secret, $Flags)
    $read
}

# .NET shows the key of an old provider (CSP), which a PFX usually brings, as RSACng too: only the file itself tells in which folder it lies.
function Get-KeyFile {
    param($Certificate)
    $key = [System.Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
    if (-not $key) { throw 'The private key is not an RSA key.' }
    if ($key -is [System.Security.Cryptography.RSACng]) { $name = $key.Key.UniqueName }
    else { $name = $key.CspKeyContainerInfo.UniqueKeyContainerName }
    foreach ($folder in 'RSA\MachineKeys', 'Keys', 'SystemKeys') {
        $file = Join-Path -Path $env:ProgramData -ChildPath "Microsoft\Crypto\$folder\$name"
        if (Test-Path -LiteralPath $file) { return $file }
    }
    throw "The private key $name has no file below $env:ProgramData\Microsoft\Crypto."
}

# Without PersistKeySet the key read here is gone when the script ends.
$leaf = Read-Pfx -Flags 'MachineKeySet' | Where-Object { $_.HasPrivateKey } | Select-Object -First 1
if (-not $leaf) { throw 'The PFX holds no certificate with a private key.' }

$path = "Cert:\LocalMachine\My\$($leaf.Thumbprint)"
$imported = -not (Test-Path -LiteralPath $path) -or -not (Get-Item -LiteralPath $path).HasPrivateKey
if ($imported -and $PSCmdlet.ShouldProcess($path, 'import')) {
    foreach ($certificate in Read-Pfx -Flags 'MachineKeySet, PersistKeySet') {
        $name = 'CA'
        if ($certificate.Thumbprint -eq $leaf.Thumbprint) { $name = 'My' }
        $store = New-Object -TypeName System.Security.Cryptography.X509Certificates.X509Store -ArgumentList $name, 'LocalMachine'
        $store.Open('ReadWrite')
        $store.Add($certificate)
        $store.Close()
    }
}

$granted = @()
if (Test-Path -LiteralPath $path) {
    foreach ($account in $ReadAccess) {
        $file = Get-KeyFile -Certificate (Get-Item -LiteralPath $path)
        $acl = Get-Acl -LiteralPath $file
        $sidType = [System.Security.Principal.SecurityIdentifier]
        $sid = (New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $account).Translate($sidType)
        $read = [System.Security.AccessControl.FileSystemRights]::Read
        $readable = $acl.GetAccessRules($true, $true, $sidType) | Where-Object {
            $_.IdentityReference -eq $sid -and $_.AccessControlType -eq 'Allow' -and $_.FileSystemRights.HasFlag($read)
        }
        if ($readable) { continue }
        $granted += $account
        if ($PSCmdlet.ShouldProcess($file, "let $account read")) {
            $rule = New-Object -TypeName System.Security.AccessControl.FileSystemAccessRule -ArgumentList $sid, $read, 'Allow'
            $acl.AddAccessRule($rule)
            Set-Acl -LiteralPath $file -AclObject $acl
        }
    }
}
elseif ($ReadAccess) {
    $granted = $ReadAccess
}

$Ansible.Changed = ($imported -or $granted.Count -gt 0)
$Ansible.Result = @{
    thumbprint = $leaf.Thumbprint
    subject = $leaf.Subject
    names = @($leaf.DnsNameList | ForEach-Object { $_.Unicode })
    not_after = $leaf.NotAfter.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
    imported = $imported
    granted = $granted
}
