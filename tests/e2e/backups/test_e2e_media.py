"""`dsi media` as people type it: each step under its own key, on an inventory and a journal of its own."""

import json
import os
import subprocess
from pathlib import Path

import forking
import pypdf
import pytest
import yaml

PEOPLE = {
    "m.kouadio": ("Mariam Kouadio", "technician", "400101-A"),
    "y.traore": ("Yao Traoré", "section_head", "400102-B"),
    "a.bamba": ("Aïssata Bamba", "director", "400103-C"),
}


class Counter:
    """An inventory with one rotation of disks, and its people's keys."""

    def __init__(self, folder):
        self.folder, self.inventory = folder, folder / "inventory"
        (self.inventory / "group_vars").mkdir(parents=True)
        self._write("hosts.yml", {"all": {"hosts": {"srv1": {"ansible_connection": "ssh"}}}})
        media = {f"disque-0{n}": {"kind": "disk", "title": f"DISQUE-0{n}", "uuid": f"0000-000{n}"} for n in (1, 2)}
        rotation = {
            "title": "Disques externes",
            "media": list(media),
            "password": {"file": str(folder / "secret")},
            "mount_point": str(folder / "externe"),
            "keepers": ["y.traore", "a.bamba"],
            "places": ["Coffre BNI Plateau"],
        }
        self._write("group_vars/all.yml", {"dsi_media": {"media": media, "rotations": {"externe": rotation}}})
        (folder / "secret").write_text("mot-de-passe-de-la-rotation")
        people = []
        for name, (title, role, number) in PEOPLE.items():
            key = folder / name
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
            public = Path(f"{key}.pub").read_text().strip()
            people.append(
                {"id": name, "name": title, "staff_number": number, "roles": [role], "keys": [{"key": public}]}
            )
        roles = {role: role for _, role, _ in PEOPLE.values()}
        self._write("people.yml", {"version": 1, "roles": roles, "people": people})
        self._write("approval_policy.yml", {"version": 1, "operations": {}})
        self._write("dsi.yml", {"state_dir": str(folder / "state")})

    def _write(self, name, content):
        (self.inventory / name).write_text(yaml.safe_dump(content, allow_unicode=True))

    def dsi(self, *words, who="m.kouadio", lang="fr"):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "DSI_INVENTORY": str(self.inventory),
            "DSI_LANG": lang,
        }
        environment["DSI_KEY"] = str(self.folder / who)
        return forking.run([forking.DSI, *words], env=environment, cwd=self.folder)

    def said(self, *words, **more):
        done = self.dsi(*words, "--json", **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def counter(tmp_path):
    return Counter(tmp_path)


def test_a_medium_goes_off_site_and_comes_back_by_hands_that_sign(counter):
    assert [row["state"] for row in counter.said("media", "list")["media"]] == ["on_site", "on_site"]
    made = counter.said("media", "handover", "disque-01", "--to", "y.traore", "--seal", "S-4711")
    assert (made["state"], made["person"], made["to"]) == ("courier", "m.kouadio", "y.traore")
    refused = counter.dsi("media", "store", "disque-01", "--place", "Coffre BNI Plateau")
    assert refused.returncode == 4, refused.stderr
    wrong = counter.dsi("media", "store", "disque-01", "--place", "Sous le bureau", who="y.traore")
    assert wrong.returncode == 2
    assert "Coffre BNI Plateau" in wrong.stderr
    counter.said("media", "store", "disque-01", "--place", "Coffre BNI Plateau", "--box", "12", who="y.traore")
    shown = counter.said("media", "list")["media"][0]
    assert (shown["state"], shown["place"], shown["box"], shown["due"]) == (
        "vault",
        "Coffre BNI Plateau",
        "12",
        False,
    )
    counter.said("media", "return", "disque-01", "--recall")
    assert counter.said("media", "list")["media"][0]["place"] == "Coffre BNI Plateau"
    counter.said("media", "return", "disque-01", who="y.traore")
    same = counter.dsi("media", "return", "disque-01", who="y.traore")
    assert same.returncode == 4
    counter.said("media", "return", "disque-01")
    moves = counter.said("media", "show", "disque-01")["moves"]
    assert [move["state"] for move in moves] == ["courier", "vault", "retrieve_requested", "courier_back", "on_site"]
    assert counter.dsi("journal", "verify").returncode == 0


def test_a_medium_is_handed_to_keepers_only_and_only_if_the_inventory_has_it(counter):
    assert counter.dsi("media", "handover", "disque-01", "--to", "m.kouadio").returncode == 2
    unknown = counter.dsi("media", "handover", "disque-09", "--to", "y.traore")
    assert (unknown.returncode, "disque-0" in unknown.stderr) == (2, True)
    assert counter.dsi("media", "store", "disque-01", "--place", "Coffre BNI Plateau", who="a.bamba").returncode == 2


def test_the_slip_is_a_pdf_with_medium_and_people_in_both_languages(counter):
    counter.said("media", "handover", "DISQUE-01", "--to", "y.traore", "--slip", "bordereau.pdf")
    for lang, word in (("fr", "Remis par"), ("en", "Handed over by")):
        counter.said("media", "slip", "disque-01", "--output", f"{lang}.pdf", lang=lang)
        text = "".join(page.extract_text() for page in pypdf.PdfReader(counter.folder / f"{lang}.pdf").pages)
        assert word in text
        assert "Mariam Kouadio" in text
        assert "Yao Traoré" in text
        assert "DISQUE-01" in text
    assert (counter.folder / "bordereau.pdf").read_bytes().startswith(b"%PDF")


def test_what_people_read_is_french_and_says_what_comes_next(counter):
    done = counter.dsi("media", "handover", "disque-01", "--to", "y.traore")
    assert done.returncode == 0, done.stderr
    assert "chez le porteur" in done.stdout
    assert "dsi media slip disque-01" in done.stdout
    again = counter.dsi("media", "handover", "disque-01", "--to", "y.traore")
    assert again.returncode == 2
    assert "dsi media show disque-01" in again.stderr
