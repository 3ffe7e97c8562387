import pytest

from dsi_automation.core.errors import UsageError
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
