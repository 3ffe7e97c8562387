"""Values on their way into distinguished names and filters: they stay data, whatever characters they hold."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

COMPUTER_NAME: Final = re.compile(r"(?=.*[A-Za-z-])[A-Za-z0-9]([A-Za-z0-9-]{0,13}[A-Za-z0-9])?")
"""A NetBIOS name that is a DNS label as well: at most 15 characters, not digits alone (Microsoft KB 909264)."""
_HEX_PAIR: Final = re.compile(r"[0-9A-Fa-f]{2}")
_KEYWORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*|(OID\.)?[0-9]+(\.[0-9]+)*", re.IGNORECASE)


def refuse_controls(value: str) -> str:
    """Return `value`, once it is sure to hold no control character and to be encodable.

    ldap3 escapes NUL wrongly, and a newline in a name deceives whoever reads it: no real name has any.

    Raises:
        UsageError: it holds one.
    """
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs"}:
            raise UsageError(
                T("A name for the directory holds the control character U+{code}.", code=f"{ord(character):04X}"),
                next_step=T("Type the name again, without invisible characters."),
                detail={"value": ascii(value[:80])},
            )
    return value


def computer_name(name: str) -> str:
    """Return `name`, once it is one that a workstation may have. Samba would accept others; Windows does not.

    Raises:
        UsageError: it is not.
    """
    if not COMPUTER_NAME.fullmatch(name):
        raise UsageError(
            T("{name} cannot be the name of a workstation.", name=ascii(name[:80])),
            meaning=T("A name has 1 to 15 letters, digits or hyphens, no hyphen at either end, and is not a number."),
            next_step=T("Correct the naming rule of the site in the inventory."),
        )
    return name


def filter_value(value: str) -> str:
    r"""Return `value` for use in a filter (RFC 4515 section 3): `\`, `*`, `(`, `)` and spaces at its ends as `\xx`.

    Spaces, because ldap3's parser strips a value. No other character, because ldap3 2.10.2rc4 sends escapes as they
    stand: ordinary names go through it unharmed, hostile ones find nobody.
    """
    start, end = len(value) - len(value.lstrip()), len(value.rstrip())
    return "".join(
        "".join(f"\\{octet:02x}" for octet in character.encode())
        if character in "\\*()" or not start <= at < end
        else character
        for at, character in enumerate(refuse_controls(value))
    )


def rdn_value(value: str) -> str:
    r"""Return `value` as the value of a relative distinguished name (RFC 4514 section 2.4)."""
    last = len(refuse_controls(value)) - 1
    return "".join(
        f"\\{character}" if character in ',+"\\<>;=#' or (character == " " and at in {0, last}) else character
        for at, character in enumerate(value)
    )


def base_dn(domain: str) -> str:
    """Return the naming context of a domain: `ad.douanes.example` gives `DC=ad,DC=douanes,DC=example`."""
    return ",".join(f"DC={rdn_value(label)}" for label in domain.strip(".").split("."))


def rdn(dn: str) -> str:
    """Return the first component of a DN, as written there: `CN=ABJ-PC-0001`."""
    return _components(dn)[0]


def parent(dn: str) -> str:
    """Return the DN of the container, as written there; empty for a single component."""
    return dn[len(rdn(dn)) :].lstrip(",")


def leaf(dn: str) -> str:
    """Return the value of the first component, unescaped: the object's name."""
    return _pair(rdn(dn), dn)[1]


def same_dn(one: str, other: str) -> bool:
    """Tell whether two DNs name the same place, whatever their case, spacing and style of escaping."""
    return key(one) == key(other)


def key(dn: str) -> tuple[tuple[str, str], ...]:
    """Return what two spellings of one DN have in common, for comparison.

    Raises:
        UsageError: this is not a DN.
    """
    pairs = (_pair(component, dn) for component in (_components(dn) if dn else ()))
    return tuple((keyword.lower(), value.casefold()) for keyword, value in pairs)


def dn_checked(dn: str) -> str:
    """Return `dn`, once it is sure to be one, without control characters.

    Raises:
        UsageError: it is not.
    """
    key(dn)
    return refuse_controls(dn)


def is_below(dn: str, top: str) -> bool:
    """Tell whether `dn` is `top` or somewhere below it."""
    wanted = key(top)
    return key(dn)[-len(wanted) :] == wanted


def within(dn: str, base: str) -> str:
    """Return `dn`, once it is sure to be one of the domain: Windows would answer with a referral, Samba with nothing.

    Raises:
        UsageError: it is not a DN, or one of another domain.
    """
    if not is_below(dn_checked(dn), base):
        raise UsageError(
            T("{dn} is not in the domain {base}.", dn=dn, base=base),
            next_step=T("Correct the organisational unit or the domain in the inventory."),
        )
    return dn


def _components(dn: str) -> list[str]:
    """Return the components as written; only an unescaped comma separates (AD writes no quotes, no semicolons)."""
    parts, current, escaped = [], "", False
    for character in dn:
        if character == "," and not escaped:
            parts.append(current)
            current = ""
            continue
        current += character
        escaped = character == "\\" and not escaped
    return [*parts, current]


def _pair(component: str, dn: str) -> tuple[str, str]:
    keyword, equals, raw = component.partition("=")
    if not equals or not raw.strip(" ") or not _KEYWORD.fullmatch(keyword.strip(" ")):
        raise UsageError(
            T("{dn} is not a distinguished name.", dn=ascii(dn[:200])),
            next_step=T("Write it as the directory does, for instance OU=Postes,OU=ABJ,DC=douanes,DC=example."),
        )
    return keyword.strip(" "), _unescaped(raw)


def _unescaped(raw: str) -> str:
    """Return the value behind RFC 4514's escapes: a hex pair is one octet of UTF-8, any other pair is itself."""
    raw = raw.lstrip(" ")
    octets, kept, at = bytearray(), 0, 0
    while at < len(raw):
        if raw[at] == "\\" and _HEX_PAIR.match(raw, at + 1):
            octets.append(int(raw[at + 1 : at + 3], 16))
            at, kept = at + 3, len(octets)
            continue
        if raw[at] == "\\" and at + 1 < len(raw):
            at += 1
            kept = len(octets) + len(raw[at].encode("utf-8", "surrogatepass"))
        octets += raw[at].encode("utf-8", "surrogatepass")
        at += 1
    # Spaces at the end that nobody escaped are not part of the value.
    value = bytes(octets[:kept]) + bytes(octets[kept:]).rstrip(b" ")
    return value.decode("utf-8", "replace")
