"""Caches and releases on a real file system: what `SshServer` promises of them."""

import hashlib
import io
import subprocess
import tarfile

import pytest
from application_daemon import Daemon
from waiting import wait_for

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.applications.server import SshServer
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import RefusedError


class Permit:
    def check(self, target: str) -> None:
        assert target == "sydam"


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path / "service")
    yield made
    made.end()


@pytest.fixture
def opened(daemon):
    def server(shell=None, **changes):
        return SshServer(daemon.settings(**changes), shell or LocalShell(), SystemClock(), Permit(), "sydam")

    return server


@pytest.fixture
def deployed(opened, tmp_path):
    (tmp_path / "releases").mkdir()

    def server(**changes):
        return opened(releases=str(tmp_path / "releases"), link=str(tmp_path / "current"), **changes)

    return server


def _archive(path, files):
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_releases_are_put_beside_each_other_used_by_a_link_and_dropped(deployed, tmp_path, ssh_shell):
    server = deployed(shell=ssh_shell)
    for name in ("1.0", "1.1", "1.2"):
        server.put_release(name, *_archive(tmp_path / "a.tgz", {"WEB-INF/web.xml": name.encode()}))
    assert server.use_release("1.0") is None
    assert server.use_release("1.1") == "1.0"
    assert (tmp_path / "current" / "WEB-INF" / "web.xml").read_text() == "1.1"
    seen = server.look()
    assert (seen.release, seen.releases) == ("1.1", ("1.0", "1.1", "1.2"))
    assert server.drop_releases(("1.0",)) == ("1.2",)
    assert server.drop_releases(()) == ("1.0",)
    assert server.look().releases == ("1.1",)


def test_a_release_that_is_whole_is_left_and_another_one_of_its_name_refused(deployed, tmp_path):
    server = deployed()
    given = _archive(tmp_path / "a.tgz", {"x": b"1"})
    server.put_release("1.0", *given)
    inode = (tmp_path / "releases" / "1.0").stat().st_ino
    server.put_release("1.0", *given)
    assert (tmp_path / "releases" / "1.0").stat().st_ino == inode
    with pytest.raises(ReleaseError, match="Another release"):
        server.put_release("1.0", *_archive(tmp_path / "b.tgz", {"x": b"2"}))
    assert (tmp_path / "releases" / "1.0" / "x").read_text() == "1"


def test_what_a_killed_put_left_is_no_release_and_is_removed(deployed, tmp_path):
    releases = tmp_path / "releases"
    (releases / ".1.0.dsi-new" / "half").mkdir(parents=True)
    (releases / ".1.0.dsi-part").write_text("half an archive")
    server = deployed()
    assert server.look().releases == ()
    server.put_release("1.0", *_archive(tmp_path / "a.tgz", {"x": b"1"}))
    assert sorted(each.name for each in releases.iterdir()) == ["1.0"]
    (releases / "2.0").mkdir()
    with pytest.raises(ReleaseError, match="whole"):
        server.use_release("2.0")
    with pytest.raises(ReleaseError):
        server.put_release("2.0", *_archive(tmp_path / "a.tgz", {"x": b"1"}))
    (releases / "1.0" / "x").unlink()
    with pytest.raises(ReleaseError, match="whole"):
        server.use_release("1.0")


def test_a_release_that_was_there_before_the_toolkit_can_be_gone_back_to(deployed, tmp_path):
    (tmp_path / "releases" / "by-hand").mkdir()
    (tmp_path / "releases" / "by-hand" / "x").write_text("0")
    (tmp_path / "current").symlink_to(tmp_path / "releases" / "by-hand")
    server = deployed()
    server.put_release("1.0", *_archive(tmp_path / "a.tgz", {"x": b"1"}))
    assert server.use_release("1.0") == "by-hand"
    assert server.use_release("by-hand") == "1.0"
    assert (tmp_path / "current" / "x").read_text() == "0"


def test_a_full_disk_is_told_and_leaves_nothing_half(deployed, tmp_path):
    releases = tmp_path / "releases"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", releases], check=True)
    try:
        with pytest.raises(ReleaseError, match="full"):
            deployed().put_release("1.0", *_archive(tmp_path / "a.tgz", {"x": b"\0" * 3_000_000}))
        assert list(releases.iterdir()) == []
    finally:
        subprocess.run(["umount", releases], check=True)


def test_an_archive_that_is_not_the_one_approved_is_not_sent(deployed, tmp_path):
    path, _ = _archive(tmp_path / "a.tgz", {"x": b"1"})
    with pytest.raises(ReleaseError, match="approved"):
        deployed().put_release("1.0", path, "0" * 64)
    for name in ("../x", ".hidden", "", "a/b", "-rf" * 30):
        with pytest.raises(ReleaseError):
            deployed().put_release(name, path, "0" * 64)
    assert list((tmp_path / "releases").iterdir()) == []


def test_a_large_release_arrives_in_pieces_as_it_is(deployed, tmp_path, ssh_shell):
    content = hashlib.shake_256(b"seed").digest(5_000_000)
    deployed(shell=ssh_shell).put_release("1.0", *_archive(tmp_path / "a.tgz", {"x": content}))
    assert (tmp_path / "releases" / "1.0" / "x").read_bytes() == content


def test_caches_are_emptied_without_following_links_and_only_while_the_server_is_down(daemon, opened, tmp_path):
    cache, other = tmp_path / "work" / "cache", tmp_path / "other"
    (cache / "deep").mkdir(parents=True)
    (cache / "deep" / "file").write_bytes(b"x" * 1000)
    other.mkdir()
    (other / "kept").touch()
    (cache / "link").symlink_to(other)
    server = opened(caches=(str(cache), str(tmp_path / "work" / "absent")))
    assert server.look().cache_bytes >= 1000
    subprocess.run([daemon.script, "start"], check=True, start_new_session=True)
    wait_for(lambda: daemon.open)
    with pytest.raises(RefusedError, match="stopped"):
        server.empty_caches()
    server.stop()
    assert server.empty_caches() >= 1000
    assert list(cache.iterdir()) == []
    assert (other / "kept").exists()
    assert server.look().cache_bytes == 0


def test_folders_that_are_not_caches_are_refused_before_anything_is_removed(deployed, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "file").touch()
    (tmp_path / "link").symlink_to(cache)
    wrong = ["/", "/proc", str(tmp_path / "link"), str(tmp_path), str(tmp_path / "releases"), str(cache / "file")]
    for folder in wrong:
        with pytest.raises(RefusedError):
            deployed(caches=(str(cache), folder)).empty_caches()
        assert (cache / "file").exists()


def test_a_mount_point_is_not_emptied_nor_what_holds_one(opened, tmp_path):
    mounted = tmp_path / "outer" / "mounted"
    mounted.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mounted], check=True)
    try:
        (mounted / "kept").touch()
        for folder in (mounted, tmp_path / "outer"):
            with pytest.raises(RefusedError, match="mount"):
                opened(caches=(str(folder),)).empty_caches()
        assert (mounted / "kept").exists()
    finally:
        subprocess.run(["umount", mounted], check=True)
