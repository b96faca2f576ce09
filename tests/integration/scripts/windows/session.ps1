# What a session of the scripts under test begins with: the drives of Windows.
$null = New-PSDrive -Name HKLM -PSProvider LabRegistry -Root '' -Scope Global
$null = New-PSDrive -Name Cert -PSProvider LabCert -Root '' -Scope Global
# What a key of an old provider has on Windows; .NET on Linux has no CNG.
Update-TypeData -Force -TypeName System.Security.Cryptography.RSAOpenSsl -MemberType ScriptProperty -MemberName CspKeyContainerInfo -Value { if ($global:LabWorld.key_number) { [pscustomobject]@{ UniqueKeyContainerName = $global:LabWorld.key_name; KeyNumber = $global:LabWorld.key_number } } }
