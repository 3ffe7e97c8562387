"""From a file of people to sealed letters, in a lab whose directory is real; passwords appear in no other place."""

import io
import os
import subprocess

import pypdf
from fix_office import SECTION_HEAD


def bind(lab, address, password):
    """Return what the directory says to a login and a password: `ldapwhoami`, not ours."""
    said = subprocess.run(
        ["ldapwhoami", "-x", "-H", f"ldaps://{lab.layout.dc_address}", "-D", address, "-y", "/dev/stdin"],
        input=password, env={**os.environ, "LDAPTLS_CACERT": str(lab.layout.ca_file)}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    return said.stdout + said.stderr


def test_accounts_are_handed_over_once_with_passwords_that_must_be_changed(office, tmp_path):
    rows = office.staff(2)
    numbers = sorted(row["matricule"] for row in rows)
    asked = office.approved("-i", f"people=@{office.csv(rows)}", operation="mailbox.create")
    run = office.run(asked)
    assert run.code == 0, run
    following = run.json["next_command"]
    assert following == f"dsi mailbox handover {run.json['id']}"

    refused = office.dsi("mailbox", "handover", numbers[0], person=SECTION_HEAD)
    assert refused.code == 4, refused

    shown = office.dsi("mailbox", "handover", numbers[0], "--json")
    assert shown.code == 0, shown
    (first,) = shown.json["accounts"]
    assert "data 773" in bind(office.lab, first["address"], first["password"])
    assert first["run"] == run.json["id"]

    folder = tmp_path / "letters"
    sealed = office.dsi(*following.split()[1:], "--letters", folder, "--sealed", "--to", "leur chef", "--json")
    assert sealed.code == 0, sealed
    accounts = {item["target"]: item for item in sealed.json["accounts"]}
    assert {name: item["how"] for name, item in accounts.items()} == {numbers[0]: "letter", numbers[1]: "sealed_letter"}
    pdf = io.BytesIO((folder / f"mailbox-{numbers[1]}.pdf").read_bytes())
    (page,) = pypdf.PdfReader(pdf, password=sealed.json["opening_code"]).pages
    text = "".join(page.extract_text().split())
    password = text.partition("provisoire")[2][:16]
    assert "data 773" in bind(office.lab, accounts[numbers[1]]["address"], password)

    written = b"".join(path.read_bytes() for path in office.folder.rglob("*") if path.is_file())
    for secret in (first["password"], password, sealed.json["opening_code"]):
        assert secret.encode() not in written
    again = office.dsi("mailbox", "handover", *numbers)
    assert again.code == 0, again
    assert again.out.count("m.kouadio") >= len(numbers)
    assert not any(secret in again.out for secret in (first["password"], password))
    assert len(office.dsi("show", run.json["id"], "--json").json["run"]["handovers"]) == 3
    assert office.dsi("show", run.json["id"], "--json").json["run"]["next_command"] is None
    office.assert_whole()
