"""Cron expressions as the inventory has them: five fields of numbers, names, lists, ranges and steps.

crontab(5) of Debian, without its extensions (`@daily`, `L`, `#`): each of these could not be said to systemd as well.
When neither day field begins with a star, a day that either names is meant; else a day that both name.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from dsi_automation.core.text import T
from dsi_automation.inventory.problems import WrongValueError

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS: Final = ("minute", "hour", "day", "month", "weekday")
_TERM: Final = re.compile(r"(\*|\d{1,2}|[A-Z]{3})(-(\d{1,2}|[A-Z]{3}))?(/[1-9]\d?)?")


def checked(value: str) -> str:
    """Return a cron expression that is right and that some day comes to pass.

    Raises:
        WrongValueError: it is not one.
    """
    from cronsim import CronSim, CronSimError

    fields = value.upper().split()
    if len(fields) != len(FIELDS):
        raise WrongValueError(
            T("five fields are expected (minute, hour, day, month, day of the week), as in: 30 2 * * MON-FRI.")
        )
    for name, field in zip(FIELDS, fields, strict=True):
        names = {"month": MONTHS, "weekday": DAYS}.get(name, ())
        for term in field.split(","):
            found = _TERM.fullmatch(term)
            words = [word for word in (found[1], found[3]) if word and word.isalpha()] if found else []
            if found is None or (term.startswith("*-")) or any(word not in names for word in words):
                raise _wrong(term)
    try:
        next(CronSim(" ".join(fields), datetime(2026, 1, 1)))  # noqa: DTZ001  # any moment: does it ever happen?
    except CronSimError as error:
        raise WrongValueError(T("the cron expression is not right ({reason}).", reason=str(error))) from error
    except StopIteration as error:
        raise WrongValueError(T("this cron expression never comes to pass.")) from error
    return " ".join(fields)


def _wrong(term: str) -> WrongValueError:
    return WrongValueError(
        T("“{term}” is not understood: write numbers, names (MON, JAN), lists, ranges and steps.", term=term)
    )
