"""The lab's workstations: seven that each show one case of procedure C, and a fleet as large as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.lab.accounts import LOCAL_ADMINISTRATOR, SITES, Passwords
from dsi_automation.lab.domain import workstation_ou
from dsi_automation.lab.layout import DOMAIN, NETBIOS, Layout
from dsi_automation.lab.windows.presets import Preset
from dsi_automation.lab.windows.spec import GIB, LocalUser, Membership, MemoryModule, Profile, WorkstationSpec

NAMED: Final = 7
FLEET_NUMBER: Final = 100
"""Fleet workstations are numbered from here up, so that low numbers stay free to be given out."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A simulated workstation and what the lab around it holds.

    Attributes:
        spec: what the simulator is told.
        site: the code of its site.
        object_ou: where its computer object is at the start; None when it has none.
        silent: whether its address swallows every packet.
    """

    spec: WorkstationSpec
    site: str
    object_ou: str | None = None
    silent: bool = False

    @property
    def key(self) -> str:
        """Its name in the lab and in the inventory."""
        return self.spec.key

    @property
    def host_name(self) -> str:
        """Its DNS name once it is joined under its present name."""
        return f"{self.spec.computer_name.lower()}.{DOMAIN}"

    def to_json(self) -> dict[str, Any]:
        """Return it as lab.json keeps it."""
        return {
            "spec": self.spec.model_dump(mode="json"),
            "site": self.site,
            "object_ou": self.object_ou,
            "silent": self.silent,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Machine:
        """Return what lab.json keeps."""
        return cls(WorkstationSpec.model_validate(data["spec"]), data["site"], data["object_ou"], data["silent"])


class Builder:
    """Makes the specifications of a lab's workstations."""

    def __init__(self, layout: Layout, passwords: Passwords) -> None:
        """Keep the lab they are for."""
        self.layout = layout
        self.passwords = passwords

    def machine(
        self,
        number: int,
        computer_name: str,
        site: str,
        *,
        key: str | None = None,
        object_site: str | None = None,
        silent: bool = False,
        kerberos: bool = True,
        users: Sequence[LocalUser] = (),
        **spec: Any,
    ) -> Machine:
        """Return the n-th workstation.

        Args:
            number: decides its address, and its key unless one is given.
            computer_name: its NetBIOS name.
            site: where it stands.
            key: its name in the inventory.
            object_site: for a joined one, the site in whose OU its object is; None when it is in a workgroup.
            silent: whether it never answers.
            kerberos: for a joined one, whether people can sign in to it with Kerberos; its keys take time to make.
            users: local accounts besides the administrator.
            spec: further fields of `WorkstationSpec`.
        """
        key = key or f"ws{number}"
        administrator = LocalUser(
            name=LOCAL_ADMINISTRATOR,
            rid=500,
            password=self.passwords.get(LOCAL_ADMINISTRATOR).reveal(),
            administrator=True,
        )
        joined = None
        if object_site is not None:
            keytab = self.layout.ws_dir / "keytabs" / f"{key}.keytab" if kerberos else None
            joined = Membership(dns_name=DOMAIN, netbios_name=NETBIOS, keytab=keytab)
        made = WorkstationSpec(
            key=key,
            address=self.layout.workstation_address(number),
            computer_name=computer_name,
            users=[administrator, *users],
            joined=joined,
            answers=not silent,
            credssp=True,
            **{"serial_number": f"LAB{number:05}", **spec},
        )
        return Machine(made, site, workstation_ou(object_site) if object_site else None, silent)

    def named(self) -> list[Machine]:
        """Return the seven named workstations."""
        awa = LocalUser(name="awa.kone", rid=1001, password=self.passwords.get("awa").reveal(), full_name="Awa Koné")
        return [
            self.machine(
                1,
                "DESKTOP-7F3K2Q1",
                "ABJ",
                system=Preset.WINDOWS11_PRO,
                users=[awa],
                profiles=[Profile(user="awa.kone", path=r"C:\Users\awa.kone")],
            ),
            self.machine(
                2,
                "ABJ-PC-0002",
                "ABJ",
                system=Preset.WINDOWS10_22H2,
                memory=[MemoryModule(capacity=4 * GIB)],
                visible_memory=GIB * 38 // 10,
            ),
            self.machine(3, "SPY-PC-0001", "SPY", system=Preset.WINDOWS7, memory=[MemoryModule(capacity=4 * GIB)]),
            self.machine(
                4, "SPY-PC-0002", "SPY", system=Preset.WINDOWS10_22H2, memory=[MemoryModule(capacity=2 * GIB)]
            ),
            self.machine(5, "BKE-PC-0001", "BKE", system=Preset.WINDOWS11_PRO, object_site="ABJ"),
            self.machine(6, "BKE-PC-0002", "BKE", system=Preset.WINDOWS11_PRO, object_site="BKE", language="fr-FR"),
            self.machine(7, "BKE-PC-0003", "BKE", silent=True),
        ]

    def fleet(self, count: int, *, joined: bool) -> list[Machine]:
        """Return ws8 and so on: `count` workstations that meet every rule, spread over the sites."""
        systems = (Preset.WINDOWS11_PRO, Preset.WINDOWS10_22H2, Preset.WINDOWS11_ENTERPRISE, Preset.WINDOWS10_LTSC_2021)
        machines = []
        for number in range(NAMED + 1, NAMED + 1 + count):
            site = SITES[number % len(SITES)].code
            name = f"{site}-PC-{FLEET_NUMBER + number:04}"
            where = site if joined else None
            system = systems[number % len(systems)]
            machines.append(self.machine(number, name, site, object_site=where, system=system, kerberos=False))
        return machines
