"""A remote shell played at the level of the protocol, for tests of what runs scripts."""

import base64

from dsi_automation.connectors.windows.transport import Answer


class PlayedShell:
    """A channel that plays the shell's answers (MS-WSMV 3.1.4.5) and notes what was sent."""

    to = "https://198.18.1.1:5986/wsman"

    def __init__(self, output: bytes):
        self.output, self.sent, self.opened = output, [], []

    def open(self, *, fresh=False):
        self.opened.append(fresh)

    def close(self):
        self.opened.clear()

    def exchange(self, data, timeout):
        action = data.partition(b"<a:Action")[2].partition(b">")[2].partition(b"<")[0].rpartition(b"/")[2].decode()
        self.sent.append((action, data))
        message = data.partition(b"MessageID>")[2].partition(b"<")[0].decode()
        body = {
            "Create": '<w:Selector Name="ShellId">S-1</w:Selector>',
            "Command": "<rsp:CommandId>C-1</rsp:CommandId>",
            "Receive": f'<rsp:Stream Name="stdout">{base64.b64encode(self.output).decode()}</rsp:Stream>'
            '<rsp:CommandState State="x/CommandState/Done"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>',
        }.get(action, "")
        text = f"<E xmlns:a='a' xmlns:w='w' xmlns:rsp='r'><a:RelatesTo>{message}</a:RelatesTo>{body}</E>"
        return Answer(200, text.encode())
