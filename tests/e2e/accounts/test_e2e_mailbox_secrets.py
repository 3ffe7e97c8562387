"""The temporary passwords are in the hands of their people and nowhere else; tokens and keys are nowhere at all."""

import io
import re
import subprocess

import pypdf
from canary import Processes, files_below, shapes

TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}")
"""A JSON web token: access tokens and client assertions are of this shape (RFC 7519)."""


def text_of(path):
    """Return what is written in a file; of a PDF that anybody can open, the text of its pages."""
    content = path.read_bytes()
    if path.suffix == ".pdf" and not (reader := pypdf.PdfReader(io.BytesIO(content))).is_encrypted:
        content += "".join("".join(page.extract_text().split()) for page in reader.pages).encode()
    return content


def test_no_temporary_password_token_or_key_is_anywhere_but_where_it_was_handed_over(desk, tmp_path_factory):
    office, letters = desk.office, tmp_path_factory.mktemp("letters")
    desk.graph.hybrid(enabled=False)
    rows = office.staff(2, contact="quelquun@example.org")
    first, second = (row["matricule"] for row in rows)
    secrets = []

    def handed(*words):
        """Hand over, and keep what only the screen may show."""
        said = office.dsi("mailbox", "handover", *words, "--debug", "--json")
        assert said.code == 0, said
        office.said.pop()
        shown = [account["password"] for account in said.json["accounts"] if account["password"]]
        secrets.extend([*shown, *filter(None, [said.json["opening_code"]])])
        rest = said.out
        for secret in secrets:
            rest = rest.replace(secret, "")
        office.said.append(rest + said.err)
        return said

    with Processes() as processes:
        asked = desk.ask(rows)
        desk.graph.fault("status", method="POST", path="/users", status=504, after_commit=True, count=1)
        said = office.dsi("run", asked, "--debug", "--json")
        assert said.code == 0, said
        handed(first)
        handed(second, "--letters", letters, "--sealed")
        again = office.dsi("run", desk.ask(rows[:1], "-i", "reset=true"), "--debug", "--json")
        assert again.code == 0, again
        handed(first)
        gone = office.approved(second, operation="account.disable")
        assert office.dsi("run", gone, "--debug", "--json").code == 0
        for command in (["show", asked], ["mailbox", "check", first], ["doctor", "m365"], ["journal", "verify"]):
            office.dsi(*command, "--debug")
    code = secrets[1]
    (page,) = pypdf.PdfReader(letters / f"mailbox-{second}.pdf", password=code).pages
    secrets.append("".join(page.extract_text().split()).partition("provisoire")[2][:16])
    assert len(set(secrets)) == 4
    assert desk.graph.sign_in(desk.user(first)["userPrincipalName"], secrets[2]) == "must_change"
    office.dsi("journal", "export", "export.tar.gz")
    subprocess.run(["tar", "-xzf", "export.tar.gz"], cwd=office.folder, check=True)

    key = desk.lab.layout.app_certificate.read_bytes().partition(b"PRIVATE KEY-----")[2].split(b"-----")[0].split()
    wanted = set().union(*(shapes(secret) for secret in secrets), key)
    assert len(wanted) > len(key) > 10
    kept = {path: text_of(path) for path in files_below(office.folder, letters, desk.lab.layout.log_dir)}
    assert any(path.name == "journal.db" for path in kept)
    assert any(path.parent == office.letters for path in kept)
    assert any(path.name == "graph-requests.jsonl" for path in kept)
    kept["mails"] = str(desk.graph.mails()).encode()
    kept["said"] = "".join(office.said).encode()
    kept["processes"] = b"\n".join(processes.seen)
    assert processes.samples > 5
    leaks = {str(place) for place, text in kept.items() if TOKEN.search(text) or any(one in text for one in wanted)}
    assert leaks == set()
