"""Files that a command writes for a person: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file at once: a reader sees the old one or the new one, never a part.

    What is no file (a pipe, `/dev/stdout`) is written to as it is, and never replaced by one.

    Raises:
        StorageError: the folder is missing or full, or not writable.
    """
    from tempfile import NamedTemporaryFile

    data = content.encode() if isinstance(content, str) else content
    temporary: Path | None = None
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        target = path.resolve()
        with NamedTemporaryFile(dir=target.parent, prefix=".dsi-", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.chmod(0o640)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageError(
            T("The file {path} cannot be written: {reason}.", path=path, reason=reason_of(error)),
            next_step=T("Choose another place, or make room."),
        ) from error
