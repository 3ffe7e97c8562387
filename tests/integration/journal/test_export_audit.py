"""An auditor verifies an export with the very commands of the how-to, and a tampered one fails."""

import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fix_journal import Place

from dsi_automation.core.errors import UsageError
from dsi_automation.journal.export import export
from dsi_automation.journal.signatures import AllowedSigner

HOWTO = Path(__file__).parents[3] / "docs/how-to/verify-a-journal-export.md"
UNPACK, CHECK, COMPARE = re.findall(r"```sh\n(.*?)```", HOWTO.read_text(), re.DOTALL)


def sh(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **more}
    return subprocess.run(
        ["sh", "-c", script], cwd=folder, capture_output=True, text=True, env=environment, check=False, errors="replace"
    )


@pytest.fixture
def exported(story: Place, signers: list[AllowedSigner], tmp_path: Path) -> Path:
    """An export, unpacked with the how-to's commands, on a machine that has nothing else of ours."""
    folder = tmp_path / "auditor"
    folder.mkdir()
    export(story.open(), folder / "journal.tar.gz", story.checkpoints, signers)
    assert sh(UNPACK, folder).returncode == 0
    return folder / "journal-export"


def test_the_commands_of_the_how_to_accept_an_export(exported: Path) -> None:
    done = sh(CHECK, exported)
    last = (exported / "hashes.txt").read_text().splitlines()[-1]
    assert (done.stdout, done.returncode) == (f"OK: 10 entries, the last one is 10:{last}\n", 0)
    assert done.stderr == ""
    kept = {"KEPT_NUMBER": "10", "KEPT_HASH": last}
    assert sh(COMPARE, exported, **kept).returncode == 0
    assert sh(COMPARE, exported, **{**kept, "KEPT_NUMBER": "9"}).returncode == 1


def test_an_export_carries_the_very_script_that_the_how_to_shows(exported: Path) -> None:
    carried = (exported / "check.sh").read_text()
    assert carried.split("\n", 2)[2] == CHECK
    assert sh("sh check.sh", exported).returncode == 0


def lines_of(path: Path) -> list[str]:
    """Return lines with their ends; U+2028 ends none."""
    return [f"{line}\n" for line in path.read_text().removesuffix("\n").split("\n")]


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_text()
        assert old in content
        (folder / name).write_text(content.replace(old, new, 1))

    return change


def drop_line(number: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for name in ("journal.jsonl", "hashes.txt"):
            lines = lines_of(folder / name)
            del lines[number - 1]
            (folder / name).write_text("".join(lines))

    return change


def swap(folder: Path) -> None:
    for name in ("journal.jsonl", "hashes.txt"):
        lines = lines_of(folder / name)
        lines[4], lines[5] = lines[5], lines[4]
        (folder / name).write_text("".join(lines))


def exchange_words(folder: Path) -> None:
    for ending in ("document", "sig", "namespace", "principal", "time"):
        shutil.copy(folder / f"signatures/2.{ending}", folder / f"signatures/3.{ending}")


def unsign(folder: Path) -> None:
    lines = lines_of(folder / "journal.jsonl")
    lines[2] = re.sub(r'"signed":\{.*\},"subject"', '"signed":null,"subject"', lines[2])
    (folder / "journal.jsonl").write_text("".join(lines))


def put_nul(folder: Path) -> None:
    content = (folder / "journal.jsonl").read_bytes()
    (folder / "journal.jsonl").write_bytes(content.replace(b'"number":3', b'"num\0ber":3'))


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "an entry edited": (edit("journal.jsonl", '"number":3', '"number":4'), "entry 7: it is not what hashes.txt says"),
    "a hash edited": (
        lambda folder: edit("hashes.txt", (folder / "hashes.txt").read_text()[:64], "0" * 64)(folder),
        "entry 1: it is not what",
    ),
    "an entry removed": (drop_line(5), "entry 5: it does not follow entry 4"),
    "the last entry removed": (drop_line(10), "entry 10 is not the one of the checkpoint"),
    "entries swapped": (swap, "entry 5: it does not follow"),
    "a signed document edited": (edit("signatures/3.document", "yes", "no"), "entry 3: the signature does not hold"),
    "another's word put there": (exchange_words, "entry 3: it was signed by somebody else"),
    "a word without its signature": (unsign, "entry 3: it should be signed and is not"),
    "a checkpoint edited": (
        edit("checkpoint.document", '"seq":10', '"seq":9'),
        "the checkpoint's signature does not hold",
    ),
    "a key replaced": (edit("allowed_signers", "yao ", "nobody "), "entry 3: the signature"),
    "NUL bytes put in": (put_nul, "NUL bytes"),
    "the end of the last line removed": (
        lambda folder: (folder / "journal.jsonl").write_bytes((folder / "journal.jsonl").read_bytes()[:-2]) and None,
        "entry 10: it is not what hashes.txt says",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_commands_of_the_how_to_find_it(exported: Path, name: str) -> None:
    change, expected = TAMPERINGS[name]
    change(exported)
    done = sh(CHECK, exported)
    assert expected in done.stdout
    assert done.stdout.endswith("BROKEN\n")
    assert done.returncode != 0


def test_the_lines_of_an_export_are_the_bytes_that_were_hashed(exported: Path, story: Place) -> None:
    lines = (exported / "journal.jsonl").read_text().split("\n")
    assert lines == [*(entry.line for entry in story.open().read()), ""]
    readme = (exported / "README.txt").read_text()
    assert readme.index("EXPORT DU JOURNAL") < readme.index("EXPORT OF THE JOURNAL")


def test_the_commands_of_the_readme_work(exported: Path) -> None:
    readme = (exported / "README.txt").read_text().split("EXPORT OF")[1]
    readme = re.sub(r"\b5(?=p|\.)", "2", readme)
    commands = "\n".join(re.findall(r"^    (\S.*)$", readme.replace("\\\n", ""), re.MULTILINE))
    assert commands.count("ssh-keygen") == 2
    done = sh("set -e\n" + commands, exported)
    assert (done.stdout.count("Good"), done.returncode) == (2, 0), done.stderr


def test_a_tampered_database_is_exported_as_it_stands(story: Place, signers, tmp_path: Path) -> None:
    import sqlite3

    journal = story.open()
    with sqlite3.connect(story.database) as connection:
        connection.execute("DROP TRIGGER entries_no_update")
        connection.execute("UPDATE entries SET line = '[]' WHERE seq = 5")
        connection.execute('UPDATE entries SET line = \'{"signed":{},"kind":3}\' WHERE seq = 6')
    connection.close()
    export(journal, tmp_path / "folder", story.checkpoints, signers, folder=True)
    done = sh(CHECK, tmp_path / "folder")
    assert "entry 5: it is not what hashes.txt says" in done.stdout
    assert done.returncode != 0


def test_an_export_replaces_nothing_and_leaves_nothing_half_written(story: Place, signers, tmp_path: Path) -> None:
    journal = story.open()
    (tmp_path / "there.tar.gz").write_text("precious")
    with pytest.raises(UsageError):
        export(journal, tmp_path / "there.tar.gz", story.checkpoints, signers)
    with pytest.raises(UsageError):
        export(journal, tmp_path / "absent" / "x.tar.gz", story.checkpoints, signers)
    assert (tmp_path / "there.tar.gz").read_text() == "precious"
    assert not (tmp_path / "absent").exists()


def test_two_exports_of_one_journal_are_the_same_bytes(story: Place, signers, tmp_path: Path) -> None:
    journal = story.open()
    first, second = (export(journal, tmp_path / f"{n}.tar.gz", story.checkpoints, signers).path for n in (1, 2))
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        assert all(member.name.startswith("journal-export/") for member in tar)
