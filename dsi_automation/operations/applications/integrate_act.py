"""How a release is integrated: put beside the others, scripts run, links switched; each act is done once by its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.releases.port import Release, ReleaseStore
from dsi_automation.core.canonical import Json
from dsi_automation.core.errors import DsiError, GateClosedError, RefusedError, StorageError
from dsi_automation.core.plan import Action
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T
from dsi_automation.operations.applications import integrate_table, notes
from dsi_automation.operations.applications.acting import Doing
from dsi_automation.operations.applications.integrate_facts import links
from dsi_automation.operations.applications.integrate_gate import in_use
from dsi_automation.operations.applications.integrate_inputs import IntegrateInputs
from dsi_automation.operations.applications.integrate_place import Place, place_of
from dsi_automation.operations.applications.integrate_plan import unfinished
from dsi_automation.operations.applications.integrate_table import ScriptOrder

KEPT: Final = "scripts"
"""Under which the state folder keeps the texts of scripts: while users wait, nothing is fetched from elsewhere."""


class ScriptFailedError(RefusedError):
    """A database script failed; nothing of it was done."""


def begin(action: Action, inputs: IntegrateInputs, doing: Doing) -> Mapping[str, Any]:
    """Note what this run brings and what was there, unless it did; keep the texts of the scripts.

    Raises:
        ReleaseError: the release is not the one that was approved.
        RefusedError: another run has integrated something there since this one began.
    """
    history = doing.history()
    noted = history.last(notes.RELEASE_BEGUN)
    if noted is not None:
        _not_superseded(doing)
        return noted.data
    place = place_of(doing.look.sources, doing.target, inputs.source)
    store = doing.look.releases(place.source)
    release = store.release(inputs.release)
    if release.sha256 != action.args.get("sha256", release.sha256):
        raise ReleaseError(
            T("Release {release} is no longer the archive that was approved.", release=release.name),
            on=doing.target,
            next_step=T("Find out who changed it, then plan and ask anew."),
        )
    data: dict[str, Json] = {
        "source": place.source,
        "stage": place.stage.name,
        "release": release.name,
        "sha256": release.sha256,
        "signer": release.signer,
        "before": dict(_before(place, release, doing)),
        "scripts": _kept(release, store, doing),
    }
    doing.note(notes.RELEASE_BEGUN, data)
    return data


def put(action: Action, inputs: IntegrateInputs, doing: Doing) -> None:
    """Put the release on one server, beside the others."""
    server, name, sha256 = (str(action.args[key]) for key in ("server", "release", "sha256"))
    release = doing.look.releases(str(action.args["source"])).release(inputs.release)
    with doing.hands.server(doing.target, server, doing.target) as writer:
        writer.put_release(name, release.archive, sha256)
    doing.note(notes.PUT, {"server": server, "release": name, "sha256": sha256})
    doing.tell("release.put", T("{server} has release {release}.", server=server, release=name))


def script(action: Action, begun: Mapping[str, Any], doing: Doing) -> None:
    """Run one database script, unless this run did.

    Raises:
        ScriptFailedError: the database refuses it; nothing of it was done.
        UnknownOutcomeError: the connection broke while it was committed.
    """
    file = str(action.args["file"])
    order = script_order(begun, file, doing, undo=False, timeout=float(str(action.args["timeout"])))
    if order.sha256 != action.args["sha256"]:
        raise ReleaseError(T("Script {file} is not the one that was approved.", file=file), on=doing.target)
    began = doing.clock.monotonic()
    try:
        with doing.hands.database(doing.target, doing.target) as database:
            integrate_table.apply(order, database)
    except RefusedError as error:
        raise ScriptFailedError(
            T("Script {file} failed. {problem}", file=file, problem=error.what),
            on=doing.target,
            meaning=T("Nothing of it is in the database: it was rolled back."),
            next_step=error.next_step,
            detail={**error.detail, "file": file},
        ) from error
    seconds = doing.clock.monotonic() - began
    note_script(order, seconds, doing, undo=False)
    doing.tell("release.script", T("{file} was run in {time}.", file=file, time=Seconds(seconds)))


def switch(action: Action, doing: Doing) -> None:
    """Have one server use the release."""
    point_to(str(action.args["server"]), str(action.args["release"]), doing)


def point_to(server: str, release: str, doing: Doing) -> None:
    """Point a server's link to a release, unless it does; and note it, unless this run did."""
    with doing.hands.server(doing.target, server, doing.target) as writer:
        before = writer.look().release
        if before != release:
            before = writer.use_release(release)
    noted = doing.history().noted(notes.SWITCHED, server)
    if noted is None or noted.data["after"] != release:
        doing.note(notes.SWITCHED, {"server": server, "before": before, "after": release})
    doing.tell("release.switched", T("{server} uses release {release}.", server=server, release=release))


def deployed(begun: Mapping[str, Any], doing: Doing) -> None:
    """Note that the release is in use and tested, and remove the oldest ones."""
    if doing.history().last(notes.DEPLOYED) is None:
        former = former_of(begun)
        data: dict[str, Json] = {key: begun[key] for key in ("source", "stage", "release", "sha256", "signer")}
        doing.note(notes.DEPLOYED, {**data, "before": former})
    for server in doing.application.servers:
        try:
            _drop(server.name, begun, doing)
        except (GateClosedError, StorageError):
            raise
        except DsiError as error:
            # The release is in use and tested: an old one that stays takes room, and nothing else.
            doing.tell("release.kept", T("{server}: old releases stay: {why}", server=server.name, why=error.what))


def former_of(begun: Mapping[str, Any]) -> str | None:
    """Return the release that was in use before; None when there was none."""
    names = [name for name in begun["before"].values() if name is not None]
    return names[0] if names else None


def script_order(begun: Mapping[str, Any], file: str, doing: Doing, *, undo: bool, timeout: float) -> ScriptOrder:
    """Return a script of this run, or its undo script, as the state folder keeps it.

    Raises:
        ReleaseError: this run does not bring it. StorageError: its text is not kept any more.
    """
    known = next((one for one in begun["scripts"] if one["file"] == file), None)
    if known is None:
        raise ReleaseError(T("Script {file} is not the one that was approved.", file=file), on=doing.target)
    content = doing.look.kept(KEPT, known["undo_kept" if undo else "kept"])
    if content is None:
        raise StorageError(
            T("The text of {file} is not in the state folder any more.", file=known["undo"] if undo else file),
            next_step=T("Put the state folder back from its backup, then resume the run."),
        )
    return ScriptOrder(
        begun["source"], begun["release"], file, known["sha256"], content.decode(), timeout, doing.hands.run
    )


def note_script(order: ScriptOrder, seconds: float, doing: Doing, *, undo: bool) -> None:
    """Note that a script was run or undone, unless this run did."""
    told = [
        note
        for note in doing.history().notes
        if note.name == notes.SCRIPT and note.data["file"] == order.file and note.data["undo"] is undo
    ]
    if not told:
        doing.note(
            notes.SCRIPT,
            {
                "source": order.source,
                "release": order.release,
                "file": order.file,
                "sha256": order.sha256,
                "undo": undo,
                "seconds": round(seconds, 3),
            },
        )


def _before(place: Place, release: Release, doing: Doing) -> Mapping[str, str | None]:
    """Return what each server used before; where a run that was cut short switched one, what was before that."""
    record = doing.look.application_record()
    cut, last = unfinished(record, doing.target), in_use(record, doing.target, place.source)
    earlier = {} if cut is None else cut.data["before"]
    known = None if last is None or last.release == release.name else last.release

    def former(server: str, link: str | None) -> str | None:
        if link != release.name or cut is None:
            return link
        before: str | None = earlier.get(server)
        return before or known

    return {server: former(server, link) for server, link in links(doing.target, doing.look).items()}


def _kept(release: Release, store: ReleaseStore, doing: Doing) -> list[Json]:
    return [
        {
            "file": one.file,
            "sha256": one.sha256,
            "kept": doing.hands.keep(KEPT, store.text(release, one.file).encode()),
            "undo": one.undo,
            "undo_kept": None if one.undo is None else doing.hands.keep(KEPT, store.text(release, one.undo).encode()),
        }
        for one in release.scripts
    ]


def _not_superseded(doing: Doing) -> None:
    """Make sure that no other run has changed the application since this one began.

    Raises:
        RefusedError: one has.
    """
    begun = False
    for note in doing.look.application_record().notes:
        if note.target != doing.target:
            continue
        begun = begun or (note.run == doing.hands.run and note.name == notes.RELEASE_BEGUN)
        changes = {notes.SCRIPT, notes.SWITCHED, notes.DEPLOYED, notes.ROLLED_BACK}
        if begun and note.run != doing.hands.run and note.name in changes:
            raise RefusedError(
                T("{other} has changed {target} since {run} began.", other=note.run, target=doing.target,
                  run=doing.hands.run),
                on=doing.target,
                next_step=T("Leave this run as it is; plan anew what is still wanted."),
            )  # fmt: skip


def _drop(server: str, begun: Mapping[str, Any], doing: Doing) -> None:
    deployment = doing.application.deployment
    if deployment is None:
        return
    record, source = doing.look.application_record(), begun["source"]
    used = [one.release for one in record.deployed if one.application == doing.target and one.source == source]
    former = [name for name in dict.fromkeys(reversed(used)) if name != begun["release"]][: deployment.keep]
    before = [name for name in begun["before"].values() if name is not None]
    with doing.hands.server(doing.target, server, doing.target) as writer:
        gone = writer.drop_releases(tuple(dict.fromkeys([begun["release"], *before, *former])))
    if gone:
        doing.tell("release.dropped", T("{server}: removed: {names}.", server=server, names=", ".join(gone)))
