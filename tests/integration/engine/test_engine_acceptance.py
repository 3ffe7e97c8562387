"""A release passes a stage by the signed word of somebody the inventory names, who did not bring it there."""

import json
import subprocess

import pytest
from house import Fill, keygen, person

from dsi_automation.core.errors import GateClosedError, StoppedError, UsageError
from dsi_automation.core.events import Silent
from dsi_automation.core.text import T
from dsi_automation.engine.acceptance import DEPLOYED
from dsi_automation.engine.model import AcceptanceOrder, Verdict
from dsi_automation.inventory.model import PersonKey
from dsi_automation.inventory.source_model import Sources
from dsi_automation.journal.export import export
from dsi_automation.journal.findings import Fault
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.signatures import AllowedSigner
from dsi_automation.journal.signing import KeySource
from dsi_automation.journal.verify import verify_journal

RAN, HEAD, DIRECTOR = "m.kouadio", "y.traore", "a.bamba"
LINE = Sources.model_validate(
    {
        "title": "SYDAM World",
        "releases": {"kind": "archives", "folder": "/srv/releases"},
        "allowed_signers": "signers",
        "stages": [
            {"name": "test", "application": "t1", "acceptors": ["section_head"]},
            {"name": "production", "application": "t2", "acceptors": ["director"]},
        ],
    }
)
DATA = {"source": "sydam", "stage": "test", "release": "1.4.0", "sha256": "a" * 64, "signer": "bpda", "before": None}


class Deploys(Fill):
    """Notes a deployment as `data` has it, as an integration does once its connection test was conclusive."""

    def __init__(self):
        super().__init__()
        self.data = dict(DATA)

    def act(self, action, inputs, hands, observer):
        super().act(action, inputs, hands, observer)
        hands.permit.note(action.target, DEPLOYED, self.data)


@pytest.fixture
def line(house):
    house.fill = Deploys()
    house.options = {"sources": lambda: {"sydam": LINE}}
    return house


def deployed(line, name="a", **data):
    line.fill.data = {**DATA, **data}
    request_id = line.requested(files=(name,))
    line.engine(HEAD).approve(request_id, "Fine")
    return line.engine(RAN).run(request_id, Silent())


def word(run, verdict=Verdict.ACCEPTED, **more):
    said = {"source": "sydam", "release": "1.4.0", "sha256": "a" * 64, "stage": "test", "comment": "Vu", **more}
    return AcceptanceOrder(run=run.id if run else "RUN-20261121-0000", verdict=verdict, **said)


def test_a_word_binds_the_archive_the_stage_and_the_run(line):
    run = deployed(line)
    made = line.engine(HEAD).accept_release(word(run))
    (entry,) = line.journal.read(kinds=[Kind.ACCEPTANCE])
    assert (entry.subject, entry.actor, entry.signed.namespace) == (made.id, HEAD, "dsi-acceptance")
    signed = json.loads(entry.signed.document)
    assert {name: signed[name] for name in ("release", "sha256", "stage", "run", "verdict", "comment")} == {
        "release": "1.4.0", "sha256": "a" * 64, "stage": "test", "run": run.id, "verdict": "accepted", "comment": "Vu",
    }  # fmt: skip
    assert line.engine().acceptances("sydam") == [made]
    assert line.engine().acceptances("other") == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_who_ran_it_or_asked_for_it_never_judges_it(line, verdict):
    run = deployed(line)
    line.people[0] = person(RAN, "section_head", "100")
    with pytest.raises(GateClosedError) as caught:
        line.engine(RAN).accept_release(word(run, verdict))
    assert caught.value.detail["door"] == "same_person"


def test_another_spelling_of_the_person_who_ran_it_is_that_person(line):
    run = deployed(line)
    line.people.append(person("kouadio.marc", "section_head", "0100"))
    with pytest.raises(GateClosedError) as caught:
        line.engine("kouadio.marc").accept_release(word(run))
    assert caught.value.detail["door"] == "same_person"


def test_who_resumed_the_run_does_not_judge_it_either(line):
    line.fill.faults["t1/a"] = [StoppedError(T("Asked to stop."))]
    run = deployed(line)
    assert line.engine("k.brou").resume(run.id, Silent()).exit_code == 0
    line.people[1] = person("k.brou", "section_head", "101")
    with pytest.raises(GateClosedError) as caught:
        line.engine("k.brou").accept_release(word(run))
    assert caught.value.detail["door"] == "same_person"
    assert line.engine(HEAD).accept_release(word(run)).person == HEAD


@pytest.mark.parametrize(("who", "door"), [("k.brou", "role"), (DIRECTOR, "role"), ("nobody", "unknown_signer")])
def test_only_the_roles_of_the_stage_judge(line, who, door):
    run = deployed(line)
    with pytest.raises(GateClosedError) as caught:
        line.engine(who).accept_release(word(run))
    assert caught.value.detail["door"] == door
    assert line.journal.read(kinds=[Kind.ACCEPTANCE]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "b" * 64},
        {"release": "1.5.0"},
        {"stage": "production"},
        {"stage": "formation"},
        {"source": "gestion"},
        {"comment": "  "},
    ],
)
def test_what_the_record_does_not_show_there_is_not_accepted(line, wrong):
    run = deployed(line)
    with pytest.raises(UsageError):
        line.engine(HEAD).accept_release(word(run, **wrong))
    with pytest.raises(UsageError):
        line.engine(HEAD).accept_release(word(None))
    assert line.engine().acceptances() == []


def test_what_is_no_longer_in_use_there_can_be_rejected_but_not_accepted(line):
    run = deployed(line)
    deployed(line, "b", release="1.5.0", sha256="b" * 64)
    with pytest.raises(UsageError):
        line.engine(HEAD).accept_release(word(run))
    assert line.engine(HEAD).accept_release(word(run, Verdict.REJECTED)).order.verdict is Verdict.REJECTED


def test_a_run_that_did_not_end_well_is_not_accepted(line):
    line.fill.verify_lies = True
    run = deployed(line)
    assert run.exit_code == 6
    with pytest.raises(UsageError):
        line.engine(HEAD).accept_release(word(run))
    assert line.engine(HEAD).accept_release(word(run, Verdict.REJECTED)).person == HEAD


def test_ssh_keygen_and_the_journal_verify_an_acceptance(line):
    run = deployed(line)
    path = line.root / "traore"
    keygen(path)
    keys = (*line.people[2].keys, PersonKey(key=path.with_suffix(".pub").read_text()))
    line.people[2] = person(HEAD, "section_head", "200", keys=keys)
    key = KeySource(path)
    line.engine(key).accept_release(word(run))
    signers = [AllowedSigner(one.id, key.key) for one in line.people for key in one.keys]
    found = verify_journal(line.journal, line.state / "checkpoints.jsonl", signers)
    assert found.ok, found.problems
    folder = line.root / "export"
    export(line.journal, folder, line.state / "checkpoints.jsonl", signers, folder=True)
    done = subprocess.run(["sh", "check.sh"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:3]) == (0, "OK:")


def test_a_word_without_its_signature_is_noticed(line):
    run = deployed(line)
    line.engine(HEAD).accept_release(word(run))
    body = {"source": "sydam", "release": "1.4.0", "stage": "test", "verdict": "accepted"}
    with line.journal.transaction() as change:
        change.append(Draft(Kind.ACCEPTANCE, "ACC-20261121-0000", HEAD, body))
    found = verify_journal(line.journal, line.state / "checkpoints.jsonl")
    assert Fault.UNSIGNED in [problem.fault for problem in found.problems]
    with pytest.raises(GateClosedError):
        line.engine().acceptances()
