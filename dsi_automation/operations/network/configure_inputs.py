"""What a change of routers may be told."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from dsi_automation.core.errors import UsageError
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs
from dsi_automation.inventory.network_model import Rollout


class ConfigureInputs(Inputs):
    """Inputs of `router.configure`; what is not said is as `dsi_network.rollout` has it."""

    canary: str | None = Field(
        default=None,
        description=T("The router that goes first; the inventory's, or the first that changes, by default.").template,
    )
    wave: int | None = Field(default=None, ge=1, description=T("How many routers follow at once.").template)
    stop_after: int | None = Field(
        default=None, ge=1, description=T("After how many failures the rest is left as it is.").template
    )
    timer_seconds: int | None = Field(
        default=None,
        ge=10,
        le=7200,
        description=T("After how many seconds a router goes back by itself unless the change is confirmed.").template,
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """How a change reaches many routers, inputs and inventory taken together.

    Attributes:
        timer: seconds.
        within: how long a router may take until all is as it should be, seconds.
    """

    canary: str | None
    wave: int
    stop_after: int
    timer: float
    within: float

    @classmethod
    def of(cls, inputs: ConfigureInputs, settings: Rollout) -> Terms:
        """Return them.

        Raises:
            UsageError: the timer leaves no time to verify.
        """
        timer, within = settings.timer.total_seconds(), settings.verify_within.total_seconds()
        if inputs.timer_seconds is not None:
            timer = float(inputs.timer_seconds)
        if timer < 3 * within:
            raise UsageError(
                T("The rollback timer must be at least three times as long as a line may take to come up: {least}.",
                  least=Seconds(3 * within)),
                next_step=T("Choose a longer one, or change dsi_network.rollout.verify_within."),
            )  # fmt: skip
        return cls(
            inputs.canary or settings.canary,
            inputs.wave or settings.wave,
            inputs.stop_after or settings.stop_after,
            timer,
            within,
        )
