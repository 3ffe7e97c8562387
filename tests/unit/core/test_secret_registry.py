"""The registry of secrets: what is registered is masked in every text, and registering again costs and adds nothing."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core import secrets
from dsi_automation.core.secrets import MASK, SHORTEST, Secret, redact, redact_json


def test_every_usual_encoding_of_a_secret_is_masked():
    Secret("Sésame & <ouvre>")
    forms = ["Sésame & <ouvre>", "Sésame &amp; &lt;ouvre&gt;", "S%C3%A9same%20%26%20%3Couvre%3E"]
    forms.append(base64.b64encode("Sésame & <ouvre>".encode("utf-16-le")).decode())
    assert [redact(f"<{form}>") for form in forms] == [f"<{MASK}>"] * len(forms)


def test_a_secret_registered_after_a_text_was_searched_is_masked_too():
    assert redact("first-secret then second-secret") == "first-secret then second-secret"
    Secret("first-secret")
    assert redact("first-secret then second-secret") == f"{MASK} then second-secret"
    Secret("second-secret")
    assert redact("first-secret then second-secret") == f"{MASK} then {MASK}"


def test_the_longer_of_two_secrets_is_masked_whole():
    Secret("Douane")
    Secret("Douane-2026")
    assert redact("Douane-2026 Douane") == f"{MASK} {MASK}"


def test_the_same_password_of_many_machines_is_registered_once():
    Secret("the-same-for-all")
    known = len(secrets._longest_first)
    for _ in range(500):
        Secret("the-same-for-all")
    assert len(secrets._longest_first) == known


@given(value=st.text(min_size=SHORTEST, max_size=30), around=st.text(max_size=10))
def test_no_text_keeps_a_registered_value(value, around):
    Secret(value)
    assert value not in redact(f"{around}{value}{around}").replace(MASK, "")


@given(value=st.text(st.characters(categories=["Ll", "Nd"]), min_size=8, max_size=30))
def test_json_keeps_no_value_in_keys_nor_in_lists(value):
    Secret(value)
    assert value not in str(redact_json({value: [value, {"a": (value,)}]})).replace(MASK, "")
