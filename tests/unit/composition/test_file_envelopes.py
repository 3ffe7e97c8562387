"""Envelopes on disk: sealed, opened once, nobody else's, and nothing of a password in clear."""

import fcntl
import json
import multiprocessing
import resource
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.composition.envelopes import FileEnvelopes, TamperedEnvelopeError
from dsi_automation.core.errors import StorageError
from dsi_automation.core.secrets import Secret
from dsi_automation.operations.envelopes import Envelope

NOW = datetime(2026, 11, 21, 19, 30, tzinfo=UTC)
PASSWORD = "Tres-secret-7Kp!é"


class Clock:
    def now(self):
        return NOW

    def monotonic(self):
        return 0.0

    def sleep(self, seconds):
        raise AssertionError(seconds)


def at(folder: Path) -> FileEnvelopes:
    return FileEnvelopes(folder / "envelopes", folder / "keys/envelopes.key", Clock())


@pytest.fixture
def kept(tmp_path):
    return at(tmp_path)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "envelopes").glob("*.json"))


def test_what_is_sealed_is_found_again_and_opened_once(tmp_path, kept):
    assert (kept.find("100001A"), kept.peek("100001A"), kept.open("100001A")) == (None, None, None)
    assert kept.prepare("100001A") == Envelope("100001A", sealed=False)
    assert kept.seal("100001A", Secret(PASSWORD)) == Secret(PASSWORD)
    assert at(tmp_path).peek("100001A") == Secret(PASSWORD)
    kept.delivered("100001A")
    assert kept.find("100001A") == Envelope("100001A", sealed=True, delivered_at=NOW)
    assert at(tmp_path).open("100001A") == Secret(PASSWORD)
    assert kept.find("100001A") == Envelope("100001A", sealed=False, delivered_at=NOW, opened_at=NOW)
    assert (kept.peek("100001A"), kept.open("100001A")) == (None, None)


def test_an_envelope_is_opened_for_the_very_password_that_was_looked_at(kept):
    kept.seal("100001A", Secret(PASSWORD))
    assert kept.open("100001A", only=Secret("another-one")) is None
    assert kept.peek("100001A") == Secret(PASSWORD)
    assert kept.open("100001A", only=Secret(PASSWORD)) == Secret(PASSWORD)


def test_a_second_password_is_not_sealed_over_the_first(kept):
    kept.seal("100001A", Secret(PASSWORD))
    assert kept.seal("100001A", Secret("another-one")) == Secret(PASSWORD)
    kept.discard_password("100001A")
    assert kept.find("100001A").sealed is False
    assert kept.seal("100001A", Secret("another-one")) == Secret("another-one")


def test_preparing_again_loses_no_password_that_nobody_was_given(kept):
    kept.seal("100001A", Secret(PASSWORD))
    kept.delivered("100001A")
    assert kept.prepare("100001A") == Envelope("100001A", sealed=True)
    kept.open("100001A")
    kept.delivered("100001A")
    assert kept.prepare("100001A") == Envelope("100001A", sealed=False)


def test_no_password_lies_on_the_disk_in_clear_in_any_form(tmp_path, kept):
    import base64

    kept.seal("100001A", Secret(PASSWORD))
    plain, wide = PASSWORD.encode(), PASSWORD.encode("utf-16-le")
    forms = (plain, wide, base64.b64encode(plain), base64.b64encode(wide), plain.hex().encode(), plain[::-1])
    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(found) > 100
    assert not any(form in found for form in forms)


def test_an_opened_envelope_keeps_its_record_and_not_its_ciphertext(tmp_path, kept):
    import base64

    kept.seal("100001A", Secret(PASSWORD))
    (path,) = files(tmp_path)
    before = json.loads(path.read_text())
    kept.open("100001A")
    after = json.loads(path.read_text())
    assert before["box"] not in path.read_text()
    assert len(base64.b64decode(after["box"])) == 16  # the tag of AES-GCM alone
    assert after["opened_at"] == "2026-11-21T19:30:00.000Z"
    assert [item.name for item in (tmp_path / "envelopes").iterdir() if item.name.endswith(".part")] == []


def test_only_the_owner_may_read_folder_files_and_key(tmp_path, kept):
    kept.seal("100001A", Secret(PASSWORD))
    with kept.handing_over():
        kept.open("100001A")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes.pop(tmp_path / "envelopes") == modes.pop(tmp_path / "keys") == 0o700
    assert set(modes.values()) == {0o600}
    (tmp_path / "envelopes").chmod(0o755)
    kept.prepare("100001A")
    assert stat.S_IMODE((tmp_path / "envelopes").stat().st_mode) == 0o700


@pytest.mark.parametrize("member", ["box", "nonce", "target", "delivered_at", "opened_at", "format"])
def test_an_edited_envelope_is_refused_whatever_was_edited(tmp_path, kept, member):
    kept.seal("100001A", Secret(PASSWORD))
    kept.delivered("100001A")
    (path,) = files(tmp_path)
    written = json.loads(path.read_text())
    written[member] = {"delivered_at": None, "opened_at": "2026-11-21T19:30:00.000Z"}.get(member, "AAAA" * 9)
    path.write_text(json.dumps(written))
    if member in {"format", "target"}:
        # These are not believed at all: the file's place says whose it is.
        assert kept.peek("100001A") == Secret(PASSWORD)
        return
    for look in (kept.find, kept.peek, kept.open, kept.prepare, kept.delivered):
        with pytest.raises(TamperedEnvelopeError) as caught:
            look("100001A")
    assert caught.value.on == "100001A"
    assert "mailbox.create" in str(caught.value)


def test_an_envelope_in_the_place_of_another_is_refused(tmp_path, kept):
    kept.seal("100001A", Secret(PASSWORD))
    (mine,) = files(tmp_path)
    kept.seal("100002B", Secret("another-one"))
    (other,) = (path for path in files(tmp_path) if path != mine)
    other.write_bytes(mine.read_bytes())
    with pytest.raises(TamperedEnvelopeError):
        kept.open("100002B")
    assert kept.peek("100001A") == Secret(PASSWORD)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe", b'{"nonce": 1, "box": 2}'])
def test_rubbish_is_not_taken_for_an_envelope(tmp_path, kept, content):
    kept.seal("100001A", Secret(PASSWORD))
    files(tmp_path)[0].write_bytes(content)
    with pytest.raises(TamperedEnvelopeError):
        kept.find("100001A")


@pytest.mark.parametrize("content", ["", "short", "é", "QUJD", "=" * 44])
def test_a_key_that_is_none_is_said_to_be_none(tmp_path, kept, content):
    kept.seal("100001A", Secret(PASSWORD))
    (tmp_path / "keys/envelopes.key").write_text(content)
    with pytest.raises(StorageError) as caught:
        kept.peek("100001A")
    assert "envelopes.key" in str(caught.value)


def test_a_lost_key_is_never_replaced_by_looking(tmp_path, kept):
    kept.seal("100001A", Secret(PASSWORD))
    (tmp_path / "keys/envelopes.key").unlink()
    with pytest.raises(StorageError):
        kept.peek("100001A")
    assert not (tmp_path / "keys/envelopes.key").exists()


def test_a_key_that_others_may_read_is_refused(tmp_path, kept):
    kept.seal("100001A", Secret(PASSWORD))
    (tmp_path / "keys/envelopes.key").chmod(0o640)
    with pytest.raises(StorageError) as caught:
        kept.open("100001A")
    assert "chmod 600" in str(caught.value)


@given(st.text(min_size=1, max_size=256).filter(lambda name: name.isprintable()))
def test_any_name_of_a_target_has_an_envelope_of_its_own_within_the_folder(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("any")
    kept = at(folder)
    kept.seal(name, Secret(PASSWORD))
    kept.seal(f"{name}.", Secret("another-one"))
    assert kept.open(name) == Secret(PASSWORD)
    assert kept.peek(f"{name}.") == Secret("another-one")
    assert {path.name for path in folder.iterdir()} == {"envelopes", "keys"}


def test_many_threads_open_an_envelope_once(kept):
    kept.seal("100001A", Secret(PASSWORD))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept.open("100001A"), range(24)))
    assert [item for item in found if item is not None] == [Secret(PASSWORD)]


def _seal(folder: Path, name: str, inside) -> None:
    inside.put(at(folder).seal("100001A", Secret(name)).reveal())


def test_processes_that_seal_at_once_agree_on_one_password_and_one_key(tmp_path):
    context = multiprocessing.get_context("fork")
    inside = context.Queue()
    others = [context.Process(target=_seal, args=(tmp_path, f"password-{n}", inside)) for n in range(6)]
    for other in others:
        other.start()
    sealed = {inside.get(timeout=60) for _ in others}
    for other in others:
        other.join()
    assert {at(tmp_path).open("100001A").reveal()} == sealed


def test_a_hand_over_waits_for_another_and_a_run_does_not(tmp_path):
    kept, other = at(tmp_path), at(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        with kept.handing_over(), kept.handing_over():
            second = pool.submit(_enter, other)
            other.seal("100001A", Secret(PASSWORD))
            with (tmp_path / "envelopes/.hand-over.lock").open() as lock, pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            assert kept.open("100001A") == Secret(PASSWORD)
        assert second.result(timeout=60) is None


def _enter(kept: FileEnvelopes):
    with kept.handing_over():
        return kept.open("100001A")


FULL = """
import resource, signal, sys
from pathlib import Path
from dsi_automation.composition.envelopes import FileEnvelopes
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import StorageError
from dsi_automation.core.secrets import Secret

kept = FileEnvelopes(Path(sys.argv[1]) / "envelopes", Path(sys.argv[1]) / "keys/envelopes.key", SystemClock())
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
for change in (kept.delivered, kept.open, kept.prepare):
    try:
        change("2" if change == kept.prepare else "100001A")
    except StorageError as error:
        print(type(error.__cause__).__name__, flush=True)
"""


def test_a_disk_that_takes_no_more_loses_nothing(tmp_path, kept):
    kept.seal("100001A", Secret(PASSWORD))
    before = files(tmp_path)[0].read_bytes()
    # The limit on file sizes stands for a full disk: the write begins, and fails in the middle.
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["OSError"] * 3
    assert [path.read_bytes() for path in files(tmp_path)] == [before]
    assert kept.open("100001A") == Secret(PASSWORD)
    assert resource.getrlimit(resource.RLIMIT_FSIZE) != (64, 64)


def test_a_folder_that_cannot_be_made_is_said_with_its_place(tmp_path):
    (tmp_path / "envelopes").write_text("a file")
    with pytest.raises(StorageError) as caught:
        at(tmp_path).prepare("100001A")
    assert str(tmp_path / "envelopes") in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["envelopes"]
