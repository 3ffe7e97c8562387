# Runs restic.exe for one backup of the plan, and hashes what the snapshot holds.
#
# In:  { "action": "look" | "initialise" | "back_up", "restic": "C:\\Program Files\\restic\\restic.exe",
#        "repository": "...", "password": "...", "options": ["--cacert", "..."],
#        "paths": ["C:\\Donnees"], "words": ["--json", "--tag", "dsi", ...] }
# Out: look:       { "version": "restic 0.18.0 ...", "clock": seconds since 1970, "paths": ["ok", "missing", ...] }
#      initialise: { "status": 0, "said": "..." }
#      back_up:    { "status": 0, "said": "...", "summary": "{...}", "manifest": base64 of gzip'ed JSON lines or null }
#
# The password comes in on standard input and goes to restic in its own environment: it is in no argument list. Paths
# of the manifest are restic's: C:\Donnees\a is /C/Donnees/a. A file that nobody may open while its program runs is
# read by restic from the shadow copy; it has no hash here, and is marked as changed.
#
# Never run on a real Windows yet.
param(
    [Parameter(Mandatory = $true)]
    [psobject] $InputObject
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

function Invoke-Restic {
    # Runs restic and returns its exit status, output and complaint; nothing of it passes through a shell.
    param([string[]] $Words)
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $InputObject.restic
    $quoted = foreach ($word in $Words) {
        if ($word.Contains('"')) { throw (New-Object System.ArgumentException) }
        # A backslash before the closing quote would take its meaning away.
        $tail = $word.Length - $word.TrimEnd('\').Length
        '"' + $word + ('\' * $tail) + '"'
    }
    $start.Arguments = $quoted -join ' '
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.Encoding]::UTF8
    $start.StandardErrorEncoding = [System.Text.Encoding]::UTF8
    $start.EnvironmentVariables['RESTIC_REPOSITORY'] = $InputObject.repository
    $start.EnvironmentVariables['RESTIC_PASSWORD'] = $InputObject.password
    $start.EnvironmentVariables['RESTIC_PROGRESS_FPS'] = '0.1'
    $process = [System.Diagnostics.Process]::Start($start)
    $complaint = $process.StandardError.ReadToEndAsync()
    $output = $process.StandardOutput.ReadToEnd()
    $process.WaitForExit()
    return @{ status = $process.ExitCode; output = $output; said = $complaint.Result }
}

function Get-Entry {
    # Returns one line of the manifest for an entry of the snapshot.
    param([psobject] $Node, [datetime] $Began)
    $entry = @{ path = $Node.path; type = $Node.type; mode = 0; mtime_ns = 0; size = 0; sha256 = $null; changed = $false }
    if ($Node.type -eq 'symlink') { $entry['target'] = $Node.linktarget }
    if (@('file', 'dir', 'symlink') -notcontains $Node.type) { $entry['type'] = 'other' }
    if ($Node.type -ne 'file') { return $entry }
    $entry['size'] = [long] $Node.size
    $place = $Node.path.Substring(1, 1) + ':' + $Node.path.Substring(2).Replace('/', '\')
    try {
        $file = New-Object System.IO.FileInfo($place)
        $epoch = New-Object System.DateTime(1970, 1, 1, 0, 0, 0, [System.DateTimeKind]::Utc)
        $entry['mtime_ns'] = ($file.LastWriteTimeUtc - $epoch).Ticks * 100
        $share = [System.IO.FileShare] 'ReadWrite, Delete'
        $stream = New-Object System.IO.FileStream($place, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $share)
        try {
            $hash = [System.Security.Cryptography.SHA256]::Create()
            $entry['sha256'] = [System.BitConverter]::ToString($hash.ComputeHash($stream)).Replace('-', '').ToLowerInvariant()
            $length = $stream.Length
        } finally { $stream.Dispose() }
        $file.Refresh()
        $entry['changed'] = ($file.LastWriteTimeUtc -ge $Began) -or ($length -ne $entry['size'])
    } catch [System.IO.IOException] {
        $entry['sha256'] = $null
        $entry['changed'] = $true
    }
    return $entry
}

function Get-Manifest {
    # Returns the manifest of a snapshot as base64 of gzip'ed JSON lines.
    param([string] $Snapshot, [datetime] $Began)
    $listed = Invoke-Restic -Words (@('ls', '--no-lock', '--json') + $InputObject.options + @($Snapshot))
    if ($listed.status -ne 0) { throw (New-Object System.IO.InvalidDataException) }
    $memory = New-Object System.IO.MemoryStream
    $packed = New-Object System.IO.Compression.GZipStream($memory, [System.IO.Compression.CompressionMode]::Compress)
    $writer = New-Object System.IO.StreamWriter($packed, (New-Object System.Text.UTF8Encoding($false)))
    foreach ($line in ($listed.output -split '\n')) {
        if (-not $line.StartsWith('{')) { continue }
        $node = ConvertFrom-Json -InputObject $line
        if ($node.struct_type -ne 'node') { continue }
        $entry = Get-Entry -Node $node -Began $Began
        $writer.Write((ConvertTo-Json -InputObject $entry -Compress) + [char] 10)
    }
    $writer.Dispose()
    return [Convert]::ToBase64String($memory.ToArray())
}

switch ($InputObject.action) {
    'look' {
        $version = Invoke-Restic -Words @('version')
        $states = foreach ($path in $InputObject.paths) {
            if (-not (Test-Path -LiteralPath $path)) { 'missing' }
            elseif (-not (Test-Path -LiteralPath $path -PathType Container)) { 'ok' }
            elseif ($null -eq (Get-ChildItem -LiteralPath $path -Force | Select-Object -First 1)) { 'empty' }
            else { 'ok' }
        }
        $epoch = New-Object System.DateTime(1970, 1, 1, 0, 0, 0, [System.DateTimeKind]::Utc)
        @{ version = $version.output; clock = ([System.DateTime]::UtcNow - $epoch).TotalSeconds; paths = @($states) }
    }
    'initialise' {
        $done = Invoke-Restic -Words (@('init') + $InputObject.options)
        @{ status = $done.status; said = $done.said }
    }
    'back_up' {
        $began = [System.DateTime]::UtcNow
        $done = Invoke-Restic -Words (@('backup') + $InputObject.options + $InputObject.words + @('--') + $InputObject.paths)
        $lines = @($done.output -split '\n' | Where-Object { $_.StartsWith('{') })
        $summary = if ($lines.Count -gt 0) { $lines[-1] } else { '' }
        $manifest = $null
        if ($done.status -eq 0) {
            $manifest = Get-Manifest -Snapshot (ConvertFrom-Json -InputObject $summary).snapshot_id -Began $began
        }
        @{ status = $done.status; said = $done.said; summary = $summary; manifest = $manifest }
    }
    default { throw (New-Object System.ArgumentException) }
}
