import pytest

from dsi_automation.connectors.routers.dangerous import reason, sequence

DENIED = (
    "reload",
    "reload in 5",
    "rel",
    "erase startup-config",
    "write erase",
    "wr er",
    "write memory",
    "delete flash:x",
    "format flash:",
    "copy running-config startup-config",
    "boot system flash:x",
    "config-register 0x2142",
    "username bob privilege 15 secret x",
    "usern bob priv 15",
    "no username admin",
    "enable secret x",
    "no enable secret",
    "crypto key zeroize rsa",
    "crypto key generate rsa",
    "aaa new-model",
    "no aaa new-model",
    "line vty 0 4",
    "li vt 0 4",
    " transport input telnet",
    " login local",
    " access-class 10 in",
    "ip ssh version 1",
    "no ip ssh version",
    "ip http server",
    "ip scp server enable",
    "snmp-server community public RW",
    "tacacs-server host 10.0.0.1",
    "archive",
    "no archive",
    " path flash:other",
    " maximum 1",
    "no service integrated-vtysh-config",
    "service integrated-vtysh-config",
    "do reload",
    "do write memory",
    " do show run",
    "DO  reload",
    "end",
    " end",
    "quit",
    "logout",
    "configure replace flash:x force",
    "configure terminal",
    "start-shell",
    "start-shell bash",
    "tclsh",
    "event manager applet X",
    "kron policy-list X",
    "alias exec x reload",
    "privilege exec level 0 reload",
    "macro name x",
    "banner motd x",
    "password x",
    "log file /etc/x",
    "no ip routing",
    "ip rout",
    "default interface Gi0/0",
    "no interface Loopback0",
    "interface range Gi0/0 - 3",
    "hostname other",
    "terminal monitor",
    "show running-config",
    "ping 10.0.0.1",
    "clear ip route *",
    "debug all",
    "telnet 10.0.0.1",
    "license boot level x",
    "menu x",
    "tftp-server flash:x",
    "boot",
    "wr",
    "exec-timeout 0 0",
    "privilege",
    "key chain X",
    "radius server X",
)
HARMLESS = (
    "interface GigabitEthernet0/0",
    "interface wan0",
    " description vers le siege (MTN), reload the link by hand",
    " no description",
    " ip address 10.64.8.1 255.255.255.0",
    " ip address 10.64.8.1/24",
    " no ip address",
    " no ip address 10.0.0.1/30",
    " no shutdown",
    " shutdown",
    " ip access-group DSI-LAN-IN in",
    " no ip access-group DSI-LAN-IN in",
    "exit",
    "ip route 10.64.0.0 255.240.0.0 10.255.0.2",
    "no ip route 10.64.0.0/12 10.255.0.2",
    "ip access-list extended DSI-LAN-IN",
    "no ip access-list extended DSI-LAN-IN-B",
    " 1000 permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq 8443",
    " no 1000",
    " 9999 deny ip any any",
    "filter DSI-LAN-IN",
    " lan 10.64.8.0/24",
    " deny any tcp/23",
    " rule ac-k7m2qx 10.64.8.8/29 internet tcp/443",
    " no rule ac-k7m2qx",
    "no filter DSI-LAN-IN",
    " inside lan0",
    " management 198.18.0.1/32",
    " ip unnumbered Loopback0",
    " no unexpected table inet dsi chain x: drop",
)
BROKEN = (
    " description x\nreload",
    " description x\rreload",
    " description x\x1a",
    " description x\x03",
    "ip route\u2028reload",
    " description x\x7f",
    " description x\x85reload",
    " description help?",
    "\x15reload",
    " description a\tb",
)


@pytest.mark.parametrize("line", DENIED)
def test_a_dangerous_line_is_never_sent(line):
    assert reason(line) is not None


@pytest.mark.parametrize("line", HARMLESS)
def test_a_line_of_a_change_is_not_taken_for_a_dangerous_one(line):
    assert reason(line) is None


@pytest.mark.parametrize("line", BROKEN)
def test_what_is_more_than_one_line_or_drives_the_terminal_is_never_sent(line):
    assert reason(line) is not None


def test_an_exit_that_would_leave_the_configuration_is_never_sent():
    assert sequence(["interface wan0", " shutdown", "exit", "ip route 10.0.0.0/8 10.0.0.1"]) is None
    found = sequence(["interface wan0", " shutdown", "exit", "exit", "ip route 10.0.0.0/8 10.0.0.1"])
    assert found is not None
    assert found[0] == "exit"
    assert sequence(["interface wan0", "interface wan1", "exit"]) is None
    assert sequence(["exit"]) is not None
    assert sequence(["interface wan0", " exit", "exit"]) is not None
    assert sequence(["ip route 10.0.0.0/8 10.0.0.1", "exit"]) is not None


def test_the_first_dangerous_line_of_several_is_named():
    found = sequence(["interface wan0", " shutdown", "exit", "reload"])
    assert found is not None
    assert found[0] == "reload"
