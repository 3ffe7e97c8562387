"""The journal's own errors, where a caller must tell them apart."""

from __future__ import annotations

from dsi_automation.core.errors import GateClosedError, StorageError


class LeaseHeldError(GateClosedError):
    """Somebody else holds a target; `detail` has the holder's target, run, person, owner and expiry."""

    retryable = True


class LeaseLostError(GateClosedError):
    """A lease this run believed to hold was taken over or given back."""


class ClockError(GateClosedError):
    """The clock stands before the journal's last entry: expiries cannot be judged."""


class TamperedError(GateClosedError):
    """What the journal holds is not what was written; `dsi journal verify` says where."""


class SigningError(GateClosedError):
    """No signature could be made: no key, no agent, a wrong passphrase."""


class BadSignatureError(GateClosedError):
    """A signature does not hold: other bytes, another key, an unknown signer, outside the key's period."""


class LockedError(StorageError):
    """Another process holds the database for longer than the waiting time."""


class DamagedError(StorageError):
    """The database file is not one, or its pages are damaged."""

    retryable = False


class NewerDatabaseError(StorageError):
    """The database was written by a newer version of this program."""

    retryable = False
