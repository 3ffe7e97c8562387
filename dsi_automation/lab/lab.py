"""One training lab: brought up, looked at, disturbed, put back, and taken down without a trace."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.events import Event, Observer, Silent
from dsi_automation.core.text import T, Text
from dsi_automation.lab import computer_objects, domain, inventory, network, people, system
from dsi_automation.lab.accounts import ADMINISTRATOR, Passwords
from dsi_automation.lab.asked import Asked
from dsi_automation.lab.ca import Authority
from dsi_automation.lab.facilities import Facilities
from dsi_automation.lab.layout import (
    BASE_DN,
    DEFAULT_NAME,
    DEFAULT_NETWORK,
    MOST_WORKSTATIONS,
    Layout,
    refuse_long_path,
)
from dsi_automation.lab.ldap import LabDirectory
from dsi_automation.lab.lock import exclusive
from dsi_automation.lab.machines import NAMED, Builder, Machine
from dsi_automation.lab.network_sites import MOST_ROUTERS
from dsi_automation.lab.routed_network import RoutedNetwork
from dsi_automation.lab.samba import DomainController
from dsi_automation.lab.simulator import Simulator
from dsi_automation.lab.tenant import Tenant
from dsi_automation.lab.windows.faults import Fault


@dataclass(frozen=True, slots=True)
class Started:
    """What `up` did.

    Attributes:
        changed: false when everything was there already.
        seconds: how long it took.
    """

    changed: bool
    seconds: float


@dataclass
class Lab:
    """A lab by its layout; whether it is up is a question to the machine, not to this object."""

    layout: Layout
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def open(cls, name: str = DEFAULT_NAME, network: str | None = None) -> Lab:
        """Return the lab of that name; its network is the one it was started with, unless one is given.

        Raises:
            UsageError: the name or the network cannot be used.
        """
        recorded = Asked.read(Layout.of(name)).network
        return cls(Layout.of(name, network or recorded or DEFAULT_NETWORK))

    @property
    def passwords(self) -> Passwords:
        """The lab's passwords."""
        return Passwords(self.layout.password_dir)

    @property
    def authority(self) -> Authority:
        """The lab's certificate authority."""
        return Authority(self.layout.ca_dir, self.clock)

    @property
    def controller(self) -> DomainController:
        """The lab's domain controller."""
        return DomainController(self.layout, self.clock)

    @property
    def simulator(self) -> Simulator:
        """The process that plays the lab's workstations."""
        return Simulator(self.layout, self.clock)

    @property
    def tenant(self) -> Tenant:
        """The process that plays the lab's Microsoft 365 tenant."""
        return Tenant(self.layout, self.clock)

    @property
    def facilities(self) -> Facilities:
        """What backups work on and with: servers over SSH, PostgreSQL, mail and external disks."""
        return Facilities(self.layout, self.clock)

    @property
    def asked(self) -> Asked:
        """What the lab was asked to be."""
        return Asked.read(self.layout)

    @property
    def has_servers(self) -> bool:
        """Whether the lab was asked to have servers."""
        return self.asked.servers

    @property
    def has_application(self) -> bool:
        """Whether the lab was asked to have SYDAM World."""
        return self.asked.application

    @property
    def has_domain(self) -> bool:
        """Whether the lab was asked to have its domain, workstations and tenant, and not routers alone."""
        return self.asked.domain

    @property
    def routed(self) -> RoutedNetwork:
        """The lab's routers and what is behind them; empty when it was asked for none."""
        return RoutedNetwork(self.layout, self.clock, self.asked.routers)

    @property
    def machines(self) -> list[Machine]:
        """The lab's workstations, as they are at the start; none when it is not up."""
        return [Machine.from_json(data) for data in self.asked.machines]

    def machine(self, key: str) -> Machine:
        """Return a workstation by its name in the lab.

        Raises:
            UsageError: there is none of that name.
        """
        for data in self.asked.machines:
            if data["spec"]["key"] == key:
                return Machine.from_json(data)
        raise UsageError(
            T("Lab {name} has no workstation {key}.", name=self.layout.name, key=key),
            next_step=T("`dsi lab status` lists them."),
        )

    def up(
        self,
        workstations: int = NAMED,
        *,
        fleet_joined: bool = True,
        servers: bool = False,
        application: bool = False,
        routers: int = 0,
        domain: bool = True,
        observer: Observer | None = None,
    ) -> Started:
        """Start the lab, or whatever of it is missing: safe to call again, and after a start that was killed.

        Args:
            workstations: how many; the first seven are the named ones, a larger number adds a fleet, 0 is the
                domain controller and the tenant alone.
            fleet_joined: whether the fleet is in the domain already.
            servers: with what backups work on and with; a lab that has it keeps it.
            application: with SYDAM World on four servers of its own, and its databases: with `servers`, then; a lab
                that has it keeps it.
            routers: how many, from 0 to 30; a lab that has more keeps them. When the number grows, all are made anew.
            domain: false for a lab of routers alone: no directory, workstations and tenant; it can get them later.
            observer: told about each step.

        Raises:
            UsageError: not root, a package is missing, a path is too long, or the lab is up on another network.
            DsiError: something of the lab does not start.
        """
        if not 0 <= workstations <= MOST_WORKSTATIONS:
            raise UsageError(T("A lab has from 0 to {most} workstations.", most=MOST_WORKSTATIONS))
        if not 0 <= routers <= MOST_ROUTERS:
            raise UsageError(T("A lab has from 0 to {most} routers.", most=MOST_ROUTERS))
        if not domain and (servers or application):
            raise UsageError(T("Servers and applications need the lab’s domain."))
        if not domain and not routers and not self.asked.routers:
            raise UsageError(
                T("A lab without domain has routers alone, and nobody said how many."), next_step=T("Add: --routers 4")
            )
        servers = servers or application
        system.require_system(system.Parts(domain, servers, application, routers > 0))
        refuse_long_path(self.layout.root)
        began = self.clock.monotonic()
        with exclusive(self.layout.name):
            self._ask_for(Asked(domain=domain, servers=servers, application=application, routers=routers))
            changed = self._up(workstations, fleet_joined=fleet_joined, observer=observer or Silent())
        return Started(changed, self.clock.monotonic() - began)

    def _ask_for(self, wanted: Asked) -> None:
        self._check_network()
        self.layout.root.mkdir(parents=True, exist_ok=True, mode=0o755)
        known = self.asked
        if (grown := known.grown(self.layout, wanted)) != known:
            grown.write(self.layout)

    def _up(self, count: int, *, fleet_joined: bool, observer: Observer) -> bool:
        machines = self._wanted(count, fleet_joined=fleet_joined) if self.has_domain else []
        steps = self._steps(machines)
        changed = False
        for number, (kind, text, step) in enumerate(steps):
            observer.notify(Event(f"lab.{kind}.started", text, done=number, total=len(steps)))
            changed |= step()
            observer.notify(Event(f"lab.{kind}.done", text, done=number + 1, total=len(steps)))
        self._write_inventory(machines)
        return changed

    def _steps(self, machines: Sequence[Machine]) -> list[tuple[str, Text, Callable[[], bool]]]:
        servers, application, routers = self.has_servers, self.has_application, self.routed.count > 0
        domain: list[tuple[str, Text, Callable[[], bool]]] = [
            ("domain", T("Domain {domain}: created and filled", domain=BASE_DN), self._ensure_domain),
            ("dc", T("Domain controller: started and answering"), self._ensure_dc),
            ("tenant", T("Simulated Microsoft 365 tenant: started"), self._start_tenant),
            ("objects", T("Computer objects of joined workstations"), lambda: self._ensure_objects(machines)),
            ("workstations", T("Simulated workstations"), lambda: self._ensure_workstations(machines)),
            ("ready", T("Simulated Microsoft 365 tenant: answering"), self._await_tenant),
        ]
        return [
            ("network", T("Network and certificate authority"), self._ensure_network),
            ("people", T("Persons and keys"), lambda: people.ensure_keys(self.layout.key_dir)),
            # Started here, waited for at the end: it gets ready beside the other steps.
            *([("servers", T("Servers, database, mail and disks: started"), self._start_servers)] if servers else []),
            *([("application", T("SYDAM World: started"), self._start_application)] if application else []),
            *([("routers", T("Routers and circuits: started"), self._start_routers)] if routers else []),
            *(domain if self.has_domain else []),
            *([("answering", T("Servers, database and mail: answering"), self._await_servers)] if servers else []),
            *([("working", T("SYDAM World: answering"), self._await_application)] if application else []),
            *([("routing", T("Routers: answering"), self._await_routers)] if routers else []),
        ]

    def down(self) -> bool:
        """Stop the lab's own processes and remove everything of it.

        Returns:
            Whether anything was there.

        Raises:
            UsageError: not root, or the namespaces are another lab's.
        """
        system.require_root()
        with exclusive(self.layout.name):
            found = self.facilities.stop() | self.tenant.stop() | self.simulator.stop() | self.controller.stop()
            found |= self.routed.stop()
            found |= network.remove(self.layout)
            found |= inventory.remove(self.layout)
            if self.layout.root.exists():
                shutil.rmtree(self.layout.root)
                found = True
            with contextlib.suppress(OSError):
                # Other labs may be there, or one being made just now.
                self.layout.root.parent.rmdir()
        return found

    def is_up(self) -> bool:
        """Tell whether the network is there and all daemons run."""
        daemons = [
            *([self.controller.daemon, self.tenant.daemon] if self.has_domain else []),
            *([self.simulator.daemon] if self.machines else []),
            *(self.facilities.daemons if self.has_servers else []),
            # Whether the application runs on them is what people learn to change: the lab is up all the same.
            *([server.ssh.daemon for server in self.facilities.application.servers] if self.has_application else []),
        ]
        complete = network.is_complete(self.layout) and self.routed.is_up()
        return complete and all(daemon.pid() is not None for daemon in daemons)

    def require_up(self) -> None:
        """Check that the lab is up.

        Raises:
            UsageError: it is not.
        """
        if not self.is_up():
            raise UsageError(
                T("Lab {name} is not up.", name=self.layout.name),
                next_step=T("Start it with `dsi lab up`; `dsi lab status` shows what runs."),
            )

    def require_domain(self) -> None:
        """Check that the lab is up, and not of routers alone.

        Raises:
            UsageError: it is not.
        """
        self.require_up()
        if not self.has_domain:
            raise UsageError(
                T("Lab {name} has no domain.", name=self.layout.name),
                next_step=T("Add it: `dsi lab up --name {name}`, without --without-domain.", name=self.layout.name),
            )

    def add_workstation(self, key: str, computer_name: str, site: str = "ABJ", **options: Any) -> Machine:
        """Add a workstation to the running lab, its inventory included; see `add_workstations`."""
        return self.add_workstations([{"key": key, "computer_name": computer_name, "site": site, **options}])[0]

    def add_workstations(self, wanted: Sequence[Mapping[str, Any]]) -> list[Machine]:
        """Add workstations to the running lab and its inventory: many in hardly more time than one.

        Args:
            wanted: for each its `key` in the inventory, its NetBIOS `computer_name`, the `site` where it stands, and
                options as for `Builder.machine`: `object_site`, `silent`, `users`, and fields of `WorkstationSpec`.
        """
        self.require_domain()
        with exclusive(self.layout.name):
            machines, builder = self.machines, Builder(self.layout, self.passwords)
            for one in wanted:
                if any(machine.key == one["key"] for machine in machines):
                    raise UsageError(
                        T("Lab {name} has a workstation {key} already.", name=self.layout.name, key=one["key"])
                    )
                held = {machine.spec.address for machine in machines}
                number = next(n for n in range(1, len(machines) + 2) if self.layout.workstation_address(n) not in held)
                machines.append(builder.machine(number, **one))
            self._ensure_objects(machines)
            self._ensure_workstations(machines)
            self._write_inventory(machines)
        return machines[len(machines) - len(wanted) :]

    def fault(self, key: str, fault: str, **options: Any) -> None:
        """Switch a fault of a workstation on.

        Args:
            key: the workstation.
            fault: which; `dsi lab fault` lists them.
            options: `value`, `count`, `method`, `class_name`, as in `FaultRule`.
        """
        self.require_up()
        self.simulator.control.fault(self.machine(key).key, Fault(fault), **options)

    def clear_faults(self, key: str) -> None:
        """Switch every fault of a workstation off."""
        self.require_up()
        self.simulator.control.clear_faults(self.machine(key).key)

    def reset(self, key: str | None = None) -> None:
        """Put one workstation back as it was at the start; or all of them, directory, tenant, servers and routers."""
        self.require_up()
        with exclusive(self.layout.name):
            if key is None:
                self.routed.reset()
            if not self.has_domain:
                return
            chosen = self.machines if key is None else [self.machine(key)]
            order: dict[str, Any] = {
                "computers": [computer_objects.order(machine) for machine in chosen if machine.object_ou]
            }
            if key is None:
                order |= {"prune_below": domain.SITES_OU, **domain.restoration(self.passwords)}
            else:
                order["remove"] = [name for name in self._names_now(chosen[0]) if not chosen[0].object_ou]
            self.controller.populate(order)
            for machine in chosen:
                self.simulator.control.reset(machine.key)
            if key is None:
                self._reset_tenant()
                if self.has_servers:
                    self._reset_servers()

    def reset_servers(self) -> None:
        """Put back what the servers held at the start: files, rows, no mail, no disk in; see `Facilities.reset`."""
        self.require_up()
        if self.has_servers:
            with exclusive(self.layout.name):
                self._reset_servers()

    def _reset_servers(self) -> None:
        self.facilities.reset(self.authority, self.passwords)
        if self.has_application:
            self.facilities.application.reset()

    def reset_tenant(self) -> None:
        """Put people's accounts and the Microsoft 365 tenant back to how they were at the start."""
        self.require_domain()
        with exclusive(self.layout.name):
            self.controller.populate(domain.restoration(self.passwords))
            self._reset_tenant()

    def _reset_tenant(self) -> None:
        self.tenant.control.reset()
        # Not at the next cycle: who looks now finds everybody.
        self.tenant.control.sync()

    def samba_tool(self, *args: str, stdin: str = "") -> str:
        """Run `samba-tool` on the lab's controller and return what it printed."""
        return self.controller.samba_tool(*args, stdin=stdin)

    def directory(self, account: str = ADMINISTRATOR) -> AbstractContextManager[LabDirectory]:
        """Sign in to the directory over LDAPS, independently of the toolkit's connector."""
        return LabDirectory.bind(self.layout, account, self.passwords)

    def search(self, condition: str, attributes: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return the directory's entries that fit an LDAP filter."""
        with self.directory() as directory:
            return directory.search(condition, attributes)

    # The steps of `up`, each of which does nothing when it is done already.

    def _check_network(self) -> None:
        recorded = self.asked.network
        # A start that was refused its network has recorded it, and made nothing that is bound to it.
        began = self.layout.smb_conf.exists() or network.is_complete(self.layout)
        if recorded and recorded != str(self.layout.network) and began:
            raise UsageError(
                T("Lab {name} is on {network}.", name=self.layout.name, network=recorded),
                next_step=T("Take it down first, or start another lab beside it with --name."),
            )

    def _wanted(self, count: int, *, fleet_joined: bool) -> list[Machine]:
        known = self.machines
        builder = Builder(self.layout, self.passwords)
        wanted = [*builder.named(), *builder.fleet(max(0, count - NAMED), joined=fleet_joined)][:count]
        keys = {machine.key for machine in known}
        return [*known, *(machine for machine in wanted if machine.key not in keys)]

    def _ensure_network(self) -> bool:
        changed = self.authority.ensure()
        if not network.is_complete(self.layout):
            # Daemons of a network that was taken away under them.
            self.routed.stop()
            self.facilities.stop()
            self.tenant.stop()
            self.simulator.stop()
            self.controller.stop()
        return network.ensure(self.layout) | changed

    def _ensure_domain(self) -> bool:
        filled = self.layout.dc_dir / "filled"
        changed = self.controller.provision(self.authority)
        if filled.exists():
            return changed
        self.controller.populate(domain.order(self.passwords))
        filled.touch()
        return True

    def _ensure_dc(self) -> bool:
        changed = self.controller.start()
        self.controller.wait_until_ready(self.passwords)
        return changed

    def _start_servers(self) -> bool:
        return self.facilities.start(self.authority, self.passwords)

    def _start_application(self) -> bool:
        return self.facilities.start_application(self.passwords)

    def _start_routers(self) -> bool:
        return self.routed.start()

    def _await_routers(self) -> bool:
        self.routed.wait_until_ready()
        return False

    def _await_application(self) -> bool:
        self.facilities.application.wait()
        return False

    def _await_servers(self) -> bool:
        self.facilities.wait_until_ready()
        return False

    def _write_inventory(self, machines: Sequence[Machine]) -> None:
        inventory.write(
            self.layout,
            machines,
            self.passwords,
            servers=self.has_servers,
            application=self.has_application,
            routers=self.routed.count,
            domain=self.has_domain,
        )

    def _start_tenant(self) -> bool:
        network.add_addresses(self.layout, [self.layout.tenant_address])
        made = self.authority.issue_application("dsi-automation", self.layout.app_certificate)
        return self.tenant.start(self.authority, self.passwords) | made

    def _await_tenant(self) -> bool:
        self.tenant.wait_until_ready()
        return False

    def _ensure_objects(self, machines: Sequence[Machine]) -> bool:
        return computer_objects.ensure(self.layout, self.controller, machines)

    def _ensure_workstations(self, machines: Sequence[Machine]) -> bool:
        if not machines:
            return False
        network.add_addresses(self.layout, [machine.spec.address for machine in machines])
        network.drop_traffic_to(self.layout, [machine.spec.address for machine in machines if machine.silent])
        changed = self.simulator.start(machines, self.authority)
        self.simulator.wait_until_ready()
        served = {row["key"] for row in self.simulator.control.workstations()}
        for machine in machines:
            if machine.key not in served:
                self.simulator.control.add(machine.spec)
                changed = True
        self.asked.with_machines(machines).write(self.layout)
        return changed

    def _names_now(self, machine: Machine) -> list[str]:
        return [row["computer_name"] for row in self.simulator.control.workstations() if row["key"] == machine.key]
