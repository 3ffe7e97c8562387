"""Differences between configurations are told without the secrets in them."""

from dsi_automation.connectors.routers.config import Config
from dsi_automation.operations.network.comparing import compare


def test_another_secret_is_another_line_and_neither_is_told():
    one = Config({"": ("password first",), "interface wan0": ("ip ospf message-digest-key 1 md5 first", "shutdown")})
    other = Config({"": ("password second",), "interface wan0": ("ip ospf message-digest-key 1 md5 second",)})
    found = compare(one, other)
    assert len(found.missing) == 3
    assert len(found.unexpected) == 2
    assert "interface wan0: shutdown" in found.missing
    assert not {"first", "second"} & set(" ".join(found.lines()).split())
    assert not compare(one, one)
