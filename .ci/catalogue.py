"""Keeps the French catalogues in step with the sentences in the code: one gettext domain per room.

usage: catalogue.py update [ROOM...]   extract the sentences of these rooms (all) into their .po files
       catalogue.py check              fail when a sentence has no French or two, or a .po is not what the code says
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parent.parent / "dsi_automation"
PO = PACKAGE / "locale" / "fr" / "LC_MESSAGES"
KEYWORDS = {"T": None, "TN": (1, 2)}
METHODS = [("**.py", "python")]


def rooms() -> list[str]:
    """Return the rooms of the package that may hold sentences."""
    return [*sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")), "ansible_collections"]


def extracted(room: str) -> Catalog:
    """Return the sentences of one room, without translations."""
    catalogue = Catalog(locale="fr", domain=room, fuzzy=False, header_comment=f"# French of the room {room}.")
    # No dates and no addresses: the same code gives the same file.
    catalogue.mime_headers = [
        ("Language", "fr"),
        ("Plural-Forms", "nplurals=2; plural=(n > 1);"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
    ]
    for _, _, message, comments, _ in extract_from_dir(str(PACKAGE / room), METHODS, keywords=KEYWORDS):
        catalogue.add(message, auto_comments=comments)
    return catalogue


def current(room: str) -> Catalog:
    """Return what the room's .po file holds, or an empty catalogue."""
    path = PO / f"{room}.po"
    if not path.exists():
        return Catalog(locale="fr", domain=room)
    with path.open("rb") as source:
        return read_po(source, locale="fr", domain=room)


def update(room: str) -> None:
    """Write the room's .po file: sentences of the code, French kept where it was known."""
    wanted, known = extracted(room), current(room)
    for message in wanted:
        old = known.get(message.id) if message.id else None
        if old:
            message.string = old.string
    if len(wanted):
        with (PO / f"{room}.po").open("wb") as target:
            write_po(target, wanted, sort_output=True, omit_header=False, width=110, ignore_obsolete=True)


def problems(room: str) -> list[str]:
    """Return what is wrong with the room's catalogue, a line each."""
    wanted, known = extracted(room), current(room)
    found = [f"{room}: no French for {key(m)!r}" for m in wanted if m.id and not translated(known.get(m.id))]
    found += [f"{room}: no longer in the code: {key(m)!r}" for m in known if m.id and wanted.get(m.id) is None]
    for message in wanted:
        other = known.get(message.id) if message.id else None
        if other and translated(other) and fields(message.id) != fields(other.string):
            found.append(f"{room}: other parameters in the French of {key(message)!r}")
    return found


def clashes() -> list[str]:
    """Return the sentences that two rooms say differently in French: all rooms are read into one catalogue."""
    known: dict[str, dict[str, str]] = {}
    for room in rooms():
        for message in current(room):
            if message.id:
                known.setdefault(key(message), {})[str(message.string)] = room
    return [f"{' and '.join(said.values())}: two ways to say {english!r}"
            for english, said in known.items() if len(said) > 1]  # fmt: skip


def key(message: Message) -> str:
    """Return the (singular) English of a message."""
    return message.id if isinstance(message.id, str) else message.id[0]


def translated(message: Message | None) -> bool:
    """Tell whether every form of a message has its French, and nobody marked it doubtful."""
    if message is None or message.fuzzy:
        return False
    return all(message.string if isinstance(message.string, tuple | list) else (message.string,))


def fields(text: str | tuple[str, ...] | list[str]) -> set[str]:
    """Return the names between braces, over all forms of a sentence."""
    import string

    forms = (text,) if isinstance(text, str) else text
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def main() -> int:
    """Run the command of the usage text."""
    command, names = sys.argv[1], sys.argv[2:] or rooms()
    if command == "update":
        for room in names:
            update(room)
        return 0
    found = [line for room in names for line in problems(room)] + clashes()
    print("\n".join(found) or f"{len(names)} catalogues complete")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
