"""What is asked of `router.interconnect`."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs
from dsi_automation.inventory.network_model import Address, Coordinates, InterfaceName, NetworkName
from dsi_automation.inventory.problems import WrongValueError

MAX_DISTANCE_KM: Final = 40.0
"""How far a licence-free point-to-point radio link reaches in the open with towers of a usual height."""


class InterconnectInputs(Inputs):
    """Inputs of `router.interconnect`."""

    bandwidth: int = Field(gt=0, description=T("What the site needs, Mbit/s.").template)
    latitude: float | None = Field(
        default=None, ge=-90, le=90,
        description=T("Where it is, decimal degrees, north positive; by default what dsi_network.sites says.").template,
    )  # fmt: skip
    longitude: float | None = Field(
        default=None, ge=-180, le=180, description=T("Where it is, decimal degrees, east positive.").template
    )
    max_distance_km: float = Field(
        default=MAX_DISTANCE_KM, gt=0, description=T("How far a neighbour may be, kilometres.").template
    )
    leased: bool = Field(
        default=False, description=T("Whether a leased line is wanted although a neighbour could carry it.").template
    )
    operator: NetworkName | None = Field(
        default=None,
        description=T("Whom a leased line is ordered from; by default who delivers soonest.").template,
    )
    platform: Literal["ios", "frr"] = Field(default="ios", description=T("The platform of the new router.").template)
    router: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$",
        description=T("Its name in the inventory; by default rtr- and the site’s code.").template,
    )  # fmt: skip
    address: Address | None = Field(
        default=None,
        description=T("Where the controller reaches it; by default the last address of the site’s range.").template,
    )
    lan: InterfaceName | None = Field(default=None, description=T("Its interface in the LAN.").template)
    wan: InterfaceName | None = Field(default=None, description=T("Its interface of the circuit.").template)
    management: InterfaceName | None = Field(default=None, description=T("Its interface of the management.").template)
    peer: InterfaceName | None = Field(
        default=None, description=T("The interface of the router at the circuit’s other end.").template
    )

    @model_validator(mode="after")
    def _both(self) -> InterconnectInputs:
        if (self.latitude is None) != (self.longitude is None):
            raise WrongValueError(T("latitude and longitude go together."))
        return self

    @property
    def place(self) -> Coordinates | None:
        """Return where the site is, as far as it was asked."""
        if self.latitude is None or self.longitude is None:
            return None
        return Coordinates(latitude=self.latitude, longitude=self.longitude)
