"""PowerShell for what CIM cannot do: script files, JSON in, JSON out.

Never run against a real Windows yet: the scripts are checked by a grammar of PowerShell, the exchange by tests of its
parts. What it needs more than CIM: the right to open a remote shell, and at least five HTTP exchanges per run.
"""
