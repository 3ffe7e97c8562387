"""`dsi lab disk|mail|oracle|database`: the lab's servers and disks, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from dsi_automation.cli.base import OPTIONS, Group, argument, option
from dsi_automation.cli.lab_m365 import name_option, said
from dsi_automation.cli.session import Session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.lab.facilities import Facilities
    from dsi_automation.lab.lab import Lab

disk = Group("disk", help=T("The external disks: put one in, take it out, pull it out."), options_metavar=OPTIONS)
mail = Group("mail", help=T("The mail server: what it took, and how it behaves."), options_metavar=OPTIONS)
oracle = Group("oracle", help=T("The stand-in for Oracle’s RMAN."), options_metavar=OPTIONS)
database = Group("database", help=T("The PostgreSQL that holds SYDAM."), options_metavar=OPTIONS)
prometheus = Group(
    "prometheus",
    help=T("A Prometheus that scrapes the toolkit’s metrics; not started by `dsi lab up`."),
    options_metavar=OPTIONS,
)


def opened(session: Session, name: str) -> Lab:
    """Return a lab that is up and has servers; imported only here.

    Raises:
        UsageError: it is not, or has none.
    """
    from dsi_automation.lab.lab import Lab

    lab = Lab.open(name)
    lab.clock = session.clock
    lab.require_up()
    if not lab.has_servers:
        raise UsageError(
            T("Lab {name} has no servers.", name=name),
            next_step=T("Add them: `dsi lab up --name {name}`, without --without-servers.", name=name),
        )
    return lab


def facilities(session: Session, name: str) -> Facilities:
    """Return the servers of a lab that is up."""
    return opened(session, name).facilities


@disk.command("list", help=T("List the disks, and which one is in."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def list_disks(session: Session, name: str) -> None:
    """Show every disk."""
    disks = facilities(session, name).disks
    found = disks.all()
    if session.choices.json:
        rows = [{"name": one.name, "uuid": one.uuid, "inserted": one.inserted, "folder": one.folder} for one in found]
        session.out.data({"disks": rows, "mount_point": str(disks.layout.disk_mount)})
        return
    session.out.table(
        [T("Disk"), T("UUID"), T("State")],
        [[one.name, one.uuid, T("inserted") if one.inserted else T("not inserted")] for one in found],
    )
    session.out.line(T("Mounted at {path} when it is in.", path=str(disks.layout.disk_mount)))
    if any(one.folder for one in found):
        session.out.line(
            T("This machine has no loop device: the disks are folders, each with its UUID in a file."), fg="yellow"
        )


@disk.command("insert", help=T("Put a disk in: it is mounted."), options_metavar=OPTIONS)
@argument("which", metavar=T("DISK"), help=T("Which one: disque-01, for example."))
@name_option
@click.pass_obj
def insert_disk(session: Session, which: str, name: str) -> None:
    """Put a disk in."""
    parts = facilities(session, name)
    parts.disks.insert(which)
    path = str(parts.layout.disk_mount)
    said(session, T("{disk} is in, at {path}.", disk=which, path=path), disk=which, mount_point=path)


@disk.command("remove", help=T("Take the disk out, in order."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def remove_disk(session: Session, name: str) -> None:
    """Take the disk out."""
    gone = facilities(session, name).disks.remove()
    text = T("No disk is in.") if gone is None else T("{disk} is out.", disk=gone.name)
    said(session, text, disk=None if gone is None else gone.name)


@disk.command("pull", help=T("Pull the disk out while it is in use."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def pull_disk(session: Session, name: str) -> None:
    """Pull the disk out under whoever writes on it."""
    gone = facilities(session, name).disks.pull()
    text = T("{disk} was pulled out: what was not on it yet is lost.", disk=gone.name)
    said(session, text, disk=gone.name)


@mail.command("list", help=T("List the mails it took, oldest first."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def list_mails(session: Session, name: str) -> None:
    """Show who was written to, and about what."""
    server = facilities(session, name).mail
    paths, mails = server.files(), list(server.mails())
    rows = [
        {"number": number, "to": str(one["To"] or ""), "subject": str(one["Subject"] or ""), "file": str(path)}
        for number, (path, one) in enumerate(zip(paths, mails, strict=True), start=1)
    ]
    if session.choices.json:
        session.out.data({"behaviour": str(server.behaviour), "mails": rows})
    elif rows:
        session.out.table(
            [T("No."), T("Recipients"), T("Subject")],
            [[str(row[key]) for key in ("number", "to", "subject")] for row in rows],
        )
    else:
        session.out.line(T("No mail was sent."))


@mail.command("show", help=T("Show one mail."), options_metavar=OPTIONS)
@argument("number", type=int, metavar=T("NUMBER"), help=T("Its number in the list."))
@name_option
@click.pass_obj
def show_mail(session: Session, number: int, name: str) -> None:
    """Show a mail: its text, and the names of what is attached."""
    found = facilities(session, name).mail.mail(number)
    body = found.get_body(("plain", "html"))
    text = "" if body is None else str(body.get_content()).replace("\r\n", "\n")
    attached = [part.get_filename() or part.get_content_type() for part in found.iter_attachments()]
    if session.choices.json:
        headers = {key: str(value) for key, value in found.items()}
        session.out.data({"headers": headers, "body": text, "attachments": attached})
        return
    session.out.line(
        T("{at}, to {to}: {subject}", at=found["Date"], to=found["To"], subject=found["Subject"]), bold=True
    )
    session.out.block(text)
    if attached:
        session.out.line(T("Attached: {names}.", names=", ".join(attached)))


def _behaviour(command: str, summary: Text, done: Text, chosen: str) -> Callable[..., None]:
    @mail.command(command, help=summary, options_metavar=OPTIONS)
    @name_option
    @click.pass_obj
    def behave(session: Session, name: str) -> None:
        from dsi_automation.lab.mail import Behaviour

        facilities(session, name).mail.behave(Behaviour(chosen))
        said(session, done, behaviour=chosen)

    made: Callable[..., None] = behave
    return made


mail_up = _behaviour("up", T("Take mails again."), T("The mail server takes mails."), "accept")
mail_down = _behaviour("down", T("Stop it: nobody answers."), T("The mail server is down."), "down")


@mail.command("refuse", help=T("Refuse mails, for now or for good."), options_metavar=OPTIONS)
@name_option
@option("--for-good", is_flag=True, help=T("With 550, which is never tried again, instead of 451."))
@click.pass_obj
def refuse_mails(session: Session, name: str, *, for_good: bool) -> None:
    """Have the mail server refuse."""
    from dsi_automation.lab.mail import Behaviour

    chosen = Behaviour.REJECT if for_good else Behaviour.DEFER
    facilities(session, name).mail.behave(chosen)
    text = (
        T("The mail server refuses mails for good (550).") if for_good else T("The mail server refuses for now (451).")
    )
    said(session, text, behaviour=str(chosen))


@oracle.command("scenario", help=T("Choose what RMAN’s stand-in plays, or list it."), options_metavar=OPTIONS)
@argument("which", required=False, metavar=T("SCENARIO"), help=T("Which one; without it, list them."))
@name_option
@click.pass_obj
def set_scenario(session: Session, which: str | None, name: str) -> None:
    """Choose a scenario."""
    from dsi_automation.lab import oracle_server
    from dsi_automation.lab.oracle import scenarios, source_of

    folder = facilities(session, name).layout.server_dir / "ora1"
    if which is not None:
        oracle_server.play(folder, which)
        said(session, T("RMAN’s stand-in plays: {scenario}.", scenario=which), scenario=which)
        return
    now = oracle_server.scenario(folder)
    if session.choices.json:
        session.out.data({"scenario": now, "scenarios": {one: source_of(one) for one in scenarios()}})
        return
    session.out.table(
        [T("Scenario"), T("State"), T("Source")],
        [[one, T("plays") if one == now else "", source_of(one)] for one in scenarios()],
    )


@database.command("grow", help=T("Write more declarations, with their articles and taxes."), options_metavar=OPTIONS)
@name_option
@option(
    "--rows", type=click.IntRange(1, 10_000_000), default=1000, metavar=T("NUMBER"), help=T("How many declarations.")
)
@click.pass_obj
def grow(session: Session, name: str, rows: int) -> None:
    """Have the business write."""
    count = facilities(session, name).database.grow(rows)
    text = TN("The database holds {n} declaration.", "The database holds {n} declarations.", count)
    said(session, text, declarations=count)


@prometheus.command(
    "up", help=T("Start it: it scrapes `dsi metrics serve` and judges our rules."), options_metavar=OPTIONS
)
@name_option
@click.pass_obj
def prometheus_up(session: Session, name: str) -> None:
    """Start Prometheus."""
    parts = facilities(session, name)
    changed, url = parts.start_prometheus(), parts.prometheus.url
    listens = parts.prometheus.targets["dsi"][0]
    text = T("Prometheus is at {url}, and scrapes {target}.", url=url, target=listens)
    said(session, text, changed=changed, url=url, target=listens)


@prometheus.command("down", help=T("Stop it; what it measured stays."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def prometheus_down(session: Session, name: str) -> None:
    """Stop Prometheus."""
    ran = facilities(session, name).stop_prometheus()
    text = T("Prometheus is down.") if ran else T("Prometheus was not up; nothing to do.")
    said(session, text, changed=ran)


GROUPS = (disk, mail, oracle, database, prometheus)
