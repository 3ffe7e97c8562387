"""Looking for secrets where none may be: the shapes they travel in, and the files to look into."""

import base64
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus


def shapes(value):
    """Return the bytes a password may hide in: plain, wide, hex, base64 at each offset, quoted."""
    plain, wide = value.encode(), value.encode("utf-16-le")
    found = {plain, wide, plain.hex().encode(), plain.hex().upper().encode(), wide.hex().encode()}
    for whole in (plain, wide):
        for offset in range(3):
            # Whatever stands before shifts base64; the characters that mix with neighbours are left out.
            text = base64.b64encode(b"\0" * offset + whole)
            found.add(text[4 if offset else 0 : -4])
            found.add(text[4 if offset else 0 : -4].translate(bytes.maketrans(b"+/", b"-_")))
    found |= {quote(value, safe="").encode(), quote_plus(value).encode(), repr(value)[1:-1].encode()}
    return {shape for shape in found if len(shape) >= 8}


def files_below(*folders):
    return [path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


class Processes:
    """Reads the command lines and environments of all processes, until it is stopped, and keeps each.

    What is a secret may be known afterwards only.
    """

    def __init__(self):
        self.seen, self.samples = set(), 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(0.05):
            self.samples += 1
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self.take(name, (process / name).read_bytes())
                    except OSError:
                        continue

    def take(self, name, content):
        """Keep what was read of a process."""
        del name
        self.seen.add(content)


class Watcher(Processes):
    """Keeps those alone that hold what is looked for."""

    def __init__(self, wanted):
        super().__init__()
        self.wanted, self.seen = wanted, []

    def take(self, name, content):
        self.seen += [(name, content) for shape in self.wanted if shape in content]
