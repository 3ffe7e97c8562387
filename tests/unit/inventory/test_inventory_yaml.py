import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core.errors import UsageError
from dsi_automation.inventory.model import PeopleFile, SettingsFile
from dsi_automation.inventory.people import check_people
from dsi_automation.inventory.problems import InventoryError
from dsi_automation.inventory.yamlfile import check_yaml, read_yaml


def test_a_key_written_twice_is_refused_with_both_lines(tmp_path):
    path = tmp_path / "x.yml"
    path.write_text("a: 1\nb:\n  - c: 1\n    c: 2\na: 3\n")
    with pytest.raises(InventoryError) as raised:
        read_yaml(path)
    assert [(p.path, p.line) for p in raised.value.problems] == [("b[0].c", 4), ("a", 5)]
    assert check_yaml(path) == list(raised.value.problems)


@pytest.mark.parametrize("text", ["a: [1\n", "\ta: 1\n", "a: 1\n---\nb: 2\n", "a: !python/object/apply:os.getpid []\n"])
def test_what_is_not_plain_yaml_is_refused(tmp_path, text):
    path = tmp_path / "x.yml"
    path.write_text(text)
    with pytest.raises(InventoryError, match=r"x\.yml"):
        read_yaml(path)


def test_a_file_that_is_absent_or_not_text_is_refused(tmp_path):
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe")
    for name in ("absent.yml", "binary.yml"):
        with pytest.raises(UsageError, match=name):
            read_yaml(tmp_path / name)


def test_vault_values_and_wholly_encrypted_files_are_left_to_ansible(tmp_path):
    path = tmp_path / "x.yml"
    path.write_text("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n")
    assert check_yaml(path) == []
    path.write_text("$ANSIBLE_VAULT;1.1;AES256\n61: 61: 61\n")
    assert check_yaml(path) == []


@pytest.mark.parametrize(
    "text", ["a: 2026-13-45\n", "a: " + "[" * 3000, "? [a]\n: 1\n", "? {a: 1}\n: 1\n", "1: 2\n", "- 1\n"]
)
def test_odd_yaml_is_an_error_of_the_file_and_nothing_else(tmp_path, text):
    path = tmp_path / "x.yml"
    path.write_text(text)
    with pytest.raises(InventoryError, match=r"x\.yml"):
        read_yaml(path).validate(SettingsFile)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=12,
)
names = st.sampled_from([*PeopleFile.model_fields, "id", "name", "staff_number", "logins", "keys", "key", "mail"])


@given(st.dictionaries(names, values | st.lists(st.dictionaries(names, values), max_size=2), max_size=4))
def test_any_content_of_a_people_file_is_accepted_or_refused_with_its_places(tmp_path_factory, content):
    import yaml

    path = tmp_path_factory.getbasetemp() / "any-people.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    problems = []
    try:
        assert check_people(read_yaml(path)) is not None
    except InventoryError as error:
        problems += error.problems
    assert all(problem.source == str(path) and str(problem.text) for problem in problems)
