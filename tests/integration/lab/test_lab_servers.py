"""The lab's servers are what they say: reached by key alone, restricted where they must be, put back by a reset."""

import hashlib
import subprocess

import pytest

from dsi_automation.lab import server_data


def ssh(lab, server, *words, key="controller", known_hosts=None):
    folder, address = lab.layout.ssh_dir, lab.layout.server_addresses[server]
    known = known_hosts or folder / "known_hosts"
    options = ["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"]
    return subprocess.run(
        ["ssh", *options, "-o", f"UserKnownHostsFile={known}", "-i", str(folder / key), f"root@{address}", *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def tree(folder):
    """Return every entry of a folder with what identifies it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else None
        link = str(path.readlink()) if path.is_symlink() else None
        changed = None if path.is_symlink() else about.st_mtime
        found[str(path.relative_to(folder))] = (about.st_mode, about.st_size if content else 0, changed, content, link)
    return found


@pytest.fixture
def put_back(servers):
    """Put the servers back afterwards."""
    yield servers
    servers.reset_servers()


def test_a_server_runs_what_the_controller_says_and_nobody_else_gets_in(servers):
    done = ssh(servers, "srv1", "id", "-un")
    assert (done.returncode, done.stdout) == (0, "root\n")
    refused = ssh(servers, "srv1", "id", key="backup")
    assert refused.returncode == 255
    assert "publickey" in refused.stderr
    assert "password" not in refused.stderr


def test_a_server_reads_no_login_script_of_this_machine(servers):
    done = ssh(servers, "srv1", "echo $HOME")
    assert done.stdout.strip() == str(servers.layout.ssh_dir / "home_srv1")


def test_a_server_with_another_key_than_the_known_one_is_refused(servers, tmp_path):
    addresses = servers.layout.server_addresses
    other = (servers.layout.ssh_dir / "host_store.pub").read_text()
    (tmp_path / "known").write_text(f"{addresses['srv1']} {other}")
    done = ssh(servers, "srv1", "true", known_hosts=tmp_path / "known")
    assert done.returncode == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.stderr


def test_the_storage_server_gives_its_folder_over_sftp_and_nothing_else(servers):
    assert "sftp" in ssh(servers, "store", "id").stdout
    command = servers.facilities.servers.sftp_command.split()
    shown = subprocess.run(
        ["sftp", "-b", "-", "-D", " ".join(command)],
        input="ls -1 /\nget /etc/passwd /dev/null\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"bases", "serveurs"} <= {line.strip().strip("/") for line in shown.stdout.splitlines()}
    assert "/etc/passwd" in shown.stderr


def test_nothing_of_the_servers_is_left_on_the_machine_itself(servers):
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    assert not [line for line in listening.splitlines() if line.split()[3] in {"0.0.0.0:22", "0.0.0.0:5432"}]
    assert not [address for address in servers.layout.server_addresses.values() if address in listening]


def test_the_files_are_the_same_in_every_lab(tmp_path):
    for name in ("one", "two"):
        assert server_data.ensure(tmp_path / name)
    assert not server_data.ensure(tmp_path / "one")
    first, second = tree(tmp_path / "one"), tree(tmp_path / "two")
    assert first == second
    files = [entry for entry in first.values() if entry[3]]
    assert len(files) > 250
    assert any(entry[4] for entry in first.values())


def test_the_application_dumps_itself_and_tidies_up(put_back):
    application = put_back.layout.server_dir / "srv1" / server_data.DATA / "application"
    dump = application / "dump" / "application.dump"
    assert ssh(put_back, "srv1", f"{application}/avant-sauvegarde").returncode == 0
    assert len(dump.read_text().splitlines()) == 4_000
    assert ssh(put_back, "srv1", f"{application}/apres-sauvegarde").returncode == 0
    assert not dump.exists()
    (application / "en-panne").touch()
    assert ssh(put_back, "srv1", f"{application}/avant-sauvegarde").returncode == 1


def test_a_reset_keeps_the_repositories_that_a_record_counts_on(servers):
    journal, stored = servers.layout.state_dir / "journal.db", servers.layout.store_dir / "serveurs" / "config"
    existed = journal.exists()
    journal.parent.mkdir(exist_ok=True)
    journal.touch()
    stored.write_text("a repository")
    servers.reset_servers()
    assert stored.read_text() == "a repository"
    stored.unlink()
    if not existed:
        journal.unlink()


def test_a_reset_puts_files_back_and_empties_the_repositories(servers):
    folder, stored = servers.layout.server_dir / "srv1", servers.layout.store_dir / "serveurs" / "config"
    before = tree(folder)
    (folder / server_data.DATA / "confidentiel.key").unlink()
    stored.write_text("a repository")
    servers.reset_servers()
    assert tree(folder) == before
    assert not stored.exists()
    assert ssh(servers, "store", "id").returncode == 1
