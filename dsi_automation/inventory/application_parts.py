"""The inventory's applications, sources and rule sets, each held against the rest of the inventory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property

from dsi_automation.core.text import T
from dsi_automation.inventory.application_model import Application, Applications
from dsi_automation.inventory.backup_model import BackupPlan
from dsi_automation.inventory.described import Described, unknown, unknown_credential
from dsi_automation.inventory.model import CredentialSource
from dsi_automation.inventory.problems import InventoryError
from dsi_automation.inventory.rule_model import RuleSet, RuleSets
from dsi_automation.inventory.source_model import SourceLines, Sources


class ApplicationParts(Described):
    """An inventory, as far as applications are concerned; part of `Inventory`."""

    @property
    @abstractmethod
    def credentials(self) -> Mapping[str, CredentialSource]:
        """Return the accounts by their names, and where the password of each is."""

    @property
    @abstractmethod
    def backup_plan(self) -> BackupPlan:
        """Return the backup plan; empty where the inventory has none."""

    @cached_property
    def applications(self) -> Mapping[str, Application]:
        """Return the applications by their names; their files as absolute paths.

        Raises:
            InventoryError: one names a credential or a backup that is not there.
        """
        if not self._described("dsi_applications", T("the variable dsi_applications is missing.")):
            return {}
        found: Applications = self._validated(
            dict[str, Application], "dsi_applications", self._globals["dsi_applications"]
        )
        wrong = []
        for name, one in found.items():
            credential, database = one.connection_test.credential, one.database
            if credential not in self.credentials:
                path = ("dsi_applications", name, "connection_test", "credential")
                wrong.append(self._problem(None, path, unknown_credential(credential, self.credentials)))
            if database is not None and database.backup not in {None, *self.backup_plan.backups}:
                path = ("dsi_applications", name, "database", "backup")
                wrong.append(self._problem(None, path, unknown(str(database.backup), "dsi_backups")))
        if wrong:
            raise InventoryError(wrong)
        return {name: self._with_files(one) for name, one in found.items()}

    def _with_files(self, one: Application) -> Application:
        test, database = one.connection_test, one.database
        if test.ca_file is not None:
            test = test.model_copy(update={"ca_file": self._absolute(test.ca_file)})
        if database is not None and database.ca_file is not None:
            database = database.model_copy(update={"ca_file": self._absolute(database.ca_file)})
        return one.model_copy(update={"connection_test": test, "database": database})

    @cached_property
    def sources(self) -> Mapping[str, Sources]:
        """Return the lines of sources by their names; their files as absolute paths.

        Raises:
            InventoryError: a stage names an application that is not there.
        """
        if not self._described("dsi_sources", T("the variable dsi_sources is missing.")):
            return {}
        found: SourceLines = self._validated(dict[str, Sources], "dsi_sources", self._globals["dsi_sources"])
        wrong = [
            self._problem(None, ("dsi_sources", name, "stages", number, "application"),
                          unknown(stage.application, "dsi_applications"))
            for name, line in found.items()
            for number, stage in enumerate(line.stages)
            if stage.application not in self.applications
        ]  # fmt: skip
        if wrong:
            raise InventoryError(wrong)
        return {
            name: line.model_copy(update={"allowed_signers": self._absolute(line.allowed_signers)})
            for name, line in found.items()
        }

    @cached_property
    def rule_sets(self) -> Mapping[str, RuleSet]:
        """Return the rule sets by their names.

        Raises:
            InventoryError: one names an application that is not there, or that has no database.
        """
        if not self._described("dsi_rules", T("the variable dsi_rules is missing.")):
            return {}
        found: RuleSets = self._validated(dict[str, RuleSet], "dsi_rules", self._globals["dsi_rules"])
        with_database = {name for name, one in self.applications.items() if one.database is not None}
        wrong = [
            self._problem(None, ("dsi_rules", name, "application"), unknown(rules.application, "dsi_applications"))
            for name, rules in found.items()
            if rules.application not in with_database
        ]
        if wrong:
            raise InventoryError(wrong)
        return found
