"""What the installed SDK, generated from Microsoft's published description of Graph v1.0, knows of requests.

Its files are read as text: importing the models takes seconds.
"""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, unquote
from uuid import UUID

ROOT = Path(find_spec("msgraph").submodule_search_locations[0], "generated")
MODELS = ROOT / "models"
FIELD = re.compile(r'"([^"]+)": lambda n : setattr\(self, \'\w+\', n\.get_(\w+?)(?:_values?)?\((\w*)\)')
PROPERTY = re.compile(r"(\w+)(?=/any\(| eq | in | ge | le )|startswith\((\w+)")
REQUIRED = {
    "User": {"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"},
    "AssignLicensePostRequestBody": {"addLicenses", "removeLicenses"},
    "SendMailPostRequestBody": {"Message"},
    "ProvisionOnDemandPostRequestBody": {"parameters"},
}
"""Members of a POST's body without which Graph refuses it ("Create user", "user: assignLicense", ...)."""


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace(".", "_").lower()


@cache
def text_of(path):
    return path.read_text() if path.exists() else ""


@cache
def fields(name, folder=MODELS):
    """Return the properties of a model with their kind and the model each holds, those it inherits too."""
    text = text_of(folder / f"{snake(name)}.py") or text_of(MODELS / f"{snake(name)}.py")
    base = re.search(rf"^class {name}\((\w+)[,)]", text, re.MULTILINE)
    known = fields(base[1]) if base and (MODELS / f"{snake(base[1])}.py").exists() else {}
    return {**known, **{found[0]: found[1:] for found in FIELD.findall(text)}}


@cache
def values(name):
    """Return the values of an enumeration."""
    return set(re.findall(r'= "(\w+)"', text_of(MODELS / f"{snake(name)}.py")))


def builder(path):
    """Return the file of the request builder of a path below the version, or None."""
    folder = ROOT
    for part in path.strip("/").split("/"):
        folder = folder / snake(part) if (folder / snake(part)).is_dir() else folder / "item"
    found = folder / f"{folder.name}_request_builder.py"
    return found if found.exists() else next(iter(folder.glob("*_item_request_builder.py")), None)


def differences(line):
    """Return what a recorded request has that the description has not."""
    path = unquote(line["path"]).removeprefix("/v1.0")
    if path == "/$batch":
        return [] if set(line["body"]) == {"requests"} and len(line["body"]["requests"]) <= 20 else ["batch"]
    file = builder(path)
    method = re.search(
        rf"async def {line['method'].lower()}\(self,(?:body: (\w+))?.*->(.*):", text_of(file) if file else ""
    )
    if method is None:
        return [f"no {line['method']} {path}"]
    asked = dict(parse_qsl(line["query"], strict_parsing=True)) if line["query"] else {}
    template = re.search(r'"\{\+baseurl\}(.*?)"', text_of(file))[1]
    allowed = set(unquote(found[1]).split(",")) if (found := re.search(r"\{\?(.*)\}", template)) else set()
    told = [f"option {name}" for name in asked.keys() - allowed - {"$skiptoken"}]
    answered = re.findall(r"\w+", method[2])[-1].removesuffix("CollectionResponse")
    names = set(asked.get("$select", "").split(",")) - {""}
    for found in PROPERTY.findall(re.sub(r"'(?:[^']|'')*'", "''", asked.get("$filter", ""))):
        names |= {one for one in found if one and one != "x"}
    told += [f"{name} of {answered}" for name in names - fields(answered).keys()]
    if line["body"] is None:
        return told + ([f"{method[1]} missing"] if method[1] and line["method"] != "GET" else [])
    if method[1] is None:
        return [*told, "a body"]
    missing = REQUIRED.get(method[1], set()) - set(line["body"]) if line["method"] == "POST" else set()
    return [*told, *(f"{name} missing" for name in missing), *wrong(line["body"], method[1], file.parent)]


def wrong(given, model, folder=MODELS):
    """Return what of an object a model does not have, or has of another type."""
    known, told = fields(model, folder), []
    for name, value in given.items():
        if name not in known:
            told.append(f"{model}.{name}")
            continue
        kind, inner = known[name]
        for one in value if kind.startswith("collection") and isinstance(value, list) else [value]:
            told += [f"{model}.{name}: {problem}" for problem in _mismatch(kind, inner, one)]
    return told


def _mismatch(kind, inner, value):
    if value is None:
        return []
    if kind in ("object", "collection_of_object"):
        return wrong(value, inner) if isinstance(value, dict) else ["no object"]
    if kind in ("enum", "collection_of_enum"):
        return [] if value in values(inner) else [f"{value!r}, not of {sorted(values(inner))}"]
    wanted = {"bool": bool, "str": str, "uuid": str, "int": int, "datetime": str}.get(kind, str)
    if not isinstance(value, wanted):
        return [f"{value!r} is no {kind}"]
    return [] if "uuid" not in (kind, inner.lower()) or str(UUID(value)) == value else [f"{value!r}"]


def recorded(path):
    """Return the requests of a record that went to Graph."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["path"].startswith("/v1.0/")]
