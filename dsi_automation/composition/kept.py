"""What the state folder keeps under its own digest: a rule set as it was, a release as it was approved."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dsi_automation.composition.files import write
from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T


def read(folder: Path, sha256: str) -> bytes | None:
    """Return what is kept under a digest; None when there is none.

    Raises:
        StorageError: it cannot be read, or is not what was kept.
    """
    path = folder / sha256
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(T("{path} cannot be read: {reason}.", path=str(path), reason=reason_of(error))) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StorageError(T("{path} is not what was kept there: its digest differs.", path=str(path)))
    return content


def keep(folder: Path, content: bytes) -> str:
    """Keep content under its digest; there already: left. Returns the digest.

    Raises:
        StorageError: it cannot be written.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if read(folder, sha256) is None:
        write(folder / sha256, content)
    return sha256
