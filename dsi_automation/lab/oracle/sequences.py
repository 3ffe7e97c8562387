"""What the stand-in for RMAN does in each scenario, and which published output its messages follow.

Only the sequence of messages is taken from a source, with names, numbers and dates of the lab. A copy of this file
runs beside the stand-in, with the standard library alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FRAME = (
    "RMAN-00571: ===========================================================",
    "RMAN-00569: =============== ERROR MESSAGE STACK FOLLOWS ===============",
    "RMAN-00571: ===========================================================",
)


@dataclass(frozen=True)
class Scenario:
    """One course of events.

    Attributes:
        source: the published output that the messages follow, by project and title; `invented` where there is none.
        at: when it goes wrong: `syntax`, `connect`, `backup`, `prove`, or never.
        stack: what is printed then, under the frame of an error stack; placeholders: {now} {tag} {handle} {file}.
        plain: what is printed without any frame; the rest goes on as if nothing were wrong.
        status: exit status; None for what RMAN would give.
        cut: the log ends in the middle of a line, and nobody says so.
        framed: whether the frame stands around the stack.
        job: STATUS in V$RMAN_BACKUP_JOB_DETAILS.
        remove, shorten, flip: kinds of pieces that are not as the log says: `data`, `logs`, `control`, `auto`.
        omit: kinds of pieces that are not made at all.
        dbid: the database that answers instead.
        log_mode, instance_status: of the database.
        corrupt: rows in V$DATABASE_BLOCK_CORRUPTION.
        uncovered: a data file that is in no piece.
    """

    source: str
    at: str | None = None
    stack: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    status: int | None = None
    cut: bool = False
    framed: bool = True
    job: str = "COMPLETED"
    remove: frozenset[str] = field(default_factory=frozenset)
    shorten: frozenset[str] = field(default_factory=frozenset)
    omit: frozenset[str] = field(default_factory=frozenset)
    dbid: int | None = None
    log_mode: str = "ARCHIVELOG"
    instance_status: str = "OPEN"
    corrupt: int = 0
    uncovered: str | None = None


_INVENTED = "invented: the fault is one of our own, under messages of a successful run"
_GUIDE = "Oracle Database Backup and Recovery User's Guide, Troubleshooting RMAN Operations"
_DISK_FULL = (
    "RMAN-03009: failure of backup command on c1 channel at {now}",
    'ORA-19502: write error on file "{handle}", block number 257 (block size=8192)',
    "ORA-27072: File I/O error",
    "Linux-x86_64 Error: 28: No space left on device",
    "Additional information: 4",
    "Additional information: 257",
)
_CORRUPT_REPORT = (
    "List of Datafiles",
    "=================",
    "File Status Marked Corrupt Empty Blocks Blocks Examined High SCN",
    "---- ------ -------------- ------------ --------------- ----------",
    "8    FAILED 0              1153         1280            1510913",
    "  File Name: {file}",
    "  Block Type Blocks Failing Blocks Processed",
    "  ---------- -------------- ----------------",
    "  Data       0              0",
    "  Index      0              0",
    "  Other      1              127",
    "",
    "validate found one or more corrupt blocks",
    "See trace file /u01/app/oracle/diag/rdbms/sydam/sydam/trace/sydam_ora_5245.trc for details",
)

SCENARIOS: dict[str, Scenario] = {
    "success": Scenario(
        "Oracle LiveLabs, “Perform backup and recovery” (21c): backup database plus archivelog, with autobackup; "
        "restore tablespace validate"
    ),
    "listener_down": Scenario(
        "a DBA's notes on DUPLICATE (11.2, 2018): ORA-12514 under RMAN-04005; ORA-12541 in its place is invented",
        at="connect",
        stack=(
            "RMAN-00554: initialization of internal recovery manager package failed",
            "RMAN-04005: error from target database:",
            "ORA-12541: TNS:no listener",
        ),
    ),
    "wrong_password": Scenario(
        _GUIDE + ": RMAN-00554, RMAN-04005, ORA-01017",
        at="connect",
        stack=(
            "RMAN-00554: initialization of internal recovery manager package failed",
            "RMAN-04005: error from target database:",
            "ORA-01017: invalid username/password; logon denied",
        ),
    ),
    "instance_down": Scenario(
        "teaching terminal of an Oracle course: ORA-01034 and ORA-27101 under RMAN-04005",
        at="connect",
        stack=(
            "RMAN-00554: initialization of internal recovery manager package failed",
            "RMAN-04005: error from target database:",
            "ORA-01034: ORACLE not available",
            "ORA-27101: shared memory realm does not exist",
        ),
        instance_status="DOWN",
    ),
    "disk_full": Scenario(
        "S. A. Ahmed, “P1 incident: dbbackup filesystem 100 % full” (19c, 2026); the lines on errno 28 after the facts "
        "of ORA-27072",
        at="backup",
        stack=_DISK_FULL,
    ),
    "recovery_area_full": Scenario(
        "dba.stackexchange 171008, “Why are my backups using so much space, ORA-19804”",
        at="backup",
        stack=(
            "RMAN-03002: failure of backup command at {now}",
            "ORA-19809: limit exceeded for recovery files",
            "ORA-19804: cannot reclaim 67108864 bytes disk space from 107374182400 limit",
        ),
    ),
    "corrupt_block": Scenario(
        "N. Debes, “Secrets of the Oracle Database”: RMAN through a pipe, ORA-19566",
        at="backup",
        stack=(
            "RMAN-03009: failure of backup command on c1 channel at {now}",
            "ORA-19566: exceeded limit of 0 corrupt blocks for file {file}",
            "RMAN-10031: RPC Error: ORA-19583  occurred during call to DBMS_BACKUP_RESTORE.BACKUPPIECECREATE",
        ),
        corrupt=1,
    ),
    "corruption_unreported": Scenario(
        "a DBA's notes “linora” (11g, 2014): validate datafile 8 over an overwritten block, no error stack",
        at="prove",
        plain=_CORRUPT_REPORT,
    ),
    "missing_log": Scenario(
        "a DBA's notes on ERP backups (2020): backup archivelog all over a removed log",
        at="backup",
        stack=(
            "RMAN-03002: failure of backup command at {now}",
            "RMAN-06059: expected archived log not found, loss of archived log compromises recoverability",
            "ORA-19625: error identifying file /u01/oraarch/SYDAM/1_13_1054646243.dbf",
            "ORA-27037: unable to obtain file status",
            "Linux-x86_64 Error: 2: No such file or directory",
            "Additional information: 3",
        ),
    ),
    "expired_pieces": Scenario(
        "a DBA's notes on crosscheck (12c): pieces found to be 'EXPIRED'",
        at="prove",
        remove=frozenset({"data"}),
        stack=(
            "RMAN-03002: failure of validate command at {now}",
            "RMAN-06160: no backup pieces found for backup set key: 1",
        ),
    ),
    "failover": Scenario(
        "Oracle Database Error Messages, RMAN-05016; the surroundings are invented",
        at="prove",
        plain=("RMAN-05016: failover to previous backup",),
    ),
    "wrong_key": Scenario(
        "L. Mela's RMAN troubleshooting notes: ORA-28365 in a backup; the stack's head is invented",
        at="backup",
        stack=(
            "RMAN-03009: failure of backup command on c1 channel at {now}",
            "ORA-19914: unable to encrypt backup",
            "ORA-28365: wallet is not open",
        ),
    ),
    "noarchivelog": Scenario(
        "CloudCR Oracle Backup, evidence E4 (21c, 2026): RMAN-06817 under “Recovery Manager complete.”",
        at="backup",
        stack=(
            "RMAN-03002: failure of backup command at {now}",
            "RMAN-06817: Pluggable Database SYDAMPDB cannot be backed up in NOARCHIVELOG mode.",
        ),
    ),
    "noarchivelog_seen": Scenario(
        "invented: the database says its mode before anything is tried", log_mode="NOARCHIVELOG"
    ),
    "truncated": Scenario("invented: RMAN killed in the middle of a line", at="backup", cut=True, status=137),
    "complete_after_error": Scenario(
        "CloudCR Oracle Backup, evidence E4: the end is friendly; disk full in its place",
        at="backup",
        stack=_DISK_FULL,
        status=1,
    ),
    "status_lost": Scenario(
        _INVENTED + ": a wrapper returned 0 over an error stack", at="backup", stack=_DISK_FULL, status=0
    ),
    "media_manager": Scenario(
        "HPE Data Protector notes (2017): ORA-19506, ORA-27028, ORA-19511",
        at="backup",
        stack=(
            "RMAN-03009: failure of backup command on c1 channel at {now}",
            'ORA-19506: failed to create sequential file, name="{handle}", parms=""',
            "ORA-27028: skgfqcre: sbtbackup returned error",
            "ORA-19511: Error received from media manager layer, error text:",
            "   Vendor specific error: OB2_StartObjectBackup() failed ERR(-17)",
        ),
    ),
    "damaged_piece": Scenario(
        "Oracle Database Error Messages, ORA-19599; the surroundings are invented",
        at="prove",
        stack=(
            "RMAN-03002: failure of validate command at {now}",
            "ORA-19870: error while restoring backup piece {handle}",
            "ORA-19599: block number 97 is corrupt in backup piece {handle}",
        ),
    ),
    "missing_piece": Scenario(_INVENTED, remove=frozenset({"logs"})),
    "short_piece": Scenario(_INVENTED, shorten=frozenset({"data"})),
    "no_autobackup": Scenario(_INVENTED, omit=frozenset({"auto"})),
    "job_failed": Scenario(_INVENTED, job="COMPLETED WITH ERRORS"),
    "other_database": Scenario(_INVENTED, dbid=1611489315),
    "file_left_out": Scenario(_INVENTED, uncovered="9 /u01/oradata/SYDAM/declarations01.dbf"),
    "known_corruption": Scenario(_INVENTED, corrupt=2),
    "warning": Scenario(
        "CloudCR Oracle Backup, test of its parser: RMAN-08137 in a successful run",
        plain=("RMAN-08137: WARNING: archived log not deleted, needed for standby or upstream capture process",),
        job="COMPLETED WITH WARNINGS",
    ),
    "syntax_error": Scenario(
        "teaching terminal of an Oracle course: RMAN-00558, RMAN-01009",
        at="syntax",
        stack=(
            "RMAN-00558: error encountered while parsing input commands",
            'RMAN-01009: syntax error: found "identifier": expecting one of: "archivelog, as, ..."',
            "RMAN-01007: at line 5 column 3 file: standard input",
        ),
    ),
}
