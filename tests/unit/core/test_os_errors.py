"""Why the operating system refused is said in the reader's language, never in the machine's."""

import errno
import os

import pytest

from dsi_automation.core.os_errors import reason_of

USUAL = [errno.ENOENT, errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EISDIR, errno.ENOTDIR, errno.EDQUOT, errno.EIO]


@pytest.mark.parametrize("number", USUAL)
def test_the_usual_refusals_have_words_of_their_own_in_french(number):
    said = reason_of(OSError(number, os.strerror(number)))
    assert said.render("fr") != said.render("en")
    assert os.strerror(number) not in said.render("fr")


def test_any_other_refusal_is_named_by_its_code():
    assert "ENOTTY" in reason_of(OSError(errno.ENOTTY, "x")).render("fr")
    assert reason_of(OSError("no number")).render("fr")
