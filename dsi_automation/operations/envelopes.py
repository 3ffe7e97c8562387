"""Hand-overs in preparation: an envelope per person, with the temporary password sealed inside until it is opened.

An envelope is made before the first change to an account and its password is sealed before the directory is told, so
that a run killed anywhere finds both again: no second password. It is encrypted on disk, and gone once opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dsi_automation.core.secrets import Secret


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of an envelope without opening it.

    Attributes:
        target: whose it is: a staff number.
        sealed: whether a password is inside.
        delivered_at: when the settings were handed over (letter written, mail sent); None for not yet.
        opened_at: when the password was shown or printed; from then on it is gone.
    """

    target: str
    sealed: bool
    delivered_at: datetime | None = None
    opened_at: datetime | None = None


class EnvelopeReader(Protocol):
    """The read half. May be used from several threads."""

    def find(self, target: str) -> Envelope | None:
        """Return somebody's envelope, or None."""
        ...

    def peek(self, target: str) -> Secret | None:
        """Return the sealed password, to try it against the directory; None when there is none (any more)."""
        ...


class EnvelopeWriter(EnvelopeReader, Protocol):
    """The write half; each write is on disk when the call returns."""

    def prepare(self, target: str) -> Envelope:
        """Begin an envelope without a password, unless there is one that was not delivered yet."""
        ...

    def seal(self, target: str, password: Secret) -> Secret:
        """Seal a password into the envelope; one that is inside already stays, and is returned.

        Raises:
            StorageError: it cannot be written.
        """
        ...

    def discard_password(self, target: str) -> None:
        """Forget the sealed password, because another is about to be made."""
        ...

    def delivered(self, target: str) -> None:
        """Note that the settings were handed over."""
        ...
