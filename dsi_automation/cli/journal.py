"""`dsi journal`: verify the record, export it for an auditor, note its head elsewhere."""

from __future__ import annotations

from pathlib import Path

from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.session import session
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, TN

journal = Group(
    "journal",
    help=T("The append-only record of requests, approvals, runs and evidence."),
    options_metavar=OPTIONS,
)


@command("verify", T("Verify the whole journal: every hash, every signature, every checkpoint.\n\n"
                     "Exit code 6 when something is wrong; says which entry."))  # fmt: skip
@option("--checkpoint", metavar=T("FILE"), help=T("Also hold the journal against checkpoints kept elsewhere."))
def verify(checkpoint: str | None) -> int:
    """Verify the journal."""
    current = session()
    report = current.toolkit.verify_journal(None if checkpoint is None else Path(checkpoint))
    code = ExitCode.VERIFICATION_FAILED if report.problems else ExitCode.DONE
    if current.choices.json:
        view = {
            "entries": report.entries,
            "signatures": report.signatures,
            "checkpoints": report.checkpoints,
            "head": report.head,
            "problems": [{"seq": problem.seq, "what": str(problem.what)} for problem in report.problems],
            "exit_code": int(code),
        }
        current.out.data(view)
        return code
    for problem in report.problems:
        current.out.line(f"✗ {problem.what}", fg="red")
    sentence = TN("{n} entry", "{n} entries", report.entries)
    facts = T("{entries}, {signatures} signatures, {checkpoints} checkpoints; head {head}",
              entries=sentence, signatures=report.signatures, checkpoints=report.checkpoints, head=report.head)  # fmt: skip
    current.out.line(facts)
    good = T("The journal is whole.")
    bad = T("The journal is not what it was: the gate must stay closed until this is understood.")
    current.out.line(bad if report.problems else good, fg="red" if report.problems else "green", bold=True)
    return code


@command("export", T("Export the journal to a folder that an auditor can verify with ssh-keygen and sha256sum alone."))
@argument("file", metavar=T("FILE"), help=T("What to write; it must not exist."))
def export(file: str) -> None:
    """Export the journal."""
    current = session()
    count = current.toolkit.export_journal(Path(file))
    if current.choices.json:
        current.out.data({"file": file, "entries": count})
        return
    current.out.line(TN("{n} entry written to {file}", "{n} entries written to {file}", count, file=file))


@command("head", T("Print the number and hash of the last entry: note it elsewhere, and a cut-off end will show."))
def head() -> None:
    """Print the head."""
    current = session()
    seq, digest = current.toolkit.journal_head()
    if current.choices.json:
        current.out.data({"seq": seq, "hash": digest})
        return
    current.out.line(f"{seq}:{digest}")


journal.add_command(verify)
journal.add_command(export)
journal.add_command(head)
