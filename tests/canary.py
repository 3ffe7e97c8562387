"""Looking for secrets where none may be: the shapes they travel in, and the files to look into."""

import base64
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
