"""What the server srv1 holds: a few hundred files of many kinds, the same ones each time, and an application."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Final

DATA: Final = "srv/sydam"
"""The folder that is backed up; `etc` beside it is too."""
SEED: Final = 20261122
OLDEST: Final = 1_700_000_000
"""Seconds since 1970: when the oldest file was changed, so that times are the same in every lab."""
BUREAUX: Final = ("Abidjan-Port", "Aéroport FHB", "San-Pédro", "Bouaké", "Noé", "Pôgô")
GOODS: Final = ("café vert", "cacao fèves", "véhicules d’occasion", "riz brisé", "tissus imprimés", "médicaments")
DUMP: Final = """\
#!/bin/sh
# Before the backup: the application writes all it holds into one file, whole or not at all.
set -eu
here=$(dirname "$(readlink -f "$0")")
if [ -e "$here/en-panne" ]; then
    echo "l'application ne répond pas" >&2
    exit 1
fi
mkdir -p "$here/dump"
sort "$here/donnees/journal.csv" > "$here/dump/application.dump.new"
mv "$here/dump/application.dump.new" "$here/dump/application.dump"
"""
TIDY: Final = """\
#!/bin/sh
# After the backup, whatever became of it.
set -eu
here=$(dirname "$(readlink -f "$0")")
rm -f "$here/dump/application.dump" "$here/dump/application.dump.new"
"""


def ensure(folder: Path) -> bool:
    """Write the files, unless they are there.

    Returns:
        Whether they were written.
    """
    if folder.exists():
        return False
    # By another name until it is whole, for a start that is killed.
    temporary = folder.with_name(folder.name + ".new")
    if temporary.exists():
        shutil.rmtree(temporary)
    _write(temporary)
    temporary.rename(folder)
    return True


def _write(root: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311  # invented files, not secrets
    data, settings = root / DATA, root / "etc"
    _declarations(data, chance)
    _scans(data, chance)
    _special(data, chance)
    _application(data / "application", chance)
    _put(settings / "sydam.conf", "[base]\nserveur = db1\nnom = sydam\n", chance)
    _put(settings / "cron.d" / "sydam", "0 22 * * 1-5 sydam /srv/sydam/application/cloture\n", chance)
    for folder in sorted((path for path in root.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True):
        os.utime(folder, (OLDEST, OLDEST))


def _declarations(data: Path, chance: random.Random) -> None:
    for bureau in BUREAUX:
        for month in range(1, 13):
            for number in range(1, 4):
                lines = [
                    f"{bureau};{month:02};{number:04};{chance.choice(GOODS)};{chance.randrange(10**7)}"
                    for _ in range(chance.randrange(5, 60))
                ]
                _put(
                    data / "déclarations" / bureau / f"2026-{month:02}" / f"D{number:04}.csv", "\n".join(lines), chance
                )


def _scans(data: Path, chance: random.Random) -> None:
    for number in range(1, 61):
        content = b"%PDF-1.4\n" + chance.randbytes(chance.randrange(2_000, 40_000))
        _put(data / "pièces numérisées" / f"facture n° {number:03}.pdf", content, chance)


def _special(data: Path, chance: random.Random) -> None:
    _put(data / "Note de service – clôture de l’exercice (définitive).txt", "Réservé à l’usage interne.\n", chance)
    _put(data / "grand" / "archive-2025.bin", chance.randbytes(6 * 2**20), chance)
    _put(data / "grand" / "vide.dat", b"", chance)
    sparse = data / "grand" / "creux.img"
    with sparse.open("wb") as file:
        file.truncate(4 * 2**20)
        file.seek(2 * 2**20)
        file.write(b"au milieu")
    os.utime(sparse, (OLDEST, OLDEST))
    for name in ("reçus", "à traiter/urgent"):
        (data / name).mkdir(parents=True)
    (data / "courant").symlink_to("déclarations/San-Pédro/2026-11")
    (data / "perdu").symlink_to("nulle/part")
    os.link(data / "grand" / "archive-2025.bin", data / "grand" / "archive-2025 (lien).bin")
    secret = data / "confidentiel.key"
    _put(secret, chance.randbytes(64), chance)
    secret.chmod(0o600)


def _application(folder: Path, chance: random.Random) -> None:
    lines = [f"{chance.randrange(10**9):09};{chance.choice(GOODS)};{chance.randrange(10**6)}" for _ in range(4_000)]
    _put(folder / "donnees" / "journal.csv", "\n".join(lines) + "\n", chance)
    for name, script in (("avant-sauvegarde", DUMP), ("apres-sauvegarde", TIDY)):
        _put(folder / name, script, chance)
        (folder / name).chmod(0o755)


def _put(path: Path, content: str | bytes, chance: random.Random) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    moment = OLDEST + chance.randrange(80_000_000)
    os.utime(path, (moment, moment))
