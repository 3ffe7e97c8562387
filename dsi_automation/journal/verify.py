"""Verification: finds what was edited, removed, moved, inserted or cut off, and signatures that do not hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.journal.chain import disagreements
from dsi_automation.journal.chain_check import ChainCheck, check_rows
from dsi_automation.journal.checkpoint_check import CheckpointCheck, read_checkpoints
from dsi_automation.journal.errors import BadSignatureError, DamagedError, TamperedError
from dsi_automation.journal.findings import Fault, Problem, Verification
from dsi_automation.journal.model import Entry, Kind, Signed
from dsi_automation.journal.row import Row, of_entries
from dsi_automation.journal.signatures import AllowedSigner, check, check_signer

if TYPE_CHECKING:
    from dsi_automation.journal.checkpoints import Checkpoint
    from dsi_automation.journal.store import SqlJournal

SIGNED: Final = frozenset(
    {
        Kind.REQUESTED,
        Kind.APPROVED,
        Kind.REFUSED,
        Kind.REVOKED,
        Kind.RATIFIED,
        Kind.HANDED_OVER,
        Kind.MEDIUM_MOVED,
        Kind.ACCEPTANCE,
    }
)
"""Kinds that are somebody's word, so that they count for nothing without a signature."""


def verify_journal(
    journal: SqlJournal,
    checkpoints: Path | None,
    signers: Sequence[AllowedSigner] | None = None,
    external: Sequence[Checkpoint] = (),
) -> Verification:
    """Verify a database against its checkpoints' file, the people's keys and checkpoints kept elsewhere.

    Args:
        checkpoints: the controller's `checkpoints.jsonl`.
        signers: whose keys count; None to check only that signatures hold.
        external: checkpoints from a copy that this machine could not change: see `read_external`.

    Raises:
        StorageError: the database or the file cannot be read at all.
    """
    kept, problems = read_checkpoints(checkpoints) if checkpoints else ([], [])
    walk = _Walk(signers)
    try:
        with journal.rows() as rows:
            walk.over(rows)
    except DamagedError as error:
        walk.problems.append(Problem(walk.chain.last + 1, Fault.DAMAGED, error.what))
    return walk.result([*kept, *external], problems)


def verify_rows(
    rows: Iterable[Row], checkpoints: Sequence[Checkpoint] = (), signers: Sequence[AllowedSigner] | None = None
) -> Verification:
    """Verify rows from anywhere: an export, or a list of entries."""
    walk = _Walk(signers)
    walk.over(rows)
    return walk.result(checkpoints, [])


def audit(entries: Sequence[Entry]) -> None:
    """Make sure that entries, all of them in order, are one unbroken chain: what the gate asks before it opens.

    Signatures are the gate's own business; the end of the chain is held against the last checkpoint whenever a
    transaction starts.

    Raises:
        TamperedError: they are not.
    """
    problems = check_rows(of_entries(entries)).problems
    if problems:
        raise TamperedError(
            problems[0].text,
            meaning=T("Somebody changed the database from outside, so the gate stays closed."),
            next_step=T("Run `dsi journal verify` and keep a copy of the database as it is."),
            detail={"problems": [problem.to_json() for problem in problems]},
        )


class _Walk:
    """One verification: the chain, then each signature as it comes by, then the checkpoints."""

    def __init__(self, signers: Sequence[AllowedSigner] | None) -> None:
        self.chain = ChainCheck()
        self.problems: list[Problem] = []
        self._signers = signers
        self._signatures = 0

    def over(self, rows: Iterable[Row]) -> None:
        for row in rows:
            data = self.chain.take(row)
            if data is not None and (data["signed"] is not None or data["kind"] in SIGNED):
                self._look_at_word(self.chain.last, data)

    def result(self, checkpoints: Sequence[Checkpoint], before: Sequence[Problem]) -> Verification:
        held = CheckpointCheck(self.chain)
        for checkpoint in checkpoints:
            held.take(checkpoint)
        problems = [*self.chain.problems, *self.problems, *before, *held.finish()]
        return Verification(
            journal=self.chain.journal,
            entries=len(self.chain.hashes),
            signatures=self._signatures,
            checkpoints=len(checkpoints),
            head=self.chain.head,
            unguarded=self.chain.last - held.guarded,
            problems=tuple(sorted(problems, key=_place)),
        )

    def _look_at_word(self, seq: int, data: Mapping[str, Any]) -> None:
        if data["signed"] is None:
            self._report(seq, Fault.UNSIGNED, T("Entry {seq} should be signed and is not.", seq=seq))
            return
        self._signatures += 1
        try:
            signed = Signed(**data["signed"])
            at = parse_iso(data["at"])
            if self._signers is None:
                check(signed)
            else:
                check_signer(signed, data["actor"], self._signers, at)
        except BadSignatureError as error:
            self._report(seq, Fault.BAD_SIGNATURE, T("Entry {seq}: {why}", seq=seq, why=error.what))
        except (ValueError, TypeError, AttributeError):
            self._report(seq, Fault.BAD_SIGNATURE, T("Entry {seq} holds no readable signature.", seq=seq))
        else:
            self._look_at_document(seq, data, signed)

    def _look_at_document(self, seq: int, data: Mapping[str, Any], signed: Signed) -> None:
        try:
            document = json.loads(signed.document)
        except ValueError:
            document = None
        if not isinstance(document, dict) or not isinstance(data["body"], dict):
            self._report(seq, Fault.DOCUMENT, T("The document signed in entry {seq} cannot be read.", seq=seq))
            return
        wrong = disagreements(document, data["body"]) + _unlike(document, data, self.chain)
        if wrong:
            what = T(
                "Entry {seq} says something else than its signed document, on: {members}.",
                seq=seq,
                members=", ".join(wrong),
            )
            self._report(seq, Fault.DOCUMENT, what)

    def _report(self, seq: int, fault: Fault, text: Text) -> None:
        self.problems.append(Problem(seq, fault, text))


def _unlike(document: Mapping[str, Any], data: Mapping[str, Any], chain: ChainCheck) -> list[str]:
    """Return the members of a signed document that bind something else than what stands in the journal.

    A document may name the person, the journal (its first entry's hash), its subject, the SHA-256 of a member of
    the body (`plan_sha256`), and the head of the journal its signer saw.
    """
    wrong = []
    if "person" in document and document["person"] != data["actor"]:
        wrong.append("person")
    if "journal" in document and document["journal"] not in {chain.hashes.get(1), chain.journal}:
        wrong.append("journal")
    subjects = {
        document[name]
        for name in ("request", "run", "handover", "move", "acceptance")
        if isinstance(document.get(name), str)
    }
    if subjects and data["subject"] not in subjects:
        wrong.append("subject")
    wrong += [f"{name}_sha256" for name, value in data["body"].items() if _other_digest(document, name, value)]
    head = document.get("head")
    if isinstance(head, dict) and chain.hashes.get(head.get("seq", 0)) != head.get("hash"):
        wrong.append("head")
    return wrong


def _other_digest(document: Mapping[str, Any], name: str, value: Any) -> bool:
    claimed = document.get(f"{name}_sha256")
    return claimed is not None and hashlib.sha256(canonical_bytes(value)).hexdigest() != claimed


def _place(problem: Problem) -> tuple[int, str]:
    return (problem.seq if problem.seq is not None else 1 << 62, problem.fault.value)


def read_external(path: Path) -> list[Checkpoint]:
    """Return the checkpoints of a copy kept elsewhere: lines of `checkpoints.jsonl`, or `NUMBER:HASH` noted by hand.

    Raises:
        UsageError: the file cannot be read, or a line is neither.
    """
    from dsi_automation.journal.checkpoints import Checkpoint

    found = []
    try:
        lines = path.read_text().splitlines()
        for line in lines:
            if not line.strip():
                continue
            if line.startswith("{"):
                found.append(Checkpoint.from_line(line))
                continue
            number, _, noted = line.strip().partition(":")
            found.append(Checkpoint(None, int(number), bytes.fromhex(noted).hex()))
    except (OSError, ValueError) as error:
        raise UsageError(
            T("The file {path} holds no checkpoints.", path=str(path)),
            next_step=T("Give a copy of checkpoints.jsonl, or lines of the form NUMBER:HASH."),
        ) from error
    return found
