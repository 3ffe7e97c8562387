"""What the record calls by a name has words for people, in their language."""

import pytest

from dsi_automation.connectors.applications.port import ServiceState
from dsi_automation.core.text import Text, speaking
from dsi_automation.operations.applications import testing
from dsi_automation.operations.applications.words import place_words, service_words, step_words
from dsi_automation.operations.tools import USERS


@pytest.mark.parametrize(
    "name", ["port", "page", "login", "query", "logout", testing.START, testing.STABILITY]
)  # fmt: skip
def test_every_step_of_a_test_has_words(name):
    assert isinstance(step_words(name), Text)


def test_places_of_a_test_have_words_and_servers_keep_their_names():
    assert isinstance(place_words(testing.AFTER), Text)
    assert isinstance(place_words(USERS), Text)
    assert place_words("app1") == "app1"


def test_a_condition_keeps_the_title_of_the_inventory():
    assert step_words("Le tarif est là") == "Le tarif est là"


def test_states_of_services_are_told_in_french():
    with speaking("fr"):
        told = {state: str(service_words(state)) for state in ServiceState}
    assert told[ServiceState.RUNNING] == "en marche"
    assert not set(told.values()) & {state.value for state in ServiceState}
