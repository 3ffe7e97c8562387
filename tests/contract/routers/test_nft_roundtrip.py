"""Whatever filter there is: nft takes what we make of it, and says it back in the same lines."""

import ipaddress
import subprocess

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsi_automation.connectors.routers.nftables import read, script

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@st.composite
def networks(draw, low=8):
    length = draw(st.integers(low, 32))
    number = draw(st.integers(0, (1 << length) - 1)) << (32 - length)
    return str(ipaddress.IPv4Network((number, length)))


@st.composite
def services(draw):
    first = draw(st.integers(1, 65535))
    last = draw(st.integers(first, min(65535, first + draw(st.sampled_from([0, 0, 1, 7, 500])))))
    return f"{draw(st.sampled_from(['tcp', 'udp']))}/{first}" + ("" if first == last else f"-{last}")


@st.composite
def filters(draw):
    """Draw a filter in its canonical order, whose rules overlap nowhere: each has a source of its own."""
    sources = draw(st.lists(st.integers(0, 255), max_size=6, unique=True))
    rules = []
    for number in sources:
        name = "".join(draw(st.lists(st.sampled_from(LETTERS), min_size=6, max_size=6)))
        length = draw(st.integers(24, 32))
        to = draw(st.one_of(st.just("internet"), networks()))
        end = draw(st.sampled_from(["", " until 2031-02-28T23:59:59Z", " until 2099-12-31T00:00:00Z"]))
        rules.append(f"rule ac-{name} 10.{number}.8.0/{length} {to} {draw(services())}{end}")
    denials = draw(st.lists(st.tuples(st.one_of(st.just("any"), networks()), services()), max_size=4, unique=True))
    return (
        *(["inside lan0"] if draw(st.booleans()) else []),
        *(f"lan {one}" for one in draw(st.lists(networks(), max_size=1))),
        *(f"management {one}" for one in draw(st.lists(networks(16), max_size=1))),
        *(f"internal {one}" for one in draw(st.lists(networks(), max_size=1))),
        *sorted(f"deny {to} {service}" for to, service in denials),
        *sorted(set(rules)),
    )


def _through_nft(text):
    """Load a filter in a network of its own, and return what nft says of it."""
    command = ["unshare", "--net", "sh", "-c", "nft -f - && nft -j list table inet dsi"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    return done.stdout


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(filters())
def test_lines_are_read_back_as_they_were_written(lines):
    # The end of an access is a time-out: the helper adds it, from the comment.
    text = "\n".join(
        line.replace(" comment ", " timeout 1h comment ") if "T" in line and "comment" in line else line
        for line in script(lines).text.splitlines()
    )
    assert read(_through_nft(f"{text}\n")) == lines
