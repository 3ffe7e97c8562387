"""Names that IOS gives to ports, protocols and ICMP messages in access lists, and their numbers.

Source: Cisco IOS Security Command Reference, commands “permit (IP)” and “access-list (IP extended)”, and IANA.
"""

from __future__ import annotations

from typing import Final

TCP: Final = {
    "bgp": 179, "chargen": 19, "cmd": 514, "connectedapps-plain": 15001, "connectedapps-tls": 15002, "daytime": 13,
    "discard": 9, "domain": 53, "drip": 3949, "echo": 7, "exec": 512, "finger": 79, "ftp": 21, "ftp-data": 20,
    "gopher": 70, "hostname": 101, "http": 80, "https": 443, "ident": 113, "irc": 194, "klogin": 543, "kshell": 544,
    "login": 513, "lpd": 515, "msrpc": 135, "nntp": 119, "onep-plain": 15001, "onep-tls": 15002, "pim-auto-rp": 496,
    "pop2": 109, "pop3": 110, "smtp": 25, "ssh": 22, "sunrpc": 111, "syslog": 514, "tacacs": 49, "talk": 517,
    "telnet": 23, "time": 37, "uucp": 540, "whois": 43, "www": 80,
}  # fmt: skip
UDP: Final = {
    "biff": 512, "bootpc": 68, "bootps": 67, "discard": 9, "dnsix": 195, "domain": 53, "echo": 7, "isakmp": 500,
    "mobile-ip": 434, "nameserver": 42, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ss": 139, "non500-isakmp": 4500,
    "ntp": 123, "pim-auto-rp": 496, "rip": 520, "ripv6": 521, "snmp": 161, "snmptrap": 162, "sunrpc": 111,
    "syslog": 514, "tacacs": 49, "talk": 517, "tftp": 69, "time": 37, "who": 513, "xdmcp": 177,
}  # fmt: skip
PROTOCOLS: Final = {
    "1": "icmp", "2": "igmp", "4": "ipinip", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "51": "ahp",
    "88": "eigrp", "89": "ospf", "103": "pim", "108": "pcp",
}  # fmt: skip
ICMP: Final = {"0": "echo-reply", "3": "unreachable", "8": "echo", "11": "time-exceeded"}


def port(word: str, protocol: str) -> int | None:
    """Return the number of a port, given by name or number; None when it is none."""
    if word.isascii() and word.isdecimal():
        return int(word) if int(word) <= 65535 else None
    return (TCP if protocol == "tcp" else UDP).get(word)
