"""`dsi sources` tells which release is where and who answers for it, looks at the servers when asked, and signs."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.releases.port import Release, Script
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.text import T
from dsi_automation.engine.model import Acceptance, Decision, Verdict
from dsi_automation.inventory.source_model import Sources
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.record import read
from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.registry import operations

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHA = "a" * 64
LINE = Sources.model_validate(
    {
        "title": "SYDAM World",
        "releases": {"kind": "archives", "folder": "/srv/versions"},
        "allowed_signers": "signataires",
        "stages": [
            {"name": "test", "application": "sydam-test", "acceptors": ["section_head"]},
            {"name": "production", "application": "sydam", "acceptors": ["director"]},
        ],
    }
)
RELEASE = Release(
    "1.5.0", "Circuits", Path("/srv/versions/sydam-world-1.5.0.tar.gz"), SHA, "bpda", "sydam-world-1.5.0.tar.gz",
    (Script("sql/010.sql", "b" * 64, "sql/010.undo.sql", "c" * 64), Script("sql/020.sql", "d" * 64, None, None)),
)  # fmt: skip


class Kit:
    """As much of a toolkit as the commands ask for; its record is what a test notes."""

    def __init__(self, engine):
        self.engine, self.operations, self.language, self.journal_exists = engine, operations(), "fr", True
        self.lines = {"sydam-world": LINE}
        self.inventory = SimpleNamespace(sources=self.lines)
        self.clock = SimpleNamespace(now=lambda: NOW)
        self.equipment = SimpleNamespace(look=lambda: self)
        server = SimpleNamespace(servers=(SimpleNamespace(name="app1"),))
        self.applications = {"sydam": server, "sydam-test": server}
        self.workers, self.deadline = 2, 30.0
        self.notes, self.words, self.links, self.asked = [], {}, {"sydam": "1.4.0", "sydam-test": "1.5.0"}, []
        self.known = ("1.4.0", "1.5.0")
        engine.accept_release = self.accept
        engine.acceptances = lambda source=None: list(self.words.values())

    def application_record(self):
        return read(self.notes)

    def acceptances(self, source):
        return self.words

    def releases(self, source):
        def release(name):
            if name != "1.5.0":
                raise ReleaseError(T("There is no release {name}.", name=name))
            return RELEASE

        def names():
            if isinstance(self.known, Exception):
                raise self.known
            return self.known

        return SimpleNamespace(names=names, release=release)

    @contextmanager
    def server(self, application, server):
        link = self.links[application]
        if isinstance(link, Exception):
            raise link
        yield SimpleNamespace(look=lambda: SimpleNamespace(release=link))

    def deployed(self, target, stage, release="1.5.0", run="RUN-1"):
        data = {"source": "sydam-world", "stage": stage, "release": release, "sha256": SHA, "signer": "bpda"}
        steps = [{"name": "page", "seconds": 0.2, "problem": None}]
        test = {"tests": [{"server": "app1", "steps": steps}], "conclusive": True, "at": iso(NOW)}
        self.notes.append(Noted(run, target, notes.TESTED, NOW, test))
        self.notes.append(Noted(run, target, notes.DEPLOYED, NOW, {**data, "before": "1.4.0"}))

    def accept(self, order):
        self.asked.append(order)
        made = Acceptance("ACC-1", order, "y.traore", NOW)
        self.words[order.release, order.stage] = made
        return made


@pytest.fixture
def kit(engine, make):
    made = Kit(engine)
    decision = Decision("a.bamba", "approve", "Vu", NOW)
    engine.kept = [make.request(id="REQ-1", decisions=(decision,))]
    engine.runs_kept = [make.run(id="RUN-1", request_id="REQ-1", person="m.kouadio")]
    engine.runs = lambda: engine.runs_kept
    return made


@pytest.fixture
def sources(dsi, kit):
    return lambda *words: dsi("sources", *words, toolkit=kit)


def test_the_list_has_stages_releases_and_what_does_not_answer(sources, kit):
    answer = sources("list", "--json")
    (line,) = answer.json["sources"]
    assert (answer.code, line["releases"]) == (0, ["1.4.0", "1.5.0"])
    assert [stage["name"] for stage in line["stages"]] == ["test", "production"]
    assert "1.4.0, 1.5.0" in sources("list").out
    kit.known = UnreachableError(T("No answer."))
    assert sources("list").code == 3


def test_the_status_says_since_when_by_whom_under_which_approval_and_how_tested(sources, kit):
    kit.deployed("sydam-test", "test")
    test, production = sources("status", "--json").json["stages"]
    assert (test["release"], test["person"], test["request"]) == ("1.5.0", "m.kouadio", "REQ-1")
    assert [item["person"] for item in test["approvals"]] == ["a.bamba"]
    assert (test["tested"]["conclusive"], test["signer"], test["accepted"]) == (True, "bpda", None)
    assert (production["release"], production["servers"]) == (None, None)
    shown = sources("status").out
    for words in ("1.5.0", "m.kouadio", "REQ-1", "a.bamba", "pas encore"):
        assert words in shown


def test_the_status_tells_unfinished_runs_and_releases_that_went_back(sources, kit):
    begun = {"source": "sydam-world", "release": "1.5.0", "before": {"app1": "1.4.0"}, "scripts": []}
    later = NOW + timedelta(minutes=1)
    kit.notes += [
        Noted("RUN-1", "sydam-test", notes.RELEASE_BEGUN, NOW, begun),
        Noted("RUN-1", "sydam-test", notes.ROLLED_BACK, later, {"release": "1.5.0", "by_hand": []}),
        Noted("RUN-2", "sydam", notes.RELEASE_BEGUN, NOW, begun),
        Noted("RUN-2", "sydam", notes.SWITCHED, later, {"server": "app1", "before": "1.4.0", "after": "1.5.0"}),
    ]
    test, production = sources("status", "--json").json["stages"]
    assert (test["went_back"], test["unfinished"]) == ("1.5.0", None)
    assert production["unfinished"] == "RUN-2"
    assert "dsi resume RUN-2" in sources("status").out


def test_a_server_that_uses_another_release_than_the_record_says_is_exit_code_5(sources, kit):
    kit.deployed("sydam-test", "test")
    kit.deployed("sydam", "production", run="RUN-2")
    answer = sources("status", "--check", "--json")
    assert answer.code == 5
    found = {one["stage"]: one["servers"][0] for one in answer.json["stages"]}
    assert (found["test"]["ok"], found["production"]["ok"], found["production"]["found"]) == (True, False, "1.4.0")
    kit.links["sydam"] = "1.5.0"
    assert sources("status", "--check").code == 0
    kit.links["sydam"] = UnreachableError(T("No answer."))
    assert sources("status", "--check").code == 3


def test_a_release_is_shown_with_signer_digest_scripts_and_where_it_is(sources, kit):
    kit.deployed("sydam-test", "test")
    shown = sources("show", "1.5.0")
    for words in ("bpda", SHA, "sql/010.undo.sql", "rien ne l’annule", "sydam-test", "RUN-1"):
        assert words in shown.out
    view = sources("show", "1.5.0", "--json").json
    assert [script["undo"] for script in view["scripts"]] == ["sql/010.undo.sql", None]
    assert [stage["stage"] for stage in view["stages"]] == ["test"]
    assert sources("show", "9.9.9").code == 1


@pytest.mark.parametrize(("word", "verdict"), [("accept", Verdict.ACCEPTED), ("reject", Verdict.REJECTED)])
def test_a_word_is_signed_about_the_archive_that_the_record_shows_there(sources, kit, word, verdict):
    kit.deployed("sydam-test", "test")
    answer = sources(word, "1.5.0", "test", "--comment", "Recette faite", "--json")
    assert (answer.code, answer.json["person"], answer.json["verdict"]) == (0, "y.traore", str(verdict))
    (order,) = kit.asked
    assert (order.source, order.sha256, order.run, order.comment) == ("sydam-world", SHA, "RUN-1", "Recette faite")


def test_what_the_record_does_not_show_there_is_not_signed(sources, kit):
    kit.deployed("sydam-test", "test")
    assert sources("accept", "1.5.0", "production", "--comment", "x").code == 5
    assert sources("accept", "1.4.0", "test", "--comment", "x").code == 5
    assert sources("accept", "1.5.0", "recette", "--comment", "x").code == 2
    assert sources("accept", "1.5.0", "test", "--comment", " ").code == 2
    assert kit.asked == []


def test_a_line_is_named_where_there_are_several(sources, kit):
    kit.lines["autre"] = LINE
    assert "--source" in sources("show", "1.5.0").err
    assert sources("show", "1.5.0", "--source", "sydam-world").code == 0
    assert sources("show", "1.5.0", "--source", "none").code == 2
    kit.lines.clear()
    assert sources("list").code == 2
