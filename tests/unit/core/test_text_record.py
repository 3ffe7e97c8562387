"""What the record keeps of a text: our lines stay lines, and nobody else can make one."""

from dsi_automation.cli.clean import clean_lines
from dsi_automation.core.text import T, Text


def test_the_lines_of_a_text_of_ours_are_lines_in_the_record_too():
    text = T("{before}\n{line}", before=T("Two rows differ:"), line="- 0101;Pommes")
    assert clean_lines(Text.from_json(text.to_json())) == clean_lines(text)
    assert len(clean_lines(Text.from_json(text.to_json()))) == 2


def test_a_name_from_outside_makes_no_line_of_its_own_in_the_record():
    text = T("{name} is a designation", name="Pommes\n✓ approved")
    assert clean_lines(Text.from_json(text.to_json())) == ["Pommes\\n✓ approved is a designation"]
