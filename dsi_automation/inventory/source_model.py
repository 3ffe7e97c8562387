"""The inventory's sources (procedure Q): where releases come from, who signs them, through which stages they go."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory.backup_model import AbsolutePath
from dsi_automation.inventory.model import Duration, NonEmpty, Roles, Strict
from dsi_automation.inventory.problems import WrongValueError


class ReleaseArchives(Strict):
    """Releases as archives in a folder of the controller.

    Attributes:
        kind: `archives`.
        folder: holds `NAME-VERSION.tar.gz`, with `.sha256` (as sha256sum writes it) and `.sig`
            (`ssh-keygen -Y sign -n dsi-release`) beside it.
    """

    kind: Literal["archives"]
    folder: AbsolutePath


class ReleaseTags(Strict):
    """Releases as signed tags of a git repository.

    Attributes:
        kind: `git`.
        repository: a folder or an address git can clone.
        prefix: of the tags: release `1.4.0` is the tag `v1.4.0`.
    """

    kind: Literal["git"]
    repository: NonEmpty
    prefix: str = "v"


class Stage(Strict):
    """One stage of a release.

    Attributes:
        name: `test`, `formation`, `production`.
        application: name in `dsi_applications`.
        acceptors: roles of people.yml that sign that the release has passed here: the next stage is then open.
        needs_backup: a verified backup of the database not older than this; None where none is needed.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    application: NonEmpty
    acceptors: Roles
    needs_backup: Duration | None = None


class Sources(Strict):
    """One line of sources.

    Attributes:
        title: what people call it.
        releases: where they come from.
        allowed_signers: whose signature a release must bear: a file as ssh-keygen(1) describes it (ALLOWED SIGNERS),
            relative to the inventory.
        stages: in order; the last is production.
        script_timeout: for each database script.
    """

    title: NonEmpty
    releases: Annotated[ReleaseArchives | ReleaseTags, Field(discriminator="kind")]
    allowed_signers: NonEmpty
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    script_timeout: Duration = timedelta(minutes=30)

    @model_validator(mode="after")
    def _distinct(self) -> Sources:
        for values in ([stage.name for stage in self.stages], [stage.application for stage in self.stages]):
            if len(set(values)) != len(values):
                raise WrongValueError(T("two stages share a name or an application."), "stages")
        return self


type SourceLines = dict[NonEmpty, Sources]
