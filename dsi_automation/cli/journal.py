"""`dsi journal`: verify the record, export it for an auditor, note its head elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path

from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.session import session
from dsi_automation.core.text import TN, T

journal = Group(
    "journal",
    help=T("The append-only record of requests, approvals, runs and evidence."),
    options_metavar=OPTIONS,
)


@command(
    "verify",
    T(
        "Verify the whole journal: every hash, every signature, every checkpoint.\n\n"
        "Exit code 6 when something is wrong; says which entry."
    ),
)
@option("--checkpoint", metavar=T("FILE"), help=T("Also hold the journal against checkpoints kept elsewhere."))
def verify(checkpoint: str | None) -> int:
    """Verify the journal."""
    current = session()
    found = current.toolkit.verify_journal(None if checkpoint is None else Path(checkpoint))
    if current.choices.json:
        problems = [{**problem.to_json(), "text": str(problem.text)} for problem in found.problems]
        current.out.data({**found.to_json(), "problems": problems, "exit_code": int(found.exit_code)})
        return found.exit_code
    for problem in found.problems:
        current.out.line(f"✗ {problem.text}", fg="red")
    sentence = TN("{n} entry", "{n} entries", found.entries)
    facts = T(
        "{entries}, {signatures}, {checkpoints}; head {head}",
        entries=sentence,
        signatures=TN("{n} signature", "{n} signatures", found.signatures),
        checkpoints=TN("{n} checkpoint", "{n} checkpoints", found.checkpoints),
        head=found.head,
    )
    current.out.line(facts)
    if found.unguarded:
        current.out.line(
            TN(
                "{n} entry after the last checkpoint: cutting it off would not show.",
                "{n} entries after the last checkpoint: cutting them off would not show.",
                found.unguarded,
            ),
            fg="yellow",
        )
    good = T("The journal is whole.")
    bad = T("The journal is not what it was: the gate must stay closed until this is understood.")
    current.out.line(good if found.ok else bad, fg="green" if found.ok else "red", bold=True)
    return found.exit_code


@command(
    "export",
    T(
        "Export the journal to a file that an auditor can verify with ssh-keygen and sha256sum alone.\n\n"
        "The file is an archive: .tar or .zip when its name ends so, else .tar.gz. A name that ends with / gives a "
        "folder."
    ),
)
@argument("file", metavar=T("FILE"), help=T("What to write; it must not exist."))
def export(file: str) -> None:
    """Export the journal."""
    current = session()
    folder = file.endswith("/")
    count = current.toolkit.export_journal(Path(file), folder=folder)
    if current.choices.json:
        current.out.data({"file": file, "entries": count})
        return
    current.out.line(TN("{n} entry written to {file}", "{n} entries written to {file}", count, file=file))
    if folder:
        look = f"cd {shlex.quote(file)} && sh check.sh"
    else:
        unpack = "unzip -q" if file.endswith(".zip") else "tar -xf"
        look = f"{unpack} {shlex.quote(file)} && cd journal-export && sh check.sh"
    current.out.line(T("To verify it, on any machine: {command}", command=look))


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
