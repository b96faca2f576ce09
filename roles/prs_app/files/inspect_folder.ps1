# prs.recovery inspect_folder
#
# What an account may do in folders, as win_acl compares it, and what a file there says. Reads only, so it runs in check
# mode too.
#
# Parameters:
#   Path      folders
#   Account   name or SID
#   Rights    that the account is to have, as FileSystemRights names them: Modify
#   File      a small file
# Result:
#   rights    Rights as the number that a rule bears which allows them, with Synchronize
#   rules     of the account, one each: path, rights, allow, inherited, inheritance (3: for folders and files below),
#             propagation; none where they cannot be read, as whoever sets them says what is wrong then
#   exists    the file is there
#   content   what it says, in base64; empty where it cannot be read
[CmdletBinding(SupportsShouldProcess)]
param(
    [string[]]$Path = @(),
    [string]$Account = '',
    [string]$Rights = 'Modify',
    [string]$File = ''
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$sidType = [System.Security.Principal.SecurityIdentifier]
$allowed = [int][System.Security.AccessControl.FileSystemRights]$Rights
$synchronize = [int][System.Security.AccessControl.FileSystemRights]::Synchronize

function Get-AccountSid {
    if ($Account.StartsWith('S-1-', [System.StringComparison]::Ordinal)) {
        return New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList $Account
    }
    (New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $Account).Translate($sidType)
}

function Read-FolderRule {
    $sid = Get-AccountSid
    foreach ($name in $Path) {
        foreach ($rule in (Get-Acl -LiteralPath $name).GetAccessRules($true, $true, $sidType)) {
            if ($rule.IdentityReference -ne $sid) { continue }
            @{
                path = $name
                rights = [int]$rule.FileSystemRights
                allow = ([string]$rule.AccessControlType -eq 'Allow')
                inherited = [bool]$rule.IsInherited
                inheritance = [int]$rule.InheritanceFlags
                propagation = [int]$rule.PropagationFlags
            }
        }
    }
}

$rules = @()
if ($Account) {
    try { $rules = @(Read-FolderRule) } catch { $null = $_ }
}

$content = ''
$exists = [System.IO.File]::Exists($File)
if ($exists) {
    try { $content = [System.Convert]::ToBase64String([System.IO.File]::ReadAllBytes($File)) } catch { $null = $_ }
}

$Ansible.Result = @{
    rights = ($allowed -bor $synchronize)
    rules = $rules
    exists = $exists
    content = $content
}
