import pytest

from dsi_automation.connectors.routers.masking import masked
from dsi_automation.core.secrets import MASK

# Lines in the form of Cisco's and FRRouting's command references; the secrets are invented, each with "geheim" in it.
#   https://www.cisco.com/c/en/us/td/docs/ios-xml/ios/security/d1/sec-d1-cr-book.html (enable, username, key-string)
#   https://www.cisco.com/c/en/us/td/docs/ios-xml/ios/snmp/command/nm-snmp-cr-book.html (snmp-server)
#   https://docs.frrouting.org/en/latest/basic.html (password, enable password)
LINES = (
    "enable secret 5 $1$geheim$hx5rVt7rPNoS4wqbXKX7m0",
    "enable secret 9 $9$geheimuHiWCs5s.NDt$Ud2sZp",
    "enable secret level 5 5 $1$geheim$abc",
    "enable password geheim1",
    "enable password 7 geheim822455D0A16",
    "enable password 8 geheim.frr",
    "username cisco privilege 15 password 0 geheim",
    "username admin secret 5 $1$geheim$x",
    "username admin privilege 15 role network-admin secret 9 $9$geheim",
    " password 7 geheim822455D0A16",
    " password geheim with blanks",
    "password geheim",
    "password 8 geheimXYZ",
    "snmp-server community geheim RO 10",
    "snmp-server community geheim view V RW",
    "snmp-server host 10.64.0.7 geheim",
    "snmp-server host 10.64.0.7 version 2c geheim",
    "snmp-server host 10.64.0.7 vrf OAM version 2c geheim udp-port 1162",
    "snmp-server host 10.64.0.7 traps version 3 priv geheim",
    "snmp-server host 10.64.0.7 informs version 1 geheim bgp",
    "snmp-server user u1 G1 v3 auth sha geheimA priv aes 128 geheimB",
    "snmp-server user u1 G1 v3 encrypted auth md5 geheim:2A priv des geheim:3B access 10",
    "tacacs-server key 7 geheim0822",
    "tacacs-server host 10.64.0.8 single-connection key geheim",
    "tacacs-server host 10.64.0.8 key 7 geheim",
    " key 7 geheim0822",
    " key geheim",
    "radius-server key geheim",
    "radius-server host 10.64.0.9 auth-port 1812 acct-port 1813 key 7 geheim",
    " server-private 10.64.0.9 auth-port 1812 key 7 geheim",
    " client 10.64.0.9 server-key 7 geheim",
    "crypto isakmp key geheim address 198.51.100.2",
    "crypto isakmp key 6 geheim address 198.51.100.2 255.255.255.255",
    " pre-shared-key address 198.51.100.2 key geheim",
    " pre-shared-key address 0.0.0.0 0.0.0.0 key 6 geheim",
    " pre-shared-key local geheim",
    " pre-shared-key remote 6 geheim",
    " pre-shared-key geheim",
    " neighbor 10.255.0.2 password geheim",
    " neighbor 10.255.0.2 password 7 geheim0822",
    "mpls ldp neighbor 10.255.0.2 password 7 geheim",
    " ip ospf authentication-key geheim",
    " ip ospf authentication-key 7 geheim",
    " ip ospf message-digest-key 1 md5 geheim",
    " ip ospf message-digest-key 1 md5 7 geheim",
    " area 1 virtual-link 10.0.0.1 authentication-key geheim",
    " area 1 virtual-link 10.0.0.1 message-digest-key 1 md5 7 geheim",
    " ip rip authentication string geheim",
    "  key-string 7 geheim",
    "  key-string geheim",
    " standby 1 authentication geheim",
    " standby 1 authentication text geheim",
    " standby 1 authentication md5 key-string 7 geheim",
    " vrrp 1 authentication text geheim",
    " glbp 1 authentication md5 key-string geheim",
    "ntp authentication-key 1 md5 geheim 7",
    " ppp chap password 0 geheim",
    " ppp pap sent-username spy password 7 geheim",
    " isis password geheim level-2",
    " area-password geheim",
    " domain-password clear geheim",
    " ip nhrp authentication geheim",
    " wpa-psk ascii 0 geheim",
    "ip ftp password 7 geheim",
    "ip http client password 7 geheim",
    " l2tp tunnel password 7 geheim",
    " path scp://backup:geheim@10.64.0.4/$h",
    "archive scp://backup:geheim@10.64.0.4/x",
    "key config-key password-encrypt geheim",
)
HARMLESS = """hostname rtr-spy
service password-encryption
no service password-encryption
aaa authentication login default group tacacs+ local enable
aaa authorization exec default local
snmp-server enable traps config
snmp-server location San-Pedro
key chain OSPF
 key 1
interface GigabitEthernet0/0
 description key of the door, password on paper
 ip address 10.64.8.1 255.255.255.0
 ip ospf message-digest-key
ip access-list extended DSI-LAN-IN
 1000 permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq 8443
ip ssh version 2
line vty 0 4
 transport input ssh
end
"""


@pytest.mark.parametrize("line", LINES)
def test_no_secret_of_a_configuration_is_shown(line):
    shown = masked(f"hostname r1\n{line}\nend\n")
    assert "geheim" not in shown
    assert MASK in shown
    assert shown.startswith("hostname r1\n")
    assert shown.endswith("\nend\n")
    # What is no secret can still be read: the first word, and indentation.
    assert shown.split("\n")[1].startswith(line[: len(line) - len(line.lstrip())] + line.split()[0])


def test_a_masked_configuration_stays_as_it_is():
    once = masked("\n".join(LINES))
    assert masked(once) == once


def test_lines_without_a_secret_are_left_alone():
    assert masked(HARMLESS) == HARMLESS


def test_a_configuration_whose_lines_end_as_on_windows_is_masked_too():
    assert "geheim" not in masked("enable secret 5 geheim\r\nsnmp-server community geheim RO\r\n")
