"""Secrets in configurations: where IOS and FRRouting print them, and their replacement."""

from __future__ import annotations

import re
from typing import Final

from dsi_automation.core.secrets import MASK

_TYPE: Final = r"(?:\d{1,2} +)?"
"""The kind of hash or cipher a secret is printed in: 0, 5, 7, 8, 9."""
_SNMP: Final = r"(?:version +(?:1|2c|3 +(?:auth|noauth|priv)) +)?"
_PLACES: Final = tuple(
    re.compile(rf"(?im)^(?P<before>[ \t]*(?:no +)?{before}){_TYPE.replace('(?:', '(?P<type>', 1)}(?P<secret>{secret})")
    for before, secret in (
        (r"enable +(?:secret|password) +(?:level +\d+ +)?", r".+$"),
        (r"username +\S+ .*?\b(?:secret|password) +", r"\S+"),
        (r"(?:password|secret) +(?!encryption)", r".+$"),
        (r"snmp-server +community +", r"\S+"),
        (rf"snmp-server +host +\S+ +(?:vrf +\S+ +)?(?:(?:traps|informs) +)?{_SNMP}", r"\S+"),
        (r"snmp-server +user +.*?\bauth +(?:md5|sha\S*) +", r"\S+"),
        (r"snmp-server +user +.*?\bpriv +(?:des|3des|aes(?: +\d+)?) +", r"\S+"),
        (r"(?:tacacs|radius)-server +key +", r".+$"),
        (r"(?:tacacs|radius)-server +host +.*?\bkey +", r"\S+"),
        (r"server-private +.*?\bkey +", r"\S+"),
        (r"server-key +", r".+$"),
        (r"client +\S+ +server-key +", r".+$"),
        (r"key +(?!chain\b|config-key\b|\d+ *$)", r"\S+"),
        (r"key +config-key +password-encrypt +", r".+$"),
        (r"key-string +", r".+$"),
        (r"crypto +isakmp +key +", r"\S+"),
        (r"pre-shared-key +(?:(?:local|remote) +)?(?:address +.*?\bkey +|hostname +\S+ +key +)?(?:hex +)?", r"\S+"),
        (r"neighbor +\S+ +password +", r".+$"),
        (r"mpls +ldp +(?:neighbor +\S+ +)?password +(?:\S+ +)*?", r"\S+$"),
        (r"ip +ospf +authentication-key +", r"\S+"),
        (r"(?:ip +ospf +)?message-digest-key +\d+ +md5 +", r"\S+"),
        (r"area +\S+ +(?:virtual|sham)-link +.*?\b(?:authentication-key|md5) +", r"\S+"),
        (r"ip +rip +authentication +string +", r"\S+"),
        (r"ip +nhrp +authentication +", r"\S+"),
        (r"isis +password +(?:clear +|md5 +)?", r"\S+"),
        (r"(?:area|domain)-password +(?:clear +|md5 +)?", r"\S+"),
        (r"(?:standby|vrrp|glbp) +(?:\d+ +)?authentication +(?:text +|md5 +key-string +)?(?!md5)", r"\S+"),
        (r"ntp +authentication-key +\d+ +\S+ +", r"\S+"),
        (r"ppp +chap +password +", r"\S+"),
        (r"ppp +pap +sent-username +\S+ +password +", r"\S+"),
        (r"(?:wpa-psk|authentication +key-management .*?psk) +(?:ascii|hex) +", r"\S+"),
        (r"ip +(?:ftp|http +client) +password +", r".+$"),
        (r"(?:l2tp +tunnel|vpdn +.*?) +password +", r"\S+"),
        (r"bind +authenticate +root-dn +.*?\bpassword +", r"\S+"),
        (r"rpki +.*?\bpassword +", r"\S+"),
        (r"match +address +prefix +.*?\bkey +", r"\S+"),
    )
)
_URL: Final = re.compile(r"(?P<before>\b[a-z]{3,6}://[^\s/:@]+:)(?P<secret>[^\s@/]+)(?=@)")


def masked(text: str) -> str:
    """Return a configuration as printed, with every secret in it replaced; again, it stays as it is."""
    for place in _PLACES:
        text = place.sub(lambda found: f"{found['before']}{found['type'] or ''}{MASK}", text)
    return _URL.sub(lambda found: found["before"] + MASK, text)
