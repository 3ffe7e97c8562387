"""What a browser carries from one page to the next."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.applications.web_forms import body, hidden_fields, page

TWO_FORMS = """<!DOCTYPE html><html><head><title> SYDAM
 World &amp; co </title></head><body>
<input type=hidden name=outside value=1>
<form action="/search"><input type="hidden" name="lang" value="fr"><input name="q"></form>
<FORM method=post><INPUT TYPE="Hidden" NAME="_csrf" VALUE="a&amp;b&#39;"><input name="user">
<input type=password name="pass"><input type="hidden" name="off" value="1" disabled><input type="hidden" name="empty">
<input type="hidden" value="nameless">
<input type="hidden" name="_csrf" value="twice"><select name="office"></select></FORM>
</body></html>"""


def sent(fields, before):
    return parse_qsl(
        body(fields, before).decode(), keep_blank_values=True, encoding=before.charset if before else "utf-8"
    )


def shown(text, charset="utf-8"):
    return page("http://x/", 200, "OK", text, charset)


def test_the_hidden_fields_are_those_of_the_form_that_is_filled_in():
    before = shown(TWO_FORMS)
    assert sent((("user", "kone"), ("pass", "x")), before) == [
        ("_csrf", "a&b'"), ("empty", ""), ("_csrf", "twice"), ("user", "kone"), ("pass", "x"),
    ]  # fmt: skip
    assert hidden_fields(before.forms, {"q"}) == (("lang", "fr"),)


def test_what_is_filled_in_wins_over_a_hidden_field_of_the_same_name():
    assert sent((("_csrf", "mine"), ("user", "k")), shown(TWO_FORMS)) == [
        ("empty", ""), ("_csrf", "mine"), ("user", "k"),
    ]  # fmt: skip


def test_without_a_page_or_a_form_only_what_is_filled_in_is_sent():
    assert sent((("user", "k"),), None) == [("user", "k")]
    assert sent((("user", "k"),), shown("<p>nothing")) == [("user", "k")]


def test_a_form_is_sent_in_the_charset_of_its_page():
    assert body((("u", "Koné"),), shown("<form>", "iso8859-1")) == b"u=Kon%E9"
    assert body((("u", "Koné"),), shown("<form>")) == b"u=Kon%C3%A9"
    assert body((("u", "€"),), shown("<form>", "ascii")) == b"u=%26%238364%3B"


def test_the_title_and_words_are_read_with_their_character_references():
    read = shown(TWO_FORMS + "<p>D&eacute;claration d&#8217;importation")
    assert read.title == "SYDAM World & co"
    assert read.holds("Déclaration d’importation")
    assert read.holds("D&eacute;claration")
    assert not read.holds("Exportation")


@given(st.text(alphabet="<>/!-[]\"'= formiputhdenvl\n&;", max_size=80))
def test_no_page_is_so_broken_that_it_cannot_be_read(text):
    assert shown(text).text == text


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=5)), min_size=1, max_size=4))
def test_what_is_filled_in_arrives_as_it_was(fields):
    readable = [(name, value) for name, value in fields if not any("\ud800" <= c <= "\udfff" for c in name + value)]
    if readable:
        assert sent(tuple(readable), None) == readable
