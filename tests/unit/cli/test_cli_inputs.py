"""What stands after `-i`."""

import json

import pytest

from dsi_automation.cli.inputs import gather
from dsi_automation.core.errors import UsageError


def test_values_stay_as_they_were_typed():
    assert gather(["user=awa.kone", "note=a=b c", "empty="]) == {"user": "awa.kone", "note": "a=b c", "empty": ""}


@pytest.mark.parametrize("suffix", ["json", "yml"])
def test_a_file_brings_many_inputs_and_the_command_line_adds_to_it(tmp_path, suffix):
    path = tmp_path / f"inputs.{suffix}"
    path.write_text(json.dumps({"users": {"ws1": "awa.kone"}, "count": 2}))
    assert gather([f"@{path}", "more=x"]) == {"users": {"ws1": "awa.kone"}, "count": 2, "more": "x"}


@pytest.mark.parametrize(
    "content",
    [b"- a\n- b\n", b"a: [", b"just words", b"\xff\xfe", b"1: x\n", b"!!python/object/apply:os.system [true]"],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content):
    path = tmp_path / "inputs.yml"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        gather([f"@{path}"])


@pytest.mark.parametrize(
    "words", [["=x"], ["novalue"], ["a=1", "a=2"], ["@/nowhere/at/all.yml"], ["@/"], [" =1"], ["a=@/nowhere.yml"]]
)
def test_what_is_no_input_is_refused(words):
    with pytest.raises(UsageError):
        gather(words)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "inputs.yml"
    with path.open("wb") as file:
        file.truncate(2_000_000)
    with pytest.raises(UsageError, match="1 M"):
        gather([f"@{path}"])
