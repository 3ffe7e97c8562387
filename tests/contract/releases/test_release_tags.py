"""A tag counts when somebody who may sign signed this very tag; what is deployed of it is always the same bytes."""

import shutil

import pytest
from release_maker import FILES, Repository, Signer

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.releases.tags import TagStore
from dsi_automation.core.errors import UnreachableError


@pytest.fixture
def signer(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    return Signer(folder)


@pytest.fixture
def repository(tmp_path, signer):
    made = Repository(tmp_path / "sources", signer)
    made.commit()
    made.tag("v1.4.0")
    return made


@pytest.fixture
def store(tmp_path, repository, signer):
    return TagStore("sydam", str(repository.folder), "v", signer.allowed, tmp_path / "cache")


def refused(store, name="1.4.0"):
    with pytest.raises(ReleaseError) as caught:
        store.release(name)
    return caught.value.what.render("en")


def test_a_signed_tag_is_a_release_and_its_archive_is_always_the_same(tmp_path, repository, signer, store):
    release = store.release("1.4.0")
    assert (release.signer, release.title) == ("bpda@douanes.example", "Circuits de contrôle")
    assert release.origin.startswith("v1.4.0 ")
    assert store.text(release, "sql/020_tarif.sql") == FILES["sql/020_tarif.sql"]
    assert store.release("1.4.0") == release
    elsewhere = TagStore("sydam", str(repository.folder), "v", signer.allowed, tmp_path / "other")
    assert elsewhere.release("1.4.0").sha256 == release.sha256


def test_names_are_the_tags_with_the_prefix_oldest_version_first(repository, store):
    for tag in ("v1.10.0", "v1.9.0", "x1.0.0", "v..", "1.0.0"):
        if tag != "v..":
            repository.tag(tag, signed=False)
    assert store.names() == ("1.4.0", "1.9.0", "1.10.0")


def test_a_kept_archive_that_was_changed_is_made_again(store):
    release = store.release("1.4.0")
    release.archive.write_bytes(b"changed")
    assert store.release("1.4.0") == release


def test_a_tag_that_was_moved_is_another_archive(repository, store):
    before = store.release("1.4.0")
    repository.commit({"webapp/index.html": "<html>other</html>\n"})
    repository.tag("v1.4.0")
    assert store.release("1.4.0").sha256 != before.sha256


def test_a_tag_without_a_signature_is_no_release(repository, store):
    repository.tag("v1.4.0", signed=False)
    assert "bears no signature that holds" in refused(store)
    repository.git("tag", "--force", "v1.4.0", "HEAD")
    assert "bears no signature that holds" in refused(store)


def test_the_signed_tag_of_another_release_under_this_name_is_refused(repository, store):
    repository.git("update-ref", "refs/tags/v1.5.0", "refs/tags/v1.4.0")
    assert "another name" in refused(store, "1.5.0")


@pytest.mark.parametrize("options", ['valid-before="20200101"', 'valid-after="21000101"', 'namespaces="dsi-release"'])
def test_a_key_that_might_not_sign_tags_then_signs_none(signer, store, options):
    signer.allow("bpda@douanes.example", options)
    assert "bears no signature that holds" in refused(store)


def test_somebody_who_is_not_allowed_signs_no_tag(tmp_path, signer, repository, store):
    folder = tmp_path / "stranger"
    folder.mkdir()
    repository.signer = Signer(folder)
    repository.tag("v1.4.0")
    assert "bears no signature that holds" in refused(store)


def test_what_is_not_there_and_what_does_not_answer_are_told_apart(tmp_path, repository, signer, store):
    assert "There is no release 9.9.9" in refused(store, "9.9.9")
    shutil.rmtree(repository.folder)
    with pytest.raises(UnreachableError):
        store.release("1.4.0")


def test_an_address_that_names_a_command_runs_none(tmp_path, signer):
    mark = tmp_path / "ran"
    for address in (f"ext::touch {mark}", f"--upload-pack=touch {mark}"):
        with pytest.raises(UnreachableError):
            TagStore("sydam", address, "v", signer.allowed, tmp_path / "cache").names()
    assert not mark.exists()


def test_nothing_of_the_work_is_left_beside_the_archives(tmp_path, store):
    release = store.release("1.4.0")
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".gz", ".sha256"]
    assert release.archive.name == f"{release.sha256}.tar.gz"
