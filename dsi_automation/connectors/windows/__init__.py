"""Windows over WS-Management: CIM first, PowerShell only for what CIM cannot do."""
