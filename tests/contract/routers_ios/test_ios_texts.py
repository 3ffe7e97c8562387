"""What the emulator says was seen on a public page, or is listed here as invented."""

from pathlib import Path

from dsi_automation.lab.ios import texts


def test_these_texts_and_no_others_are_invented() -> None:
    assert texts.invented() == (
        "armed_already",
        "arming_without_archive",
        "confirmed",
        "duplicate_entry",
        "no_entry",
        "no_file",
        "no_route",
        "no_route_to_delete",
        "no_startup",
        "not_owner",
        "save_too_large",
    )


def test_every_other_text_names_where_it_was_seen() -> None:
    sources = {said.source for said in texts.TEXTS.values()} - {texts.INVENTED}
    assert all(source.startswith(("https://", "Cisco IOS ")) for source in sources)


def test_every_text_is_said_somewhere() -> None:
    modules = Path(texts.__file__).parent.glob("*.py")
    code = "".join(module.read_text() for module in modules if module.name != "texts.py")
    assert [key for key in texts.TEXTS if f'"{key}"' not in code] == []
