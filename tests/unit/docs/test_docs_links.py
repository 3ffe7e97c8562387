"""Every relative link of README and docs leads somewhere, its anchor too; every page can be reached from README."""

import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def links(page):
    """Return the relative links of a page as (file, anchor)."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in LINK.findall(text) if not re.match(r"[a-z]+:", target)]
    return [(path, anchor) for path, _, anchor in (target.partition("#") for target in targets)]


def anchors(page):
    """Return the anchors of a page's headings, as the common renderers make them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        kept = [c for c in heading.lower().replace("`", "") if c in " -_" or unicodedata.category(c)[0] in "LN"]
        found.add("".join(kept).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    broken = []
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        whole = target.exists() and target.is_relative_to(ROOT)
        if not whole or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def test_every_page_is_reached_from_the_readme():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for path, _ in links(page):
            target = (page.parent / path).resolve()
            waiting += [target] if target.suffix == ".md" else sorted(target.glob("*.md")) if target.is_dir() else []
    assert {str(page.relative_to(ROOT)) for page in PAGES} <= {
        str(page.relative_to(ROOT)) for page in seen if page.is_relative_to(ROOT)
    }
