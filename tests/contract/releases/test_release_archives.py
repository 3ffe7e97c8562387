"""An archive counts when its checksum and a signature of somebody who may sign hold, and it holds what it says."""

import hashlib
import io
import tarfile

import pytest
from release_maker import FILES, Signer, archive, checksum, member

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.releases.archives import ArchiveStore
from dsi_automation.core.errors import StorageError


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def signer(keys):
    return Signer(keys)


@pytest.fixture
def store(tmp_path, signer):
    return ArchiveStore("sydam", tmp_path, signer.allowed)


def made(folder, signer, name="1.4.0", files=FILES, special=()):
    return archive(folder / f"sydam-{name}.tar.gz", files, special, signer=signer)


def refused(store, name="1.4.0"):
    with pytest.raises(ReleaseError) as caught:
        store.release(name)
    return caught.value.what.render("en")


def test_a_signed_archive_says_who_signed_it_and_what_it_holds(tmp_path, signer, store):
    path = made(tmp_path, signer)
    release = store.release("1.4.0")
    assert (release.name, release.title, release.signer) == ("1.4.0", "Circuits de contrôle", "bpda@douanes.example")
    assert release.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    first, second = release.scripts
    assert (first.file, first.undo) == ("sql/010_circuits.sql", "sql/010_circuits.undo.sql")
    assert (second.undo, second.undo_sha256) == (None, None)
    assert hashlib.sha256(store.text(release, first.file).encode()).hexdigest() == first.sha256
    assert store.text(release, "sql/010_circuits.undo.sql") == "DROP TABLE circuit;\n"
    with pytest.raises(ReleaseError):
        store.text(release, "webapp/index.html")


def test_names_come_oldest_version_first_and_other_files_are_none(tmp_path, store):
    for name in ("1.10.0", "1.9.2", "1.10.0-rc2", "1.10.0-rc10"):
        (tmp_path / f"sydam-{name}.tar.gz").touch()
    for name in ("other-1.0.0.tar.gz", "sydam-1.11.0.zip", "sydam-..tar.gz"):
        (tmp_path / name).touch()
    assert store.names() == ("1.9.2", "1.10.0-rc2", "1.10.0-rc10", "1.10.0")


def test_an_archive_that_was_changed_after_it_was_signed_is_refused(tmp_path, signer, store):
    path = made(tmp_path, signer)
    path.write_bytes(path.read_bytes() + b"\0")
    assert "not the one of its checksum" in refused(store)
    checksum(path)
    assert "bears no signature that holds" in refused(store)


def test_one_that_was_looked_at_before_is_looked_at_again_once_it_changes(tmp_path, signer, store):
    path = made(tmp_path, signer)
    store.release("1.4.0")
    path.write_bytes(path.read_bytes() + b"\0")
    checksum(path)
    assert "bears no signature that holds" in refused(store)


@pytest.mark.parametrize("ending", [".sig", ".sha256"])
def test_without_its_signature_or_its_checksum_it_is_refused(tmp_path, signer, store, ending):
    path = made(tmp_path, signer)
    path.with_name(path.name + ending).unlink()
    assert f"sydam-1.4.0.tar.gz{ending} is missing" in refused(store)


@pytest.mark.parametrize("said", ["", "abc", "0" * 64, f"{'0' * 64}  other.tar.gz\n"])
def test_a_checksum_that_sha256sum_did_not_write_for_it_is_refused(tmp_path, signer, store, said):
    path = made(tmp_path, signer)
    path.with_name(path.name + ".sha256").write_text(said)
    assert "is not what sha256sum writes for it" in refused(store)


def test_a_signature_made_for_another_purpose_is_none(tmp_path, signer, store):
    signer.sign(made(tmp_path, signer), "dsi-request")
    assert "bears no signature that holds" in refused(store)


@pytest.mark.parametrize(
    "options",
    ['valid-before="20200101"', 'valid-after="21000101"', 'namespaces="file"', 'namespaces="git"'],
)
def test_a_key_that_may_not_sign_releases_today_signs_none(tmp_path, signer, store, options):
    made(tmp_path, signer)
    signer.allow("bpda@douanes.example", options)
    assert "bears no signature that holds" in refused(store)


def test_a_key_in_its_period_and_for_releases_signs(tmp_path, signer, store):
    made(tmp_path, signer)
    signer.allow("bpda@douanes.example", 'namespaces="dsi-release",valid-after="20200101",valid-before="21000101"')
    assert store.release("1.4.0").signer == "bpda@douanes.example"


def test_somebody_who_is_not_allowed_signs_nothing(tmp_path, signer, store):
    folder = tmp_path / "stranger"
    folder.mkdir()
    made(tmp_path, Signer(folder))
    assert "bears no signature that holds" in refused(store)
    signer.allowed.unlink()
    with pytest.raises(StorageError):
        store.release("1.4.0")


def test_a_key_of_everybody_is_nobodys(tmp_path, signer, store):
    made(tmp_path, signer)
    signer.allow("*")
    assert "bears no signature that holds" in refused(store)


@pytest.mark.parametrize("name", ["9.9.9", "../1.4.0", "1..4", "", "-n", "a/b", "1.4.0\n"])
def test_what_is_not_there_or_no_name_is_refused(tmp_path, signer, store, name):
    made(tmp_path, signer)
    with pytest.raises(ReleaseError):
        store.release(name)


@pytest.mark.parametrize(
    "special",
    [
        member("../outside"),
        member("/etc/cron.d/x"),
        member("webapp/../../x"),
        member("webapp\\..\\x"),
        member("webapp/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("webapp/link", type=tarfile.SYMTYPE, linkname="../../etc/passwd"),
        member("webapp/hard", type=tarfile.LNKTYPE, linkname="/etc/shadow"),
        member("webapp/link", type=tarfile.SYMTYPE, linkname="a/../../x"),
        member(".dsi-release.json"),
        member("webapp/pipe", type=tarfile.FIFOTYPE),
        member("webapp/device", type=tarfile.BLKTYPE),
        member("webapp/tool", mode=0o4755),
        member("webapp/index.html"),
        member("./webapp/index.html"),
    ],
)
def test_a_member_that_leads_outside_or_is_no_plain_file_is_refused(tmp_path, signer, store, special):
    made(tmp_path, signer, special=[special])
    assert "Release 1.4.0 cannot be used" in refused(store)


def test_a_link_within_the_release_is_fine(tmp_path, signer, store):
    made(tmp_path, signer, special=[member("webapp/current", type=tarfile.SYMTYPE, linkname="../sql/010_circuits.sql")])
    assert store.release("1.4.0").name == "1.4.0"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1.5.0\ntitle: x\n", "says that it is release 1.5.0"),
        ("title: x\n", "does not say: version"),
        ("version: 1.4.0\ntitle: ''\n", "does not say: title"),
        ("version: 1.4.0\ntitle: x\nscript: []\n", "nothing reads: script"),
        ("version: 1.4.0\ntitle: x\nversion: 1.4.0\n", "names twice: version"),
        ("version: 1.4.0\ntitle: x\nscripts: sql\n", "a list is expected"),
        ("version: 1.4.0\ntitle: x\nscripts: [{file: sql/missing.sql}]\n", "does not hold sql/missing.sql"),
        ("version: 1.4.0\ntitle: x\nscripts: [{file: sql}]\n", "does not hold sql"),
        ("version: 1.4.0\ntitle: x\nscripts: [{file: ../x.sql}]\n", "not a path within the release"),
        ("version: 1.4.0\ntitle: x\nscripts: [{file: sql/020_tarif.sql, undo: /etc/x}]\n", "not a path within"),
        ("version: 1.4.0\ntitle: x\nscripts: [{undo: sql/020_tarif.sql}]\n", "does not say: file"),
        ("version: 1.4.0\ntitle: x\nscripts: [sql/020_tarif.sql]\n", "a mapping is expected"),
        (
            "version: 1.4.0\ntitle: x\nscripts: [{file: sql/020_tarif.sql}, {file: sql/020_tarif.sql}]\n",
            "names twice: sql/020_tarif.sql",
        ),
        ("- x\n", "a mapping is expected"),
        ("{", "is not YAML"),
    ],
)
def test_a_description_that_is_not_right_is_refused_in_words(tmp_path, signer, store, text, told):
    made(tmp_path, signer, files={**FILES, "release.yml": text})
    assert told in refused(store)


def test_without_a_description_it_is_no_release(tmp_path, signer, store):
    made(tmp_path, signer, files={"webapp/index.html": "x"})
    assert "does not hold release.yml" in refused(store)


@pytest.mark.parametrize("damage", [b"", b"not an archive", b"\x1f\x8b\x08\x00damaged"])
def test_what_is_no_archive_is_refused(tmp_path, signer, store, damage):
    path = made(tmp_path, signer)
    path.write_bytes(damage)
    checksum(path)
    signer.sign(path)
    assert "damaged, or is none" in refused(store)


def test_a_script_that_is_not_utf8_is_refused(tmp_path, signer, store):
    path = made(tmp_path, signer)
    with tarfile.open(path, "w:gz") as packed:
        for name, text in FILES.items():
            content = b"-- \xe9\n" if name == "sql/020_tarif.sql" else text.encode()
            packed.addfile(member(name, size=len(content)), io.BytesIO(content))
    checksum(path)
    signer.sign(path)
    assert "sql/020_tarif.sql is not UTF-8" in refused(store)
