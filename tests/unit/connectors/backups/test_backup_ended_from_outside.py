"""A program that somebody else ended, a machine that goes off above all, says nothing about the backup: it may pass."""

import pytest

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.restic.failures import failure
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.connectors.ssh.port import Finished

URL = "sftp:dsi@vault:/depot"


class Ends(LocalShell):
    """A shell whose programs print half of their work and end with a status."""

    def __init__(self, status):
        super().__init__()
        self.status = status

    def stream(self, program, sink):
        sink(b"half of it")
        return Finished(tuple(program.argv), self.status, b"", b"")


@pytest.mark.parametrize("status", [129, 130, 137, 143])
@pytest.mark.parametrize("said", [b"", b"signal terminated received, cleaning up\n", b"Fatal: hash mismatch\n"])
def test_a_restic_that_a_signal_ended_may_be_tried_again_whatever_it_said(status, said):
    error = failure(Finished(("restic", "backup"), status, b"", said), "srv1", URL)
    assert isinstance(error, TransientError)
    assert error.exit_code == 3
    assert (error.on, error.meaning is not None, error.next_step is not None) == ("srv1", True, True)


@pytest.mark.parametrize("status", [1, 3, 134, 139])
def test_a_restic_that_failed_or_crashed_by_itself_is_not_taken_for_one_that_was_ended(status):
    error = failure(Finished(("restic", "backup"), status, b"", b"Fatal: oh\n"), "srv1", URL)
    assert isinstance(error, BackupFailedError)
    assert not isinstance(error, TransientError)


@pytest.mark.parametrize("status", [137, 143])
def test_a_manifest_whose_agent_was_ended_may_be_tried_again_and_leaves_nothing(tmp_path, status):
    to = tmp_path / "manifests" / "m.jsonl.gz"
    with pytest.raises(TransientError, match="python3"):
        manifest.take(Ends(status), manifest.Order(("/srv",)), to)
    assert list(to.parent.iterdir()) == []


def test_a_manifest_whose_agent_failed_keeps_the_one_that_was_there(tmp_path):
    to = tmp_path / "m.jsonl.gz"
    to.write_bytes(b"the last one")
    with pytest.raises(BackupFailedError):
        manifest.take(Ends(1), manifest.Order(("/srv",)), to)
    assert to.read_bytes() == b"the last one"
