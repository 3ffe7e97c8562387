"""The repository of configurations, with the real git: whole versions or none, whoever writes, whatever is killed."""

import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsi_automation.connectors.configurations.git import GitConfigurations
from dsi_automation.core.errors import StorageError, UsageError

ABJ = "hostname rtr-abj\ninterface wan0\n ip address 10.255.0.1/30\nend\n"
BKE = "hostname rtr-bke\nend\n"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "configurations"


@pytest.fixture
def repository(folder):
    return GitConfigurations(folder)


def git(folder, *arguments):
    """What a person reads with git itself."""
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def sound(folder):
    """Whether git finds everything whole; unreachable objects of what was cut short are allowed."""
    done = subprocess.run(["git", "-C", folder, "fsck", "--strict"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "missing" not in done.stdout + done.stderr


def test_what_was_kept_is_read_back_with_its_version(repository):
    kept = repository.keep({"rtr-abj": ABJ, "rtr-bke": BKE}, "Daily copy\n\nRun: R-1", author="a.kone")
    assert kept.routers == ("rtr-abj", "rtr-bke")
    assert kept.message == "Daily copy\n\nRun: R-1"
    assert repository.latest("rtr-abj") == (kept, ABJ)
    assert repository.latest("rtr-bke") == (kept, BKE)


def test_before_the_first_version_there_is_nothing_and_nothing_is_made_by_looking(repository, folder):
    assert repository.latest("rtr-abj") is None
    assert repository.history() == ()
    assert not folder.exists()


def test_nothing_changed_makes_no_version(repository):
    first = repository.keep({"rtr-abj": ABJ, "rtr-bke": BKE}, "one", author="a.kone")
    assert repository.keep({"rtr-abj": ABJ}, "two", author="a.kone") is None
    assert repository.keep({}, "three", author="a.kone") is None
    assert repository.history() == (first,)


def test_a_router_that_is_not_part_of_a_version_keeps_its_configuration(repository):
    repository.keep({"rtr-abj": ABJ}, "one", author="a")
    second = repository.keep({"rtr-bke": BKE}, "two", author="a")
    assert second.routers == ("rtr-bke",)
    assert repository.latest("rtr-abj")[1] == ABJ
    assert [version.message for version in repository.history("rtr-abj")] == ["one"]
    assert [version.message for version in repository.history()] == ["two", "one"]
    assert [version.message for version in repository.history(most=1)] == ["two"]


def test_a_difference_shows_the_lines_that_changed(repository):
    first = repository.keep({"rtr-abj": ABJ, "rtr-bke": BKE}, "one", author="a")
    changed = ABJ.replace("10.255.0.1", "10.255.0.5")
    second = repository.keep({"rtr-abj": changed, "rtr-bke": BKE + "!\n"}, "two", author="a")
    shown = repository.difference("rtr-abj", first.commit[:10], second.commit)
    assert "- ip address 10.255.0.1/30\n+ ip address 10.255.0.5/30\n" in shown
    assert "rtr-bke" not in shown
    assert repository.difference("rtr-abj", first.commit, first.commit) == ""


@pytest.mark.parametrize("asked", ["--output=/tmp/x", "main", "HEAD~1", "zz", "0123456789", ""])
def test_a_version_that_is_none_is_refused_and_never_an_option(repository, asked):
    first = repository.keep({"rtr-abj": ABJ}, "one", author="a")
    with pytest.raises(UsageError):
        repository.difference("rtr-abj", asked, first.commit)


@pytest.mark.parametrize("name", ["../up", "a/b", "-x", ".git", "", "a\nb", ":(top)x"])
def test_a_name_that_would_be_a_path_or_an_option_is_refused(repository, name):
    with pytest.raises(UsageError):
        repository.keep({name: ABJ}, "one", author="a")
    assert repository.history() == ()


def test_author_is_the_one_that_was_said_and_nobody_of_the_machine(repository, folder, monkeypatch, tmp_path):
    (tmp_path / ".gitconfig").write_text(
        "[user]\n name = Somebody\n email = somebody@else\n[commit]\n gpgSign = true\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Another")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    repository.keep({"rtr-abj": ABJ}, "one", author="Koné <a> \n x")
    monkeypatch.delenv("GIT_DIR")
    assert git(folder, "log", "-1", "--format=%an|%cn|%ce", "main") == "Koné a x|dsi|dsi@dsi.invalid\n"
    assert not (tmp_path / "elsewhere").exists()


def test_no_hook_and_no_filter_of_the_repository_is_run(repository, folder, tmp_path):
    repository.keep({"rtr-abj": ABJ}, "one", author="a")
    hooks = folder / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "pre-commit", "post-commit", "update"):
        hook = hooks / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    git(folder, "config", "core.hooksPath", str(hooks))
    git(folder, "config", "diff.external", f"touch {tmp_path}/ran; false")
    second = repository.keep({"rtr-abj": ABJ + "!\n"}, "two", author="a")
    assert repository.difference("rtr-abj", f"{repository.history()[1].commit}", second.commit)
    assert not (tmp_path / "ran").exists()


def test_a_repository_is_readable_by_its_owner_only(repository, folder):
    repository.keep({"rtr-abj": ABJ}, "one", author="a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_message_cannot_be_mistaken_for_the_marks_between_versions(repository):
    kept = repository.keep({"rtr-abj": ABJ}, "one\x01two\x00three\n", author="a")
    assert repository.history() == (kept,)
    assert kept.message == "one two three"


@given(text=st.text(st.characters(codec="utf-8"), max_size=200))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_back_as_it_was_kept(tmp_path, text):
    repository = GitConfigurations(tmp_path / "any")
    repository.keep({"rtr-abj": text}, "any", author="a")
    assert repository.latest("rtr-abj")[1] == text


def _keep(folder, number):
    GitConfigurations(folder).keep({f"rtr-{number}": f"hostname {number}\n"}, f"by {number}", author="a")


def test_two_processes_at_once_lose_nothing(folder):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_keep, args=(folder, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda number: _keep(folder, number), range(10, 13)))
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    found = GitConfigurations(folder).history()
    assert sorted(version.message for version in found) == sorted(f"by {n}" for n in [0, 1, 2, 10, 11, 12])
    assert all(len(version.routers) == 1 for version in found)
    assert sound(folder)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from dsi_automation.connectors.configurations import git_program
    from dsi_automation.connectors.configurations.git import GitConfigurations

    verb, when, folder = sys.argv[1:]
    real = git_program.Git.run

    def run(self, *arguments, **others):
        if arguments[0] == verb and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(self, *arguments, **others)
        if arguments[0] == verb:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    git_program.Git.run = run
    GitConfigurations(Path(folder)).keep({"rtr-abj": "new\\n", "rtr-bke": "new\\n"}, "killed", author="a")
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["init", "hash-object", "mktree", "commit-tree", "update-ref"])
def test_killed_at_any_point_a_version_is_whole_or_not_there(folder, verb, when):
    if verb != "init":
        GitConfigurations(folder).keep({"rtr-abj": ABJ, "rtr-bke": BKE}, "first", author="a")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), verb, when, str(folder)], check=False, env=dict(os.environ)
    )
    assert done.returncode == -signal.SIGKILL
    repository = GitConfigurations(folder)
    texts = {(repository.latest(name) or (None, None))[1] for name in ("rtr-abj", "rtr-bke")}
    if (verb, when) == ("update-ref", "after"):
        assert texts == {"new\n"}
    else:
        assert texts == ({None} if verb == "init" else {ABJ, BKE})
    repository.keep({"rtr-abj": "new\n", "rtr-bke": "new\n"}, "again", author="a")
    assert repository.latest("rtr-bke")[1] == "new\n"
    assert sound(folder)


def test_the_lock_a_killed_git_left_on_the_branch_does_not_stay(repository, folder):
    repository.keep({"rtr-abj": ABJ}, "one", author="a")
    (folder / "refs/heads/main.lock").write_text("")
    assert repository.keep({"rtr-abj": "new\n"}, "two", author="a") is not None
    assert not (folder / "refs/heads/main.lock").exists()


def test_a_full_disk_keeps_what_was_there_and_says_so(folder, repository):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], check=True)
    try:
        first = repository.keep({"rtr-abj": ABJ}, "one", author="a")
        noise = os.urandom(2_000_000).hex()
        with pytest.raises(StorageError, match=r"plein|full"):
            repository.keep({"rtr-bke": noise}, "too much", author="a")
        assert repository.history() == (first,)
        assert repository.latest("rtr-abj")[1] == ABJ
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_damaged_repository_is_an_error_and_never_begun_anew(repository, folder):
    repository.keep({"rtr-abj": ABJ}, "one", author="a")
    (folder / "refs/heads/main").write_text("0" * 39 + "1\n")
    with pytest.raises(StorageError):
        repository.latest("rtr-abj")
    with pytest.raises(StorageError):
        repository.keep({"rtr-abj": "new\n"}, "two", author="a")
    (folder / "refs/heads/main").write_text("")
    with pytest.raises(StorageError):
        repository.keep({"rtr-abj": "new\n"}, "two", author="a")


def test_a_version_whose_text_is_gone_is_an_error(repository, folder):
    kept = repository.keep({"rtr-abj": ABJ}, "one", author="a")
    blob = git(folder, "rev-parse", f"{kept.commit}:rtr-abj.cfg").strip()
    Path(folder, "objects", blob[:2], blob[2:]).unlink()
    with pytest.raises(StorageError):
        repository.latest("rtr-abj")


def test_packed_by_a_person_it_is_still_read_and_added_to(repository, folder):
    repository.keep({"rtr-abj": ABJ}, "one", author="a")
    git(folder, "gc", "--quiet")
    git(folder, "pack-refs", "--all")
    assert repository.latest("rtr-abj")[1] == ABJ
    repository.keep({"rtr-abj": "new\n"}, "two", author="a")
    assert [version.message for version in repository.history()] == ["two", "one"]


def test_without_git_the_error_names_the_package(repository, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StorageError) as caught:
        repository.keep({"rtr-abj": ABJ}, "one", author="a")
    assert "apt-get install git" in str(caught.value.next_step)


def test_a_clone_has_one_file_for_each_router(repository, folder, tmp_path):
    repository.keep({"rtr-abj": ABJ, "rtr-bke": BKE}, "one", author="a")
    subprocess.run(["git", "clone", "--quiet", folder, tmp_path / "clone"], check=True)
    files = {path.name: path.read_text() for path in (tmp_path / "clone").glob("*.cfg")}
    shutil.rmtree(tmp_path / "clone")
    assert files == {"rtr-abj.cfg": ABJ, "rtr-bke.cfg": BKE}
