"""Routers are named as hosts are everywhere: names, groups, patterns of Ansible; nothing but routers is taken."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from dsi_automation.cli.router_names import named
from dsi_automation.core.errors import UsageError
from dsi_automation.inventory.load import Inventory

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "example"


@pytest.fixture(scope="module")
def session():
    return SimpleNamespace(toolkit=SimpleNamespace(inventory=Inventory(EXAMPLE, {})))


def found(session, *words):
    return named(session, session.toolkit.inventory.network, words)


def test_names_are_taken_in_the_order_they_were_typed_each_once(session):
    first, second, *_ = session.toolkit.inventory.network.routers
    assert found(session, second, first, second) == (second, first)


def test_a_group_and_a_pattern_are_the_routers_they_choose(session):
    routers = tuple(session.toolkit.inventory.network.routers)
    assert found(session, "routers") == routers
    assert found(session, "rtr-*") == routers
    assert found(session, "all") == routers
    assert found(session, f"routers:!{routers[0]}") == routers[1:]
    assert found(session, routers[-1], "routers") == (routers[-1], *routers[:-1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rtr-nowhere",), "rtr-nowhere"),
        (("workstations",), "workstations"),
        (("nothing-*",), "nothing-*"),
        (("routers", "rtr-nowhere"), "rtr-nowhere"),
    ],
)
def test_what_chooses_no_router_is_refused_with_what_was_typed(session, words, said):
    with pytest.raises(UsageError) as refused:
        found(session, *words)
    assert said in str(refused.value.what)
    assert refused.value.next_step is not None
