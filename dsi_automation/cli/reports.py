"""Reports of a check as files for other programs: CSV for a spreadsheet, JUnit XML for a build server. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from dsi_automation.cli.clean import clean
from dsi_automation.cli.views import by_target, states_of
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.engine.operation import Report

HEADERS: Final = ("target", "state", "check", "title", "expected", "observed", "ok", "warning", "source", "next_step")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")
"""First characters that make a spreadsheet run a cell (OWASP, CSV injection)."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters XML 1.0 cannot carry, not even escaped (section 2.2)."""


def as_csv(report: Report) -> str:
    """Return the report as CSV (RFC 4180): a row per comparison, and one row for a target that did not answer."""
    target_file = io.StringIO()
    writer = csv.writer(target_file, lineterminator="\r\n")
    writer.writerow(HEADERS)
    states, checks = states_of(report), by_target(report)
    for target, state in states.items():
        failure = report.failures.get(target)
        if failure is not None:
            writer.writerow([_cell(value) for value in _failed_row(target, state, failure)])
        for check in checks[target]:
            writer.writerow([_cell(value) for value in _row(check, state)])
    return target_file.getvalue()


def as_junit(operation: str, report: Report, at: datetime, seconds: float) -> str:
    """Return the report as JUnit XML: a suite per target, a case per comparison.

    A difference is a failure, a target that could not be looked at an error, a mere warning a passed case
    with its words in `system-out`. The elements and their order are those of the schema Ant's task came to
    define and Jenkins reads (windyroad JUnit.xsd).

    Args:
        at: when the check began.
        seconds: how long it took, for the whole report.
    """
    root = ET.Element("testsuites")
    for number, (target, checks) in enumerate(by_target(report).items()):
        suite = ET.SubElement(root, "testsuite", _suite(number, operation, target, at, seconds))
        ET.SubElement(suite, "properties")
        failure = report.failures.get(target)
        failures = errors = 0
        for check in checks:
            failures += _case(suite, check)
        if failure is not None:
            errors = _error_case(suite, target, failure)
        warnings = [check for check in checks if check.warning and not check.ok]
        ET.SubElement(suite, "system-out").text = _xml("\n".join(map(_sentence, warnings)))
        ET.SubElement(suite, "system-err")
        suite.attrib |= {"tests": str(len(checks) + errors), "failures": str(failures), "errors": str(errors)}
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _row(check: Check, state: str) -> tuple[Any, ...]:
    ok = "yes" if check.ok else "no"
    warning = "yes" if check.warning and not check.ok else "no"
    return (
        check.target,
        state,
        check.name,
        check.title,
        check.expected,
        check.observed,
        ok,
        warning,
        check.source,
        "",
    )


def _failed_row(target: str, state: str, failure: DsiError) -> tuple[Any, ...]:
    return (target, state, "", failure.what, "", "", "no", "no", "", failure.next_step or "")


def _cell(value: object) -> str:
    text = clean(value)
    return "'" + text if text.lstrip().startswith(FORMULA) else text


def _suite(number: int, operation: str, target: str, at: datetime, seconds: float) -> dict[str, str]:
    return {
        "name": _xml(target),
        "package": _xml(operation),
        "id": str(number),
        "hostname": _xml(target),
        # The schema wants a date and time without a zone: UTC.
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}",
        "time": f"{seconds:.3f}",
        "tests": "0",
        "failures": "0",
        "errors": "0",
    }


def _case(suite: ET.Element, check: Check) -> int:
    case = _new_case(suite, check.target, check.name)
    if check.ok or check.warning:
        return 0
    failure = ET.SubElement(case, "failure", {"type": "not_compliant", "message": _xml(_sentence(check))})
    failure.text = _xml(str(T("Read from: {source}", source=check.source)))
    return 1


def _error_case(suite: ET.Element, target: str, failure: DsiError) -> int:
    case = _new_case(suite, target, "reachable")
    element = ET.SubElement(case, "error", {"type": failure.code, "message": _xml(str(failure.what))})
    element.text = _xml(str(failure))
    return 1


def _new_case(suite: ET.Element, target: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"name": _xml(name), "classname": _xml(target), "time": "0"})


def _sentence(check: Check) -> str:
    sentence: Text = T(
        "{title}: expected {expected}, found {observed}",
        title=check.title,
        expected=check.expected,
        observed=check.observed,
    )
    return str(sentence)


def _xml(text: str) -> str:
    return _NOT_XML.sub("", "\n".join(clean(line) for line in text.split("\n")))


def rows(report: Report) -> Iterator[tuple[str, Check | None, DsiError | None]]:
    """Yield what a table shows: every comparison with its target, and each failed target once."""
    for target, checks in by_target(report).items():
        failure = report.failures.get(target)
        if failure is not None:
            yield target, None, failure
        for check in checks:
            yield target, check, None
