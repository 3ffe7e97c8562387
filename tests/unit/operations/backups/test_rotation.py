"""Media take fair turns; none is written that is kept, away, or the last to hold what was proven."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vault import START, stored

from dsi_automation.connectors.backups.port import Copied
from dsi_automation.connectors.media.port import MediumFacts
from dsi_automation.engine.model import MediumState
from dsi_automation.inventory.backup_model import MediaSettings
from dsi_automation.operations.backups import records, rotation
from dsi_automation.operations.backups.catalogue import CLEARED, COPY, FORGOTTEN, PROOF, SET, Noted, read

DAY = timedelta(days=1)
IN = MediumFacts(present=True, writable=True, free=1 << 40, total=1 << 40)
AWAY = sorted(set(MediumState) - {MediumState.ON_SITE})


def media_of(count, kind="disk", **rotation_):
    names = [f"m{number}" for number in range(count)]
    about = {"tape": {"serial": "S", "device": "/dev/nst0"}}.get(kind, {"uuid": "U"})
    described = {name: {"kind": kind, "title": name.upper(), **about} for name in names}
    turn = {"title": "Externe", "media": names, "password": {"env": "SECRET"}, **rotation_}
    return MediaSettings.model_validate({"media": described, "rotations": {"externe": turn}})


class Record:
    """The notes of runs, in their order."""

    def __init__(self):
        self.notes, self.sets = [], []

    def put(self, name, at, **data):
        self.notes.append(Noted("RUN-1", "srv1", name, at, data))

    def made(self, at):
        one = stored(len(self.sets))
        self.sets.append(one.id)
        self.put(SET, at, set=records.set_to_json(one))
        return one.id

    def proven(self, name, at, *, ok=True):
        self.put(
            PROOF, at, set=name, level=3, depth="full", ok=ok, failed=[], restored_files=1, restored_bytes=1, phases={}
        )

    def copied(self, name, medium, at, *, ok=True):
        told = records.copied_to_json(Copied("s", 1, 2))
        self.put(COPY, at, set=name, medium=medium, ok=ok, failed=[], copied=told)

    def forgotten(self, name, at):
        self.put(FORGOTTEN, at, sets=[name], freed=1)

    def on(self, medium, at):
        """Make a set, prove it and carry it to a medium."""
        name = self.made(at)
        self.proven(name, at)
        self.copied(name, medium, at)
        return name

    @property
    def catalogue(self):
        return read(self.notes)


@st.composite
def worlds(draw):
    """Return media, where each is, a record of sets on them, and now."""
    kind = draw(st.sampled_from(["disk", "tape"]))
    keep, copies = draw(st.integers(1, 20)), draw(st.integers(1, 3))
    media = media_of(draw(st.integers(1, 4)), kind, keep=f"{keep}d", copies=copies)
    names = sorted(media.media)
    places = draw(st.dictionaries(st.sampled_from(names), st.sampled_from([str(state) for state in MediumState])))
    record, at = Record(), START
    for _ in range(draw(st.integers(0, 12))):
        at += timedelta(hours=draw(st.integers(0, 72)))
        deed = draw(st.sampled_from(["made", "proven", "broken", "copied", "copied", "copied", "unread", "forgotten"]))
        if deed == "made" or not record.sets:
            record.proven(record.made(at), at)
            continue
        name = draw(st.sampled_from(record.sets))
        if deed == "forgotten":
            record.forgotten(name, at)
        elif deed in {"copied", "unread"}:
            record.copied(name, draw(st.sampled_from(names)), at, ok=deed == "copied")
        else:
            record.proven(name, at, ok=deed == "proven")
    return media, places, record.catalogue, at + timedelta(hours=draw(st.integers(0, 24 * 40)))


def proven_elsewhere(catalogue, name, medium):
    """Tell, in other words than the code's, whether the proof of a set does not hang on one medium."""
    good = {one.id for one in catalogue.verified("srv1")}
    return name in good or any(name in held for other, held in catalogue.on_medium.items() if other != medium)


@given(worlds())
def test_what_is_chosen_is_on_site_and_has_room_without_touching_what_must_stay(world):
    media, places, catalogue, now = world
    turn = media.rotations["externe"]
    chosen = rotation.due_next(turn, media, places, catalogue, now)
    if chosen is None:
        return
    assert places.get(chosen, MediumState.ON_SITE) == MediumState.ON_SITE
    kind, held = media.media[chosen].kind, catalogue.on_medium.get(chosen, ())
    going = rotation.to_clear(chosen, kind, turn, catalogue, now, "SET-NEW")
    assert len(held) < turn.copies or going
    for name in going:
        assert rotation.last_copy(chosen, name, catalogue).at + turn.keep <= now


@given(worlds())
def test_after_what_may_go_went_a_proven_set_is_left_wherever_there_was_one(world):
    media, _, catalogue, now = world
    turn = media.rotations["externe"]
    for medium in turn.media:
        held = catalogue.on_medium.get(medium, ())
        going = rotation.may_go(medium, media.media[medium].kind, turn, catalogue, now)
        order = list(catalogue.sets)
        for name in going:
            newer = order[order.index(name) :]
            assert any(proven_elsewhere(catalogue, one, medium) for one in newer)
        assert media.media[medium].kind != "tape" or going in ((), held)


@given(worlds(), st.sampled_from(AWAY))
def test_a_medium_that_is_not_on_site_by_the_record_is_never_chosen_though_it_is_in(world, state):
    media, places, catalogue, now = world
    turn = media.rotations["externe"]
    places = {**places, "m0": str(state)}
    seen = dict.fromkeys(turn.media, IN)
    assert rotation.due_next(turn, media, places, catalogue, now) != "m0"
    assert rotation.choose(turn, "m0", media, places, catalogue, seen, now).problem is not None
    assert rotation.choose(turn, None, media, places, catalogue, seen, now).medium != "m0"


@given(st.integers(1, 5), st.integers(1, 25))
def test_turns_are_fair_each_medium_is_written_once_before_any_is_written_again(count, rounds):
    media, record, now = media_of(count, keep="1d", copies=1), Record(), START
    turn, written = media.rotations["externe"], []
    for _ in range(rounds):
        now += 2 * DAY
        name = record.made(now)
        record.proven(name, now)
        chosen = rotation.due_next(turn, media, {}, record.catalogue, now)
        gone = rotation.to_clear(chosen, "disk", turn, record.catalogue, now, name)
        if gone:
            record.put(CLEARED, now, medium=chosen, sets=list(gone))
        record.copied(name, chosen, now)
        written.append(chosen)
    assert written == [turn.media[number % count] for number in range(rounds)]


def test_a_medium_within_its_keep_is_not_written_over_and_is_from_that_moment_on():
    media, record = media_of(1, keep="28d", copies=1), Record()
    turn = media.rotations["externe"]
    record.on("m0", START)
    record.proven(record.made(START + DAY), START + DAY)

    def due(at):
        return rotation.due_next(turn, media, {}, record.catalogue, at)

    assert rotation.kept_until("m0", turn, record.catalogue) == START + 28 * DAY
    assert due(START + 28 * DAY - timedelta(seconds=1)) is None
    assert due(START + 28 * DAY) == "m0"


def test_a_disk_with_room_left_takes_one_more_and_a_tape_within_its_keep_too():
    for kind in ("disk", "tape"):
        media, record = media_of(1, kind, keep="28d", copies=2), Record()
        first = record.on("m0", START)
        turn = media.rotations["externe"]
        assert rotation.due_next(turn, media, {}, record.catalogue, START) == "m0"
        assert rotation.to_clear("m0", kind, turn, record.catalogue, START + 99 * DAY, "SET-NEW") == ()
        assert record.catalogue.on_medium["m0"] == (first,)


def test_the_holder_of_the_only_proven_copy_is_refused_until_a_newer_set_is_proven():
    media, record, late = media_of(1, keep="1d", copies=1), Record(), START + 90 * DAY
    turn = media.rotations["externe"]
    only = record.on("m0", START)
    record.forgotten(only, START)
    assert rotation.only_proven("m0", record.catalogue) == (only,)
    refused = rotation.refusal("m0", media, {}, record.catalogue, late)
    assert refused is not None
    assert only in str(refused[0])
    assert rotation.may_return(turn, {"m0": "vault"}, record.catalogue, late) == ()
    newer = record.made(late)
    assert rotation.refusal("m0", media, {}, record.catalogue, late) is not None
    record.proven(newer, late)
    assert rotation.refusal("m0", media, {}, record.catalogue, late) is None
    assert rotation.may_return(turn, {"m0": "vault"}, record.catalogue, late) == ("m0",)


def test_a_set_whose_last_proof_failed_makes_the_copy_of_it_the_only_one():
    record = Record()
    name = record.on("m0", START)
    assert rotation.only_proven("m0", record.catalogue) == ()
    record.proven(name, START + DAY, ok=False)
    assert rotation.only_proven("m0", record.catalogue) == (name,)
    record.copied(name, "m1", START + DAY)
    assert rotation.only_proven("m0", record.catalogue) == ()


@pytest.mark.parametrize("state", AWAY)
def test_only_what_is_in_the_vault_may_come_back_and_what_is_due_first_stands_in_front(state):
    media, record = media_of(3, keep="7d"), Record()
    turn = media.rotations["externe"]
    for number, name in enumerate(("m1", "m0", "m2")):
        record.on(name, START + number * DAY)
    places = dict.fromkeys(("m0", "m1", "m2"), str(state))
    back = ("m1", "m0") if state == MediumState.VAULT else ()
    assert rotation.may_return(turn, places, record.catalogue, START + 8 * DAY) == back


def test_where_no_medium_may_be_written_it_is_told_which_is_free_first_and_when():
    media = media_of(2, keep="7d", copies=1)
    turn, record = media.rotations["externe"], Record()
    assert rotation.frees_first(turn, media, {}, record.catalogue, START) is None
    record.on("m0", START)
    assert rotation.frees_first(turn, media, {}, record.catalogue, START) is None
    record.on("m1", START + DAY)
    now = START + 2 * DAY
    assert rotation.frees_first(turn, media, {}, record.catalogue, now) == ("m0", START + 7 * DAY)
    vaulted = {"m0": str(MediumState.COURIER), "m1": str(MediumState.VAULT)}
    assert rotation.frees_first(turn, media, vaulted, record.catalogue, now) == ("m1", START + 8 * DAY)
    seen = dict.fromkeys(media.media, MediumFacts(present=False, writable=False, free=0, total=0))
    choice = rotation.choose(turn, None, media, vaulted, record.catalogue, seen, now)
    assert f"{START + 8 * DAY:%Y-%m-%d}" in choice.next_step.render("en")
    assert rotation.frees_first(turn, media, {}, record.catalogue, START + 7 * DAY) is None
