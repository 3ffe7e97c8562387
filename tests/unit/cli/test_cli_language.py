"""French by default, English on demand, and no English left in French."""

from pathlib import Path

import click
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from dsi_automation.cli.main import SECTIONS, dsi
from dsi_automation.core.text import LOCALES

COMMANDS = [name for commands in SECTIONS.values() for name in commands if name != "lab"]
ENGLISH = (
    "Usage:",
    "Show this message",
    "Options:\n  -I, --inventory PATH",
    "Try '",
    "Error",
    "Missing",
    "No such",
    "[default",
    "[required",
)


def extracted():
    words = {"required"}
    source = str(Path(click.__file__).parent)
    for _, _, message, _, _ in extract_from_dir(
        source, [("**.py", "python")], keywords={"_": None, "ngettext": (1, 2)}
    ):
        words.add(message)
    return words


def test_every_sentence_click_can_say_has_its_french():
    with (LOCALES / "fr" / "LC_MESSAGES" / "click.po").open("rb") as source:
        known = read_po(source, locale="fr")
    without = [words for words in extracted() if not (known.get(words) and all(known.get(words).string or ("",)))]
    assert without == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_is_french(dsi, command):
    answer = dsi(command, "--help")
    assert answer.code == 0
    assert answer.out.startswith("Usage\u00a0: dsi")
    assert "Afficher cette aide et quitter." in answer.out
    assert not [word for word in ENGLISH if word in answer.out]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pln"], "Commande inconnue\u00a0: 'pln'. Vouliez-vous dire 'plan'\u00a0?"),
        (["--nonsense"], "Option inconnue\u00a0: '--nonsense'."),
        (["plan"], "Il manque l’argument 'OPÉRATION'."),
        (["workstation", "join"], "Il manque l’argument 'CIBLE...'."),
        (["approve", "REQ"], "Il manque l’option '--comment'."),
        (["approve", "REQ", "--comment"], "L’option '--comment' exige une valeur."),
        (["approve", "REQ", "more", "--comment", "x"], "Argument en trop (more)"),
        (["check", "a", "b", "--format", "pdf"], "Valeur invalide pour '--format'"),
        (["requests", "--open=1"], "L’option '--open' ne prend pas de valeur."),
        (["journal", "vrify"], "Commande inconnue"),
    ],
)
def test_a_usage_error_is_french_and_ends_with_2(dsi, arguments, sentence):
    answer = dsi(*arguments)
    assert answer.code == 2
    assert sentence in answer.err
    assert not [word for word in ENGLISH if word in answer.err]
    assert answer.out == ""


@pytest.mark.parametrize("where", ["before", "after"])
def test_english_is_spoken_when_asked_for(dsi, where):
    arguments = ["--lang", "en", "plan", "--help"] if where == "before" else ["plan", "--help", "--lang=en"]
    assert dsi(*arguments).out.startswith("Usage: dsi plan [OPTIONS] OPERATION [TARGET...]")


def test_the_language_of_one_call_does_not_stay_for_the_next(dsi):
    assert "Show this message and exit." in dsi("--lang", "en", "runs", "--help").out
    assert "Afficher cette aide et quitter." in dsi("runs", "--help").out


def test_the_list_of_commands_leads_to_commands(dsi):
    context = click.Context(dsi_group(), info_name="dsi")
    for name in COMMANDS:
        found = dsi_group().get_command(context, name)
        assert found is not None
        assert found.name == name


def dsi_group():
    return dsi


@pytest.mark.parametrize(
    "arguments", [["--json", "journal", "vrify"], ["journal", "--json", "vrify"], ["journal", "vrify", "--json"]]
)
def test_json_may_stand_before_between_and_after(dsi, arguments):
    answer = dsi(*arguments)
    assert answer.code == 2
    assert answer.json["error"]["code"] == "usage"


@pytest.mark.parametrize(
    "arguments",
    [["--lang", "en", "journal", "head", "--help"], ["journal", "--lang", "en", "head", "--help"]],
)
def test_a_language_may_stand_between(dsi, arguments):
    assert "Show this message and exit." in dsi(*arguments).out


@pytest.mark.parametrize("room", sorted(LOCALES.glob("fr/LC_MESSAGES/*.po")), ids=lambda path: path.stem)
def test_one_thing_has_one_name_in_french(room):
    with room.open("rb") as file:
        told = " ".join(str(message.string) for message in read_po(file)).casefold()
    # Said elsewhere: tenant, cloud, identifiant de connexion, pays d’utilisation.
    for word in ("locataire", "nuage", "nom de connexion", "lieu d’utilisation", "emplacement d’utilisation"):
        assert word not in told
