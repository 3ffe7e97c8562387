"""Progress: nothing for quick work, plain lines in a file, a live picture on a terminal, never on stdout."""

import io
import threading

from dsi_automation.cli.progress import SHOWN, Picture, Progress
from dsi_automation.core.events import Event
from dsi_automation.core.text import T


class Terminal(io.StringIO):
    def isatty(self):
        return True


def event(kind="wait", target="ws1", text="It restarts.", **more):
    return Event(kind, T("{text}", text=text), target, **more)


def shown(progress):
    """Let the patience end now, as its timer would."""
    progress._begin()
    return progress


def test_quick_work_shows_nothing():
    stream = io.StringIO()
    with Progress(stream=stream, patience=3600) as progress:
        progress.notify(event())
    assert stream.getvalue() == ""


def test_without_a_terminal_each_event_is_a_line():
    stream = io.StringIO()
    with Progress(stream=stream, patience=3600) as progress:
        progress.notify(event(done=1, total=3))
        shown(progress)
        progress.notify(event("action.started"))
        progress.notify(event("action.done", "ws\x1b[2J", "[red]done"))
    assert stream.getvalue().splitlines() == [
        "[1/3] ws1\N{NO-BREAK SPACE}: It restarts.",
        "ws\\x1b[2J\N{NO-BREAK SPACE}: [red]done",
    ]


def test_on_a_terminal_a_live_picture_shows_the_target_and_goes_away():
    stream = Terminal()
    with Progress(stream=stream, patience=3600) as progress:
        progress.notify(event())
        shown(progress).notify(event("action.started", "ws2", "It [bold]joins."))
        progress._live.refresh()
    assert "ws2  It [bold]joins." in stream.getvalue()
    assert stream.getvalue().endswith(("\x1b[2K", "\x1b[?25h", "\r"))


def test_the_picture_counts_and_keeps_to_a_screen():
    picture = Picture()
    for number in range(40):
        picture.take(event("action.started", f"ws{number}"))
    picture.take(event("look.progress", "ws0", "Looking.", done=1, total=40))
    lines = picture.lines()
    assert lines[0] == "1/40  Looking."
    assert len(lines) == SHOWN + 2
    assert not any(line.split()[0] == "ws0" for line in lines[1:])


def test_whoever_has_not_answered_yet_is_shown():
    stream = Terminal()
    with Progress(["ws1", "ws7"], stream=stream, patience=3600) as progress:
        progress.notify(event("look.progress", "ws1", "Looking.", done=1, total=2))
        assert progress._lines[0] == "1/2  Looking."
        assert [line.split()[0] for line in progress._lines[1:]] == ["ws7"]


def test_many_threads_may_tell_at_once():
    stream = Terminal()
    with Progress(stream=stream, patience=3600) as progress:
        shown(progress)
        threads = [
            threading.Thread(target=lambda name=f"ws{n}": [progress.notify(event(target=name)) for _ in range(50)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(progress._picture.now) == 8


def test_a_closed_screen_does_not_stop_the_work():
    stream = io.StringIO()
    with Progress(stream=stream, patience=3600) as progress:
        shown(progress)
        stream.close()
        progress.notify(event())
        assert progress._showing is False


def test_a_patience_that_ends_after_the_work_shows_nothing():
    stream = Terminal()
    with Progress(stream=stream, patience=3600) as progress:
        progress.notify(event())
    shown(progress)
    assert stream.getvalue() == ""


def test_a_log_is_told_of_a_fleet_by_tenths():
    stream = io.StringIO()
    with Progress(stream=stream, patience=3600) as progress:
        progress._begin()
        for done in range(1, 501):
            progress.notify(Event("look.progress", T("Looking."), target=f"wall{done}", done=done, total=500))
    lines = [line for line in stream.getvalue().splitlines() if line.startswith("[")]
    assert lines == [f"[{done}/500] {Event('x', T('Looking.')).text}" for done in range(50, 501, 50)]


def test_a_log_of_a_fleet_tells_no_step_of_one_target_but_every_failure():
    stream = io.StringIO()
    with Progress(stream=stream, patience=3600) as progress:
        progress._begin()
        progress.notify(Event("look.started", T("Looking."), done=0, total=500))
        progress.notify(event("action.done", "ws1", "It has joined."))
        progress.notify(event("wait", "ws1", "It restarts."))
        progress.notify(event("action.failed", "ws2", "It refused."))
        progress.notify(event("run.ended", None, "It has ended."))
    assert stream.getvalue().splitlines() == ["ws2\N{NO-BREAK SPACE}: It refused.", "It has ended."]
