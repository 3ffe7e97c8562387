"""Compiles the message catalogues (.po to .mo), for a wheel and for an editable install alike."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "dsi_automation" / "locale"
COLLECTIONS = LOCALES.parent / "ansible_collections"


def compile_catalogues() -> list[Path]:
    """Compile each catalogue that is newer than its compiled form.

    Returns:
        The compiled files, all of them, whether written now or before.
    """
    compiled = []
    for source in sorted(LOCALES.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            with source.open("rb") as po:
                catalogue = read_po(po, locale=source.parts[-3])
            with target.open("wb") as mo:
                write_mo(mo, catalogue)
        compiled.append(target)
    return compiled


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg, unused-ignore]
    """Runs before hatchling collects the files of the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the catalogues and put them in the wheel, with the Ansible collection where Ansible finds it."""
        build_data["artifacts"] += [str(path.relative_to(Path(self.root))) for path in compile_catalogues()]
        if version == "standard":
            # At the top level of site-packages Ansible finds a collection from any folder, with nothing to set.
            build_data["force_include"][str(COLLECTIONS)] = "ansible_collections"
            for room in ("playbooks", "roles"):
                build_data["force_include"][str(ROOT / room)] = f"dsi_automation/share/{room}"


if __name__ == "__main__":
    compile_catalogues()
