"""Paths on servers, as the inventory gives them."""

from __future__ import annotations

import posixpath

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T


def clean_path(path: str) -> str:
    """Return an absolute path without doubled or final slashes.

    Raises:
        UsageError: it is not absolute, or goes up.
    """
    parts = path.split("/")
    if not path.startswith("/") or ".." in parts or any(ord(letter) < 32 for letter in path):
        raise UsageError(T("{path} is no absolute path without “..”.", path=path), next_step=T("See dsi_applications."))
    return "/" + posixpath.normpath(path).lstrip("/")
