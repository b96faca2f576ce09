# prs.recovery create_sql_admin_login
#
# Makes one SQL login a member of sysadmin, over Windows authentication on the server itself. Run it as an account that is
# sysadmin already: setup made SYSTEM one. So no password is ever seen on setup's command line.
#
# Parameters:
#   InstanceName   MSSQLSERVER for the default instance
#   LoginName      the login to create
#   Password       SecureString
# Result:
#   created        the login did not exist
#   password_set   it existed with another password
#   made_sysadmin  it was not a member of sysadmin
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory = $true)][string]$InstanceName,
    [Parameter(Mandatory = $true)][string]$LoginName,
    [Parameter(Mandatory = $true)][securestring]$Password
)

$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false

$server = '.'
if ($InstanceName -ne 'MSSQLSERVER') { $server = ".\$InstanceName" }
$connection = New-Object -TypeName System.Data.SqlClient.SqlConnection
$connection.ConnectionString = "Server=$server;Database=master;Integrated Security=SSPI;Connection Timeout=60"

function Invoke-Scalar {
    param([string]$Statement)
    $command = $connection.CreateCommand()
    $command.CommandText = $Statement
    $null = $command.Parameters.AddWithValue('@name', $LoginName)
    $null = $command.Parameters.AddWithValue('@password', (New-Object System.Net.NetworkCredential('', $Password)).Password)
    $command.ExecuteScalar()
}

$connection.Open()
try {
    # -1: no such login; 0: another password; 1: as wanted
    $match = [int](Invoke-Scalar -Statement @'
SELECT COALESCE((SELECT PWDCOMPARE(@password, password_hash) FROM sys.sql_logins WHERE name = @name), -1);
'@)
    $member = [int](Invoke-Scalar -Statement "SELECT COALESCE(IS_SRVROLEMEMBER(N'sysadmin', @name), 0);")

    if ($match -ne 1 -and $PSCmdlet.ShouldProcess($LoginName, 'set the login and its password')) {
        $null = Invoke-Scalar -Statement @'
DECLARE @verb nvarchar(10) = CASE WHEN SUSER_ID(@name) IS NULL THEN N'CREATE' ELSE N'ALTER' END;
DECLARE @statement nvarchar(max) = @verb + N' LOGIN ' + QUOTENAME(@name)
    + N' WITH PASSWORD = N''' + REPLACE(@password, N'''', N'''''') + N''', CHECK_EXPIRATION = OFF, CHECK_POLICY = ON;';
EXEC (@statement);
'@
        $Ansible.Changed = $true
    }
    if ($member -ne 1 -and $PSCmdlet.ShouldProcess($LoginName, 'add to sysadmin')) {
        $null = Invoke-Scalar -Statement @'
DECLARE @statement nvarchar(max) = N'ALTER SERVER ROLE sysadmin ADD MEMBER ' + QUOTENAME(@name) + N';';
EXEC (@statement);
'@
    }
}
finally {
    $connection.Dispose()
}

$Ansible.Changed = ($match -ne 1 -or $member -ne 1)
$Ansible.Result = @{ created = ($match -eq -1); password_set = ($match -eq 0); made_sysadmin = ($member -ne 1) }
