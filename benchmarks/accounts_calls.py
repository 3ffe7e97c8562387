"""The calls of Microsoft Graph that were made for accounts, taken from the simulated tenant's own record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

KINDS: Final = {
    "organisation": re.compile(r"GET /organization"),
    "skus": re.compile(r"GET /subscribedSkus"),
    "users": re.compile(r"GET /users"),
    "groups": re.compile(r"GET /groups"),
    "contacts": re.compile(r"GET /contacts"),
    "deleted_users": re.compile(r"GET /directory/deletedItems/(?:microsoft\.)?graph\.user"),
    "user": re.compile(r"GET /users/([^/]+)"),
    "mailbox": re.compile(r"GET /users/([^/]+)/mailboxSettings"),
    "patch": re.compile(r"PATCH /users/([^/]+)"),
    "licence": re.compile(r"POST /users/([^/]+)/assignLicense"),
    "mail": re.compile(r"POST /users/([^/]+)/sendMail"),
    "provision": re.compile(r"POST /servicePrincipals/([^/]+)/synchronization/jobs/([^/]+)/provisionOnDemand"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        kind: a key of `KINDS`.
        ids: what stands in its path.
        query: `filter`, `select` and `top`, as far as given.
    """

    kind: str
    ids: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None


def recorded(lines: Iterable[str]) -> Sequence[Call]:
    """Return the calls of a record: those inside batches, and those that travelled alone.

    Raises:
        RuntimeError: there is one of a kind that cannot be made again.
    """
    calls: list[Call] = []
    for line in lines:
        told = json.loads(line)
        if told["path"].endswith(("/$batch", "/oauth2/v2.0/token", "/.well-known/openid-configuration")):
            continue
        calls.append(_call(told))
    return calls


def kept(path: Path, calls: Sequence[Call]) -> None:
    """Write calls into a file for the programs that make them again."""
    path.write_text(json.dumps([asdict(call) for call in calls]))


def read(path: str) -> Sequence[Call]:
    """Return what `kept` wrote."""
    return [Call(**{**told, "ids": tuple(told["ids"])}) for told in json.loads(Path(path).read_text())]


def _call(told: dict[str, Any]) -> Call:
    asked = f"{told['method']} {told['path'].removeprefix('/v1.0')}"
    for kind, pattern in KINDS.items():
        if (found := pattern.fullmatch(asked)) is not None:
            query = {name.removeprefix("$"): value for name, value in parse_qsl(told["query"])}
            return Call(kind, tuple(map(unquote, found.groups())), query, told["body"])
    raise RuntimeError(f"a kind of call that this benchmark does not know: {asked}")
