"""Archives of releases: nothing in one may lead outside the folder it is unpacked in."""

import io
import tarfile

import pytest

from dsi_automation.connectors.applications.contents import checked
from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.applications.folders import clean_path
from dsi_automation.connectors.applications.remote import Said
from dsi_automation.core.errors import UsageError


def _archive(tmp_path, *members):
    path = tmp_path / "a.tgz"
    with tarfile.open(path, "w:gz") as made:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            made.addfile(info, io.BytesIO())
    return path


FILE, FOLDER, LINK, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def test_files_folders_and_links_inside_are_counted(tmp_path):
    path = _archive(
        tmp_path,
        ("./", FOLDER, ""),
        ("a/b", FILE, ""),
        ("a/up", LINK, "../c"),
        ("a/same", HARD, "a/b"),
    )
    assert checked(path) == 3


@pytest.mark.parametrize(
    "members",
    [
        [("/etc/x", FILE, "")],
        [("a/../../x", FILE, "")],
        [("a", LINK, "/etc")],
        [("a/b", LINK, "../../x")],
        [("a", LINK, "b/../..")],
        [("a", LINK, "b"), ("a/x", FILE, "")],
        [("a", HARD, "../etc/shadow")],
        [("a", HARD, "absent")],
        [("a", tarfile.CHRTYPE, "")],
        [("a", tarfile.FIFOTYPE, "")],
        [("a", FILE, ""), ("a", LINK, "b")],
        [(".dsi-release.json", FILE, "")],
        [("a\nb", FILE, "")],
        [],
    ],
)
def test_what_leads_outside_is_refused(tmp_path, members):
    with pytest.raises(ReleaseError):
        checked(_archive(tmp_path, *members))


def test_a_file_that_runs_with_its_owners_rights_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a", "w") as made:
        info = tarfile.TarInfo("su")
        info.mode = 0o4755
        made.addfile(info, io.BytesIO())
    with pytest.raises(ReleaseError):
        checked(tmp_path / "a")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no tar", b"\x1f\x8b damaged"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ReleaseError):
        checked(tmp_path / "a")


def test_paths_are_absolute_and_never_go_up():
    assert clean_path("//var//cache/x/") == "/var/cache/x"
    for wrong in ("var", "/var/../etc", "", "/a\nb"):
        with pytest.raises(UsageError):
            clean_path(wrong)


def test_what_a_script_says_is_read_line_by_line():
    said = Said.of("state\trunning\nholder\t1\t2\tjava\ttomcat\nend\nodd\tx\n")
    assert (said.first("state"), said.first("end"), "end" in said, said.number("odd")) == ("running", None, True, 0)
    assert list(said.every("holder")) == [("1", "2", "java", "tomcat")]
    assert said.tail("state") == ""
