"""Redaction of short texts with many secrets finds exactly what the search for each of them would."""

import subprocess
import sys

SCRIPT = """
import json, random, sys
from dsi_automation.core import secrets

draw = random.Random(7)
letters = "ab•<é%+\\"\\\\9"
word = lambda most: "".join(draw.choice(letters) for _ in range(draw.randint(1, most)))
plain = lambda text: __import__("functools").reduce(
    lambda told, form: told.replace(form, secrets.MASK), secrets._longest_first, text)
wrong = 0
for _ in range(300):
    secrets.register(word(9))
    for _ in range(20):
        text = word(6) + draw.choice(["", *secrets._known]) + word(6) + draw.choice(["", *secrets._known])
        wrong += secrets.redact(text) != plain(text)
print(json.dumps({"wrong": wrong, "forms": len(secrets._longest_first)}))
"""


def test_a_short_text_is_redacted_as_by_searching_for_every_secret():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert '"wrong": 0' in done.stdout
    assert int(done.stdout.partition('"forms": ')[2].partition("}")[0]) > 500
