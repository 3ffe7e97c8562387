"""What changes in a simulated workstation, kept on disk so that it survives a restart of the simulator."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dsi_automation.core.errors import StorageError
from dsi_automation.core.text import T
from dsi_automation.lab.windows.faults import FaultRule
from dsi_automation.lab.windows.spec import Membership, Profile, RebootReason, WorkstationSpec


class ProfileState(BaseModel):
    """A profile as it is now."""

    model_config = ConfigDict(extra="forbid")

    sid: str
    path: str
    loaded: bool
    special: bool
    size: int


class ServiceState(BaseModel):
    """A service as it is: the order it last got, and when it is carried out; `pid` is 0 when it does not run."""

    model_config = ConfigDict(extra="forbid")

    running: bool
    settled: datetime
    pid: int


class State(BaseModel):
    """Everything that a request, a restart or the control socket can change.

    Attributes:
        computer_name: the active name; `pending_name` becomes it at the next restart.
        membership: the domain as NetGetJoinInformation would say, at once after a join; None in a workgroup.
        boot_membership: the domain the machine booted with: Kerberos and domain SIDs work with this one.
        services: those of the specification that were started or stopped since the machine booted, by name.
        methods: how often each method was really carried out, `Class.Method` to count.
        boots: how often it has restarted.
        rebooting: it went down and has not come back.
    """

    model_config = ConfigDict(extra="forbid")

    computer_name: str
    pending_name: str | None = None
    workgroup: str
    membership: Membership | None = None
    boot_membership: Membership | None = None
    boot_time: datetime
    logged_on_user: str | None = None
    profiles: list[ProfileState] = Field(default_factory=list)
    pending_reboot: set[RebootReason] = Field(default_factory=set)
    faults: list[FaultRule] = Field(default_factory=list)
    methods: dict[str, int] = Field(default_factory=dict)
    services: dict[str, ServiceState] = Field(default_factory=dict)
    boots: int = 0
    rebooting: bool = False

    @property
    def join_pending(self) -> bool:
        """Tell whether a join or unjoin waits for a restart."""
        return self.membership != self.boot_membership

    def reboot(self, now: datetime) -> None:
        """Apply everything that waited for a restart; whoever was signed in no longer is."""
        self.computer_name = self.pending_name or self.computer_name
        self.pending_name = None
        self.boot_membership = self.membership
        self.pending_reboot = set()
        self.logged_on_user = None
        for profile in self.profiles:
            profile.loaded = False
        self.services = {}
        self.boot_time = now
        self.boots += 1
        self.rebooting = False

    @classmethod
    def initial(cls, spec: WorkstationSpec, now: datetime) -> State:
        """Return the state a specification begins with."""
        return cls(
            computer_name=spec.computer_name,
            workgroup=spec.workgroup,
            membership=spec.joined,
            boot_membership=spec.joined,
            boot_time=now - timedelta(seconds=spec.uptime_seconds),
            logged_on_user=spec.logged_on_user,
            profiles=[_profile(spec, profile) for profile in spec.profiles],
            pending_reboot=set(spec.pending_reboot),
            faults=[rule.model_copy() for rule in spec.faults],
        )


def _profile(spec: WorkstationSpec, profile: Profile) -> ProfileState:
    sid = profile.sid
    if sid is None:
        rid = next((user.rid for user in spec.users if user.name.lower() == (profile.user or "").lower()), None)
        if rid is None:
            raise StorageError(T("The profile {path} names a local user who does not exist.", path=profile.path))
        sid = f"{spec.machine_sid}-{rid}"
    return ProfileState(sid=sid, path=profile.path, loaded=profile.loaded, special=profile.special, size=profile.size)


class StateStore:
    """One JSON file per workstation, replaced atomically; without a directory nothing outlives the process."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        if directory is not None:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, key: str, suffix: str = ".json") -> Path | None:
        """Return where a workstation's file of this kind is, None when nothing is kept."""
        return None if self._directory is None else self._directory / f"{key}{suffix}"

    def load(self, spec: WorkstationSpec) -> State:
        """Return the kept state, or the initial one where there is none.

        A restart that the simulator's own end interrupted is finished: the workstation comes up anew.
        """
        now = datetime.now(UTC)
        path = self.path(spec.key)
        if path is None or not path.exists():
            return State.initial(spec, now)
        try:
            state = State.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise StorageError(
                T("The state file {path} of a simulated workstation cannot be read.", path=path)
            ) from error
        if state.rebooting:
            state.reboot(now)
        return state

    def save(self, key: str, state: State) -> None:
        """Write a workstation's state: whole or not at all.

        Raises:
            StorageError: the disk refuses.
        """
        path = self.path(key)
        if path is None:
            return
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=f".{key}.", dir=path.parent)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(state.model_dump_json())
            Path(temporary).replace(path)
        except OSError as error:
            raise StorageError(T("The state of simulated workstation {name} cannot be written.", name=key)) from error

    def forget(self, key: str) -> None:
        """Remove what is kept of a workstation."""
        for suffix in (".json", ".keytab"):
            path = self.path(key, suffix)
            if path is not None:
                path.unlink(missing_ok=True)
