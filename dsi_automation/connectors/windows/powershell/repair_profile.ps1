# After Win32_UserProfile.ChangeOwner: gives the new owner of a profile the rights that the change may leave with the
# old one: on its folder and files (icacls), and in its registry hives (NTUSER.DAT and UsrClass.dat).
#
# In:  { "old_sid": "S-1-5-...", "new_sid": "S-1-5-..." }
# Out: { "path": "C:\\Users\\x", "hives": 2, "keys": 1234 }
#
# Last, it notes the old owner under the new one's SID in HKLM\SOFTWARE\dsi-automation\RepairedProfiles: by that value
# the toolkit sees that it ran to its end.
#
# Never run on a real Windows yet.
param(
    [Parameter(Mandatory = $true)]
    [psobject] $InputObject
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# The constructor accepts nothing but a SID: from here on both are safe in arguments.
$old = New-Object System.Security.Principal.SecurityIdentifier($InputObject.old_sid)
$new = New-Object System.Security.Principal.SecurityIdentifier($InputObject.new_sid)
$sidType = [System.Security.Principal.SecurityIdentifier]

$found = Get-CimInstance -ClassName Win32_UserProfile | Where-Object { $_.SID -eq $new.Value }
if ($null -eq $found) { throw (New-Object System.IO.DirectoryNotFoundException) }
if ($found.Loaded) { throw (New-Object System.UnauthorizedAccessException) }
$path = $found.LocalPath

function Invoke-Native {
    # Runs a program and stops on its exit code; its localised output is of no use.
    param([string] $Program, [string[]] $Arguments)
    & $Program @Arguments | Out-Null
    if ($LASTEXITCODE -ne 0) { throw (New-Object System.ComponentModel.Win32Exception($LASTEXITCODE)) }
}

function Repair-Key {
    # Copies each explicit rule of the old owner to the new one, on a key and all keys below; returns how many.
    param([string] $Top)
    $check = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree
    $rights = [System.Security.AccessControl.RegistryRights] 'ReadPermissions, ChangePermissions, EnumerateSubKeys'
    $count = 0
    $waiting = New-Object 'System.Collections.Generic.Queue[string]'
    $waiting.Enqueue($Top)
    while ($waiting.Count -gt 0) {
        $place = $waiting.Dequeue()
        $key = [Microsoft.Win32.Registry]::Users.OpenSubKey($place, $check, $rights)
        if ($null -eq $key) { continue }
        try {
            $security = $key.GetAccessControl()
            foreach ($rule in @($security.GetAccessRules($true, $false, $sidType))) {
                if ($rule.IdentityReference -ne $old) { continue }
                $copy = New-Object System.Security.AccessControl.RegistryAccessRule(
                    $new, $rule.RegistryRights, $rule.InheritanceFlags, $rule.PropagationFlags, $rule.AccessControlType)
                $security.AddAccessRule($copy)
            }
            $key.SetAccessControl($security)
            foreach ($child in $key.GetSubKeyNames()) { $waiting.Enqueue($place + '\' + $child) }
            $count = $count + 1
        } finally {
            $key.Close()
        }
    }
    return $count
}

$grant = '*' + $new.Value + ':(OI)(CI)F'
Invoke-Native -Program 'icacls.exe' -Arguments @($path, '/grant', $grant, '/C', '/L', '/Q')
Invoke-Native -Program 'icacls.exe' -Arguments @($path, '/setowner', ('*' + $new.Value), '/T', '/C', '/L', '/Q')

$hives = 0
$keys = 0
foreach ($relative in @('NTUSER.DAT', 'AppData\Local\Microsoft\Windows\UsrClass.dat')) {
    $file = Join-Path -Path $path -ChildPath $relative
    if (-not (Test-Path -LiteralPath $file)) { continue }
    $name = 'dsi-repair-' + $hives
    Invoke-Native -Program 'reg.exe' -Arguments @('load', ('HKU\' + $name), $file)
    try {
        $keys = $keys + (Repair-Key -Top $name)
    } finally {
        # A handle still open would keep the hive loaded, and the next sign-in would get a temporary profile.
        [GC]::Collect()
        [GC]::WaitForPendingFinalizers()
        Invoke-Native -Program 'reg.exe' -Arguments @('unload', ('HKU\' + $name))
    }
    $hives = $hives + 1
}

$mark = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey('SOFTWARE\dsi-automation\RepairedProfiles')
try {
    $mark.SetValue($new.Value, $old.Value)
} finally {
    $mark.Close()
}

@{ path = $path; hives = $hives; keys = $keys }
