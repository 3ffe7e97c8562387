# Reads two lines of base64 from standard input (a script, then its input as JSON), runs the script with the input as
# an object, and writes the result as one line of base64 JSON between two marks. Nothing of the input is ever parsed
# as PowerShell, and base64 passes through any code page.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$utf8 = New-Object System.Text.UTF8Encoding($false)
$answer = $null
try {
    $script = $utf8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))
    $json = $utf8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))
    $block = [ScriptBlock]::Create($script)
    $result = & $block -InputObject (ConvertFrom-Json -InputObject $json)
    $answer = @{ ok = $true; result = $result }
} catch {
    # The type and the number, not the message: it is localised, and may repeat the input.
    $answer = @{ ok = $false; error = $_.Exception.GetType().FullName; hresult = $_.Exception.HResult }
}
$text = ConvertTo-Json -InputObject $answer -Depth 8 -Compress
[Console]::Out.WriteLine('DSI-BEGIN' + [Convert]::ToBase64String($utf8.GetBytes($text)) + 'DSI-END')
