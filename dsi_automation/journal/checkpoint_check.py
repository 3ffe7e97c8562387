"""Holds checkpoints against the chain: the only way to see that the end of the journal was cut off."""

from __future__ import annotations

from pathlib import Path

from dsi_automation.core.text import T, Text
from dsi_automation.journal.chain_check import ChainCheck
from dsi_automation.journal.checkpoints import NAMESPACE, Checkpoint
from dsi_automation.journal.database_errors import translated
from dsi_automation.journal.errors import BadSignatureError
from dsi_automation.journal.findings import Fault, Problem
from dsi_automation.journal.model import Signed
from dsi_automation.journal.signatures import check
from dsi_automation.journal.sshsig import armour, dearmour, parse


class CheckpointCheck:
    """Takes checkpoints in any order.

    Attributes:
        guarded: the last entry that a good checkpoint covers; cutting it off would show.
    """

    def __init__(self, chain: ChainCheck) -> None:
        """Hold checkpoints against this chain, walked to its end."""
        self._chain = chain
        self._problems: list[Problem] = []
        self._beyond: Checkpoint | None = None
        self.guarded = 0

    def take(self, checkpoint: Checkpoint) -> None:
        """Look at one checkpoint."""
        if checkpoint.document and not self._signed(checkpoint):
            return
        emptied = self._chain.last == 0  # nothing is left to say which journal it was
        if not emptied and checkpoint.journal is not None and checkpoint.journal != self._chain.journal:
            what = T("The checkpoint of entry {seq} is of another journal.", seq=checkpoint.seq)
            self._report(checkpoint, what, str(checkpoint.journal), str(self._chain.journal))
        elif checkpoint.seq > self._chain.last:
            if self._beyond is None or checkpoint.seq > self._beyond.seq:
                self._beyond = checkpoint
        elif self._chain.hashes.get(checkpoint.seq) != checkpoint.hash:
            what = T("Entry {seq} is not the one the checkpoint saw.", seq=checkpoint.seq)
            self._report(checkpoint, what, checkpoint.hash, self._chain.hashes.get(checkpoint.seq))
        else:
            self.guarded = max(self.guarded, checkpoint.seq)

    def finish(self) -> list[Problem]:
        """Return what was found, the cut end first."""
        if self._beyond is None:
            return self._problems
        last = self._chain.last
        what = T(
            "Entries {first} to {last} were cut off: a checkpoint shows the journal had them.",
            first=last + 1,
            last=self._beyond.seq,
        )
        return [Problem(last + 1, Fault.CUT_OFF, what, str(self._beyond.seq), str(last)), *self._problems]

    def _signed(self, checkpoint: Checkpoint) -> bool:
        try:
            key = parse(checkpoint.signature).public_key
            check(Signed(checkpoint.document, checkpoint.signature, NAMESPACE, key))
            whole = armour(dearmour(checkpoint.signature)) == checkpoint.signature
        except (ValueError, BadSignatureError):
            whole, key = False, ""
        if not whole:
            what = T("The signature of the checkpoint of entry {seq} does not hold.", seq=checkpoint.seq)
            self._report(checkpoint, what)
            return False
        if self._chain.last and key not in self._chain.controllers:
            what = T("The checkpoint of entry {seq} is signed by a key the journal does not know.", seq=checkpoint.seq)
            self._report(checkpoint, what)
            return False
        return True

    def _report(
        self, checkpoint: Checkpoint, text: Text, expected: str | None = None, found: str | None = None
    ) -> None:
        self._problems.append(Problem(checkpoint.seq, Fault.CHECKPOINT, text, expected, found))


def read_checkpoints(path: Path) -> tuple[list[Checkpoint], list[Problem]]:
    """Return the checkpoints of a file, and a problem for each line that is none.

    Raises:
        StorageError: the file cannot be read. An absent file is an empty one.
    """
    kept: list[Checkpoint] = []
    problems: list[Problem] = []
    with translated(str(path)):
        content = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    lines = content.split("\n")
    ended = lines.pop() == ""
    if not ended:
        problems.append(Problem(None, Fault.CHECKPOINT, T("The last line of the checkpoints' file is cut short.")))
    for number, line in enumerate(lines, start=1):
        try:
            kept.append(Checkpoint.from_line(line))
        except ValueError:
            what = T("Line {number} of the checkpoints' file is not a checkpoint.", number=number)
            problems.append(Problem(None, Fault.CHECKPOINT, what))
    return kept, problems
