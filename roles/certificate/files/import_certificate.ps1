# prs.recovery import_certificate
#
# Puts a certificate with its private key from a PFX into the machine's store and lets accounts read the key. The PFX comes
# as a parameter and never touches the server's disk. Its authorities, if it holds any, go into the intermediate store.
#
# Parameters:
#   Pfx          SecureString: the file in base64
#   Password     SecureString
#   Thumbprint   in the place of both: of a certificate that is only looked for in the store, which every administrator
#                of the server may do. None is there that has none
#   ReadAccess   accounts that must read the private key, such as NT SERVICE\MSSQLSERVER; unknown ones fail, and so does a
#                key that SQL Server does not take: other than RSA, or not an exchange key of a legacy provider
#   Reader       accounts of which is only asked whether they read the key already
# Result:
#   thumbprint, subject, names (DNS names), not_after (UTC)
#   key          exchange, signature (of a legacy provider), other (of a key storage provider, CNG)
#   imported     it was not in the store, or lay there without its key
#   granted      accounts that could not read the key
#   readers      those of Reader that can, of a key that lay there; none whose rights could not be looked at
#   Nothing at all where there is no certificate of Thumbprint with its key
[CmdletBinding(SupportsShouldProcess)]
param(
    [securestring]$Pfx = (New-Object -TypeName System.Security.SecureString),
    [securestring]$Password = (New-Object -TypeName System.Security.SecureString),
    [string]$Thumbprint = '',
    [string[]]$ReadAccess = @(),
    [string[]]$Reader = @()
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$invariant = [System.Globalization.CultureInfo]::InvariantCulture
$secret = (New-Object System.Net.NetworkCredential('', $Password)).Password
$content = [System.Convert]::FromBase64String((New-Object System.Net.NetworkCredential('', $Pfx)).Password)

function Read-Pfx {
    param([string]$Flags)
    $read = New-Object -TypeName System.Security.Cryptography.X509Certificates.X509Certificate2Collection
    $read.Import($content, $secret, $Flags)
    $read
}

# The DNS names in the bytes of the extension 2.5.29.17 (RFC 5280: a sequence of GeneralName, dNSName has the tag 0x82), as
# their text is in the language of Windows. A certificate without any goes by its common name.
function Read-DnsName {
    param($Certificate)
    $extension = $Certificate.Extensions['2.5.29.17']
    if ($null -eq $extension) {
        return $Certificate.GetNameInfo([System.Security.Cryptography.X509Certificates.X509NameType]::DnsName, $false)
    }
    $idn = New-Object -TypeName System.Globalization.IdnMapping
    $bytes = $extension.RawData
    $position = 0
    while ($position + 1 -lt $bytes.Length) {
        $tag = [int]$bytes[$position]
        $length = [int]$bytes[$position + 1]
        $position += 2
        if ($length -ge 0x80) {
            $count = $length -band 0x7F
            $length = 0
            for (; $count -gt 0; $count--) {
                $length = $length * 256 + $bytes[$position]
                $position++
            }
        }
        if ($tag -eq 0x30) { continue }
        if ($tag -eq 0x82) {
            $name = [System.Text.Encoding]::ASCII.GetString($bytes, $position, $length)
            try { $idn.GetUnicode($name) } catch { $name }
        }
        $position += $length
    }
}

# .NET shows the key of an old provider (CSP), which a PFX usually brings, as RSACng too: only the file itself tells in
# which folder it lies.
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

# Who keeps the key says the PFX; the keys of one provider are not those of another. A method, as PowerShell takes a
# property that fails for an empty one: this one fails for the keys of a key storage provider.
function Get-KeyKind {
    param($Certificate)
    $key = $null
    try { $key = $Certificate.get_PrivateKey() } catch { $null = $_ }
    if ($null -eq $key -or -not $key.CspKeyContainerInfo) { return 'other' }
    if ([string]$key.CspKeyContainerInfo.KeyNumber -eq 'Exchange') { return 'exchange' }
    return 'signature'
}

function Get-Sid {
    param([string]$Account)
    $named = New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $Account
    $named.Translate([System.Security.Principal.SecurityIdentifier])
}

function Test-Reader {
    param($Acl, $Sid)
    $read = [System.Security.AccessControl.FileSystemRights]::Read
    $readable = $Acl.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier]) | Where-Object {
        $_.IdentityReference -eq $Sid -and $_.AccessControlType -eq 'Allow' -and $_.FileSystemRights.HasFlag($read)
    }
    [bool]$readable
}

if ($PSBoundParameters.ContainsKey('Thumbprint')) {
    if (-not $Thumbprint) { return }
    $there = "Cert:\LocalMachine\My\$Thumbprint"
    if (-not (Test-Path -LiteralPath $there)) { return }
    $leaf = Get-Item -LiteralPath $there
    if (-not $leaf.HasPrivateKey) { return }
}
else {
    # Without PersistKeySet the key read here is gone when the script ends.
    $leaf = Read-Pfx -Flags 'MachineKeySet' | Where-Object { $_.HasPrivateKey } | Select-Object -First 1
    if (-not $leaf) { throw 'The PFX holds no certificate with a private key.' }
}
$kind = Get-KeyKind -Certificate $leaf
if ($ReadAccess) {
    # Before anything is imported, and in check mode too.
    if ($leaf.PublicKey.Oid.Value -ne '1.2.840.113549.1.1.1') {
        throw 'The private key is not an RSA key, and SQL Server takes no other. Have the certificate made with an RSA key.'
    }
    if ($kind -ne 'exchange') {
        throw "SQL Server would not start with this certificate: it takes an exchange key of a legacy provider (CSP) alone."
    }
    if (-not ('System.Security.Cryptography.X509Certificates.RSACertificateExtensions' -as [type])) {
        throw '.NET Framework 4.6 or later is needed to find the private key. Install .NET Framework 4.8.'
    }
}

$path = "Cert:\LocalMachine\My\$($leaf.Thumbprint)"
$imported = -not (Test-Path -LiteralPath $path) -or -not (Get-Item -LiteralPath $path).HasPrivateKey
if ($imported -and $PSCmdlet.ShouldProcess($path, 'import')) {
    foreach ($certificate in Read-Pfx -Flags 'MachineKeySet, PersistKeySet') {
        $name = 'CA'
        if ($certificate.Thumbprint -eq $leaf.Thumbprint) { $name = 'My' }
        $class = 'System.Security.Cryptography.X509Certificates.X509Store'
        $store = New-Object -TypeName $class -ArgumentList $name, 'LocalMachine'
        $store.Open('ReadWrite')
        $store.Add($certificate)
        $Ansible.Changed = $true
        $store.Close()
    }
}

$granted = @()
# In check mode nothing was imported, so there is no key whose readers could be looked at.
if ((Test-Path -LiteralPath $path) -and -not ($imported -and $Ansible.CheckMode)) {
    foreach ($account in $ReadAccess) {
        $file = Get-KeyFile -Certificate (Get-Item -LiteralPath $path)
        $acl = Get-Acl -LiteralPath $file
        $sid = Get-Sid -Account $account
        if (Test-Reader -Acl $acl -Sid $sid) { continue }
        $granted += $account
        if ($PSCmdlet.ShouldProcess($file, "let $account read")) {
            $read = [System.Security.AccessControl.FileSystemRights]::Read
            $rule = New-Object -TypeName System.Security.AccessControl.FileSystemAccessRule -ArgumentList $sid, $read, 'Allow'
            $acl.AddAccessRule($rule)
            Set-Acl -LiteralPath $file -AclObject $acl
            $Ansible.Changed = $true
        }
    }
}
elseif ($ReadAccess) {
    $granted = $ReadAccess
}

$readers = @(
    foreach ($account in $Reader) {
        if ($imported) { break }
        try {
            $acl = Get-Acl -LiteralPath (Get-KeyFile -Certificate (Get-Item -LiteralPath $path))
            if (Test-Reader -Acl $acl -Sid (Get-Sid -Account $account)) { $account }
        }
        catch { $null = $_ }
    }
)

$Ansible.Changed = ($imported -or $granted.Count -gt 0)
$Ansible.Result = @{
    thumbprint = $leaf.Thumbprint
    subject = $leaf.Subject
    names = @(Read-DnsName -Certificate $leaf)
    not_after = $leaf.NotAfter.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)
    key = $kind
    imported = $imported
    granted = $granted
    readers = $readers
}
