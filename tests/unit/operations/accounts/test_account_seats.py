"""Seats are shared out before the first write, in the order of the staff numbers, never one too many."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.m365.port import Sku
from dsi_automation.operations.accounts.seats import excludes, share_out


def sku(part: str, *plans: str, **more: Any) -> Sku:
    values: dict[str, Any] = {"enabled": True, "total": 10, "used": 0}
    return Sku(part, part, service_plans=plans, **{**values, **more})


@given(st.dictionaries(st.text("0123456789", min_size=4, max_size=6), st.booleans()), st.integers(0, 9), st.randoms())
def test_no_more_seats_are_given_than_are_free_and_the_order_asked_changes_nothing(
    wanted: dict[str, bool], used: int, order: Any
) -> None:
    skus = {True: sku("A", used=used), False: sku("B", total=3, enabled=used > 4)}
    asked = {target: skus[which] for target, which in wanted.items()}
    shared = share_out(asked)
    shuffled = list(asked.items())
    order.shuffle(shuffled)
    assert share_out(dict(shuffled)) == shared
    assert set(shared.granted) | set(shared.short) == set(asked)
    for one in skus.values():
        mine = sorted(target for target, its in asked.items() if its is one)
        given_ = [target for target in mine if target in shared.granted]
        assert given_ == mine[: one.free]
        assert all(shared.short[target] == len(mine) - one.free for target in mine[one.free :])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (["EXCHANGE_S_STANDARD"], ["EXCHANGE_S_ENTERPRISE"], True),
        (["EXCHANGE_S_DESKLESS"], ["EXCHANGE_S_STANDARD"], True),
        (["EXCHANGE_S_STANDARD"], ["EXCHANGE_S_STANDARD", "TEAMS1"], False),
        (["EXCHANGE_S_STANDARD"], ["EXCHANGE_S_FOUNDATION"], False),
        (["EXCHANGE_S_STANDARD"], ["EXCHANGE_S_ARCHIVE_ADDON"], False),
        (["EXCHANGE_S_STANDARD"], ["TEAMS1"], False),
    ],
)
def test_two_kinds_of_mailbox_exclude_each_other(one: list[str], other: list[str], expected: bool) -> None:
    assert excludes(sku("A", *one), sku("B", *other)) is expected
