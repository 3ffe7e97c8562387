"""What is done about one application, and why: to stop it, to start it, or both. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.quantities import Amount, Seconds
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.application_model import Application, ApplicationServer
from dsi_automation.operations.applications import notes, sessions
from dsi_automation.operations.applications.facts import ApplicationFacts, World
from dsi_automation.operations.applications.history import History
from dsi_automation.operations.applications.inputs import Wish
from dsi_automation.operations.applications.words import service_words
from dsi_automation.operations.decided import Decided

WARN = "warn"
STOP = "stop."
CACHES = "caches."
START = "start."
TEST = "test"
BACK = "back"
BEFORE = "before"
AFTER = "after"


def decide(target: str, wish: Wish, found: ApplicationFacts, world: World, run: str | None) -> Decided:
    """Return what is done about one application; within a run, what remains of it."""
    return _Planner(target, wish, found, world, History.of(world.record, run, target)).decided_now()


@dataclass(slots=True)
class _Planner:
    target: str
    wish: Wish
    found: ApplicationFacts
    world: World
    history: History
    decided: Decided = field(default_factory=Decided)

    @property
    def application(self) -> Application:
        return self.world.applications[self.target]

    @property
    def chosen(self) -> tuple[ApplicationServer, ...]:
        return self.wish.chosen(self.application)

    def decided_now(self) -> Decided:
        self.decided.blockers += self._blockers()
        if self.decided.blockers:
            return self.decided
        in_turn = self._in_turn()
        if not self.wish.stops:
            self._start_all(in_turn=in_turn)
        elif in_turn:
            self._in_turns()
        else:
            self._at_once()
        self._tell_conditions()
        return self.decided

    def _in_turn(self) -> bool:
        """Tell whether a server goes on serving users at every moment; a run that has begun goes on as it did."""
        if self.history.in_turn is not None:
            return self.history.in_turn
        names = {server.name for server in self.chosen}
        outside = any(self.found.up(one.name) for one in self.application.servers if one.name not in names)
        up = sum(self.found.up(one.name) for one in self.application.servers)
        if not self.wish.stops:
            return up > 0
        return outside or (self.wish.starts and self.application.rolling and up > 1)

    # -- what hinders it -------------------------------------------------------------------------------------------

    def _blockers(self) -> Iterator[Blocker]:
        known = {server.name for server in self.application.servers}
        unknown = sorted(set(self.wish.servers) - known)
        if unknown:
            yield Blocker(
                self.target,
                T("{application} has no server {names}.", application=self.target, names=", ".join(unknown)),
                T("Its servers are: {names}.", names=", ".join(sorted(known))),
            )
            return
        if self.wish.since is not None and self.wish.since > self.world.now:
            yield Blocker(self.target, T("The incident cannot begin after now."), T("Correct since."))
        yield from self._unseen()
        running = any(self.found.up(server.name) for server in self.chosen)
        if self.wish.stops and running and not self.history.stop_begun:
            for condition in self.found.before:
                if not condition.ok:
                    yield Blocker(
                        self.target,
                        T("What must be true before the stop is not: {condition}", condition=condition.words),
                        T("See to it, then plan again; the conditions are `before` in dsi_applications."),
                    )

    def _unseen(self) -> Iterator[Blocker]:
        unseen = [server.name for server in self.chosen if server.name in self.found.unseen]
        if not self.wish.stops and len(unseen) < len(self.chosen):
            for name in unseen:
                why = T("{server} cannot be looked at: {why}", server=name, why=self.found.unseen[name].what)
                self._leave(f"{START}{name}", why)
            return
        yield from self._blind()

    def _blind(self) -> Iterator[Blocker]:
        for server in self.chosen:
            error = self.found.unseen.get(server.name)
            if error is not None:
                yield Blocker(
                    self.target,
                    T("{server} cannot be looked at: {why}", server=server.name, why=error.what),
                    error.next_step or T("See to it, or name the other servers: --input servers=..."),
                    ExitCode(error.look_exit_code),
                )

    # -- the order of things ---------------------------------------------------------------------------------------

    def _at_once(self) -> None:
        self._warn()
        for server in reversed(self.chosen):
            self._stop(server, in_turn=False)
            # While another one still answers, it costs users nothing.
            self._empty(server)
        self._sessions()
        if self.wish.starts:
            for server in self.chosen:
                self._start(server, in_turn=False)
            self._test(TEST, self.chosen, in_turn=False)
            self._back()

    def _in_turns(self) -> None:
        self._leave(WARN, T("Users are not told: other servers go on, and they lose nothing."))
        for place, server in enumerate(reversed(self.chosen)):
            self._stop(server, in_turn=True)
            if place == 0:
                self._sessions()
            self._empty(server)
            if self.wish.starts:
                self._start(server, in_turn=True)
                self._test(f"{TEST}.{server.name}", (server,), in_turn=True)

    def _start_all(self, *, in_turn: bool) -> None:
        able = [server for server in self.chosen if server.name not in self.found.unseen]
        for server in able:
            self._start(server, in_turn=in_turn)
        if not self.decided.actions and len(able) < len(self.chosen):
            # What cannot be looked at may be stopped: nothing to do is not known.
            self.decided.blockers += self._blind()
            return
        interrupted = self.world.record.open_interruption(self.target) is not None
        if not self.decided.actions and not interrupted and self.history.in_turn is None:
            self._leave(TEST, T("Nothing is started; what users meet is looked at by: dsi application check."))
            return
        self._test(TEST, able, in_turn=in_turn)
        if not in_turn or interrupted or self.history.last(notes.UP) is not None:
            self._back()

    # -- one step each ---------------------------------------------------------------------------------------------

    def _warn(self) -> None:
        notice = self.application.notice
        if self.history.touched:
            return
        if not any(self.found.up(server.name) for server in self.chosen) and self.history.stops_at is None:
            self._leave(WARN, T("Nobody is warned: it does not answer users now."))
            return
        steps = self.wish.countdown(self.application)
        mails = TN("Users are told by mail ({n} address)", "Users are told by mail ({n} addresses)", len(notice.users))
        shown = T("{mails} and by a message of the application", mails=mails) if notice.message else mails
        reason = T("{told}: {why}.", told=shown if notice.users else T("No address of users is known"),
                   why=self.wish.why.rstrip("."))  # fmt: skip
        title = T("Tell users, and stop at once")
        if steps:
            moments = Text("{first}", {"first": Seconds(steps[0])})
            for step in steps[1:]:
                moments = T("{earlier}, {step}", earlier=moments, step=Seconds(step))
            title = T("Tell users, and count down: {moments} before the stop", moments=moments)
        self._do(
            WARN,
            {"countdown": list(steps), "in_turn": False, "users": list(notice.users)},
            title,
            reason,
            T("Ctrl-C in the countdown: users are told that it does not stop."),
        )

    def _stop(self, server: ApplicationServer, *, in_turn: bool) -> None:
        kind, state, seen = f"{STOP}{server.name}", self.history.state(server.name), self.found.servers[server.name]
        if self.history.noted(notes.STARTING, server.name) is not None:
            self._leave(kind, T("This run started it already."))
            return
        if state == notes.STOPPED:
            self._leave(kind, T("This run stopped it already."))
            return
        if seen.down and state is None:
            self._leave(kind, T("It is stopped already."))
            return
        within = server.stop_within.total_seconds()
        reason = T("It answers on port {port}.", port=server.port)
        if not seen.up:
            reason = T("Its service is {state}, and its port {port} does not answer.",
                       state=service_words(seen.service), port=server.port)  # fmt: skip
        last = (
            T("{reason} What still holds the port after {time} is ended.", reason=reason, time=Seconds(within))
            if server.kill
            else T("{reason} What still holds the port after {time} is left to a person.", reason=reason,
                   time=Seconds(within))
        )  # fmt: skip
        self._do(
            kind,
            {"server": server.name, "in_turn": in_turn, "within": within, "kill": server.kill},
            T("Stop {server} on {host}", server=server.name, host=server.host),
            last,
            T("Start it: dsi application start {application}", application=self.target),
        )

    def _sessions(self) -> None:
        sessions.plan(self.target, self.application, self.found.locks, self.wish.end_sessions, self.decided)

    def _empty(self, server: ApplicationServer) -> None:
        if not server.caches or not self.wish.empty_caches:
            return
        if self.history.noted(notes.STARTING, server.name) is not None:
            return
        seen = self.found.servers[server.name]
        if seen.down and not seen.cache_bytes and self.history.state(server.name) is None:
            self._leave(f"{CACHES}{server.name}", T("They are empty already."))
            return
        self._do(
            f"{CACHES}{server.name}",
            {"server": server.name, "folders": list(server.caches)},
            T("Empty the caches of {server}", server=server.name),
            T("They hold {amount} now; they fill again by themselves.",
              amount=Amount(seen.cache_bytes)),
        )  # fmt: skip

    def _start(self, server: ApplicationServer, *, in_turn: bool) -> None:
        kind, seen = f"{START}{server.name}", self.found.servers[server.name]
        if self.history.state(server.name) == notes.STARTED:
            self._leave(kind, T("This run started it already."))
            return
        if not self.wish.stops and seen.up and self.history.noted(notes.STARTING, server.name) is None:
            self._leave(kind, T("It answers already."))
            return
        within = server.start_within.total_seconds()
        self._do(
            kind,
            {
                "server": server.name,
                "within": within,
                **self._terms(self.chosen if not in_turn else (server,), in_turn),
            },
            T("Start {server} on {host}", server=server.name, host=server.host),
            T("Its port {port} must answer within {time}.", port=server.port, time=Seconds(within)),
            T("Stop it: dsi application stop {application}", application=self.target),
        )

    def _test(self, kind: str, servers: Sequence[ApplicationServer], *, in_turn: bool) -> None:
        stable = self.application.stable_for.total_seconds()
        names = ", ".join(server.name for server in servers)
        self._do(
            kind,
            {**self._terms(servers, in_turn), "stable_for": stable},
            T("Test the connection on {servers}: page, login, query, logout; it must stay up for {time}", servers=names,
              time=Seconds(stable)),
            T("Users are told that it is available only when they can work. {otherwise}", otherwise=self._otherwise()),
        )  # fmt: skip

    def _otherwise(self) -> Text:
        terms = self.application.when_not_conclusive
        again = TN(
            "Not conclusive: it is not tried again, and then",
            "Not conclusive: it is stopped, started and tested again, {n} times in all; then",
            terms.tries,
        )
        if terms.then == "stop":
            return T("{again} it is stopped, so that nobody works on it half well.", again=again)
        return T("{again} it is left as it is, for a person to look at.", again=again)

    def _back(self) -> None:
        notice = self.application.notice
        self._do(
            BACK,
            {"users": list(notice.users), "message": notice.message is not None},
            T("Tell users that {title} is available again", title=self.application.title),
            T("They were told that it stops, or met that it did."),
        )

    def _tell_conditions(self) -> None:
        """Tell who approves what must be true before the stop and after the start, without it being acted on."""
        kinds = [action.kind for action in self.decided.actions]
        if self.found.before and not self.history.stop_begun and any(kind.startswith(STOP) for kind in kinds):
            titles = ", ".join(one.title for one in self.found.before)
            self._leave(BEFORE, T("True now, and asked again just before the stop: {titles}.", titles=titles))
        after = self.application.after
        wanted = [*(one.title for one in after.queries), *(one.title for one in after.commands)]
        if wanted and TEST in kinds:
            titles = ", ".join(dict.fromkeys(wanted))
            self._leave(AFTER, T("Must be true before users are told that it is back: {titles}.", titles=titles))

    def _terms(self, servers: Sequence[ApplicationServer], in_turn: bool) -> dict[str, object]:  # noqa: FBT001
        terms = self.application.when_not_conclusive
        names = [server.name for server in servers]
        return {"servers": names, "tries": terms.tries, "then": terms.then, "in_turn": in_turn}

    def _do(self, kind: str, args: dict[str, object], title: Text, reason: Text, reversal: Text | None = None) -> None:
        self.decided.actions.append(Action(self.target, kind, args, title, reason, reversal))  # type: ignore[arg-type]

    def _leave(self, kind: str, reason: Text) -> None:
        self.decided.non_actions.append(NonAction(self.target, kind, reason))
