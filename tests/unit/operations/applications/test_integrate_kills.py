"""Killed anywhere, a resumed integration ends with the new release in use, or the former one: never half of each."""

import pytest
from sourcehouse import SourceOffice

from dsi_automation.core.errors import DsiError

FORWARD = (
    "after note release.begun",
    "after put_release app1",
    "after note release.put",
    "after stop app2",
    "after stop app1",
    "after note application.down",
    "before commit",
    "after commit",
    "after note release.script",
    "action.done sydam/script.001",
    "before use_release app1",
    "after use_release app1",
    "after note release.switched",
    "after use_release app2",
    "after empty_caches app1",
    "after start app1",
    "after start app2",
    "after note application.tested",
    "before note release.deployed",
    "after note release.deployed",
    "before drop_releases app2",
    "action.done sydam/test",
    "before announce back",
    "after announce back",
)
BACK = (
    "before note release.rolling_back",
    "after note release.rolling_back",
    "after back stop app2",
    "after back stop app1",
    "after back use_release app1",
    "after back use_release app2",
    "after back commit",
    "after back note release.script",
    "after back empty_caches app1",
    "before back start app1",
    "after back start app1",
    "after back start app2",
    "before back note application.tested",
    "before note release.rolled_back",
    "after note release.rolled_back",
    "before announce back",
    "after announce back",
)


class Turning(SourceOffice):
    """Names what is done on the way back apart: `after back stop app2`."""

    def point(self, name):
        if "after note release.rolling_back" in self.points:
            when, _, rest = name.partition(" ")
            super().point(f"{when} back {rest}")
        super().point(name)


@pytest.fixture
def office(tmp_path):
    made = Turning(tmp_path)
    yield made
    made.house.journal.close()


def killed(office, point):
    request = office.approved()
    office.kill_at = point
    with pytest.raises(DsiError):
        office.run(request)
    assert office.killed == [point]
    office.clock.forward(minutes=2)
    return office.resume()


@pytest.mark.parametrize("point", FORWARD)
def test_killed_on_its_way_it_ends_with_the_new_release_once_tested_and_told(office, point):
    run = killed(office, point)
    assert run.exit_code == 0, run.errors
    assert office.links() == {"1.5.0"}
    assert all(server.running and server.switches == ["1.5.0"] for server in office.servers.values())
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}
    assert office.database.scripts() == ["sql/010.sql", "sql/020.sql"]
    assert office.database.all("SELECT count(*) FROM circuit") == [(2,)]
    assert [one.release for one in office.record().deployed] == ["1.5.0"]
    assert office.noted("tested")[-1]["conclusive"]
    assert office.told() == ["before", "back"]
    assert office.released("rolling_back") == []
    (interruption,) = office.record().interruptions
    assert interruption.ended_at is not None


@pytest.mark.parametrize("point", BACK)
def test_killed_on_its_way_back_it_ends_with_the_former_release_whatever_the_new_one_would_do_now(office, point):
    request = office.approved()
    office.servers["app2"].broken = {"1.5.0"}
    office.kill_at = point
    with pytest.raises(DsiError):
        office.run(request)
    assert office.killed == [point]
    if point != "before note release.rolling_back":
        # From the note on it never goes forward again, even where that would work.
        office.servers["app2"].broken = set()
    office.clock.forward(minutes=2)
    run = office.resume()
    assert run.exit_code == 6, run.errors
    assert office.links() == {"1.4.0"}
    assert all(server.running and server.switches == ["1.5.0", "1.4.0"] for server in office.servers.values())
    assert (office.database.scripts(), "circuit" in office.database.tables()) == ([], False)
    assert office.record().deployed == ()
    (done,) = office.released("rolled_back")
    assert (done["scripts"], done["by_hand"]) == (["sql/020.sql", "sql/010.sql"], [])
    assert office.noted("tested")[-1]["conclusive"]
    assert office.told() == ["before", "back"]
    assert office.record().open_interruption("sydam") is None
