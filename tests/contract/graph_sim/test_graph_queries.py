"""Reading lists: filters, pages, what needs advanced query parameters and what is not served at all."""

import pytest
from graph_wire import STANDARD, error

EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def people(graph):
    for number, name in enumerate(("awa.kone", "eric.n'guessan", "yao.traore")):
        graph.control.seed_user(
            userPrincipalName=f"{name}@douanes.lab",
            displayName=name.title(),
            employeeId=f"10000{number}A",
            accountEnabled=number != 2,
            mail=f"{name}@douanes.lab",
            proxyAddresses=[f"SMTP:{name}@douanes.lab", f"smtp:{number}@douanes.lab"],
            onPremisesImmutableId=f"AbC{number}==",
            licences=["STANDARDPACK"] if number == 0 else [],
        )
    graph.control.seed_group(
        displayName="Caisse", mail="caisse@douanes.lab", proxyAddresses=["SMTP:caisse@douanes.lab"]
    )
    graph.control.seed_contact(displayName="Port", mail="port@paa.ci", proxyAddresses=["SMTP:port@paa.ci"])


def names(answer):
    assert answer.status_code == 200, answer.text
    return [row["userPrincipalName"].split("@")[0] for row in answer.json()["value"]]


AWA, ERIC, YAO = "awa.kone", "eric.n'guessan", "yao.traore"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("employeeId eq '100000A'", [AWA]),
        ("employeeId in ('100000A','100002A','x')", [AWA, YAO]),
        ("userPrincipalName eq 'ERIC.N''GUESSAN@douanes.lab'", [ERIC]),
        ("startsWith(displayName,'eric.n''')", [ERIC]),
        ("startswith(userPrincipalName,'y') or startswith(userPrincipalName,'a')", [AWA, YAO]),
        ("proxyAddresses/any(x:x eq 'smtp:1@douanes.lab')", [ERIC]),
        ("proxyAddresses/any(p:p eq 'SMTP:AWA.KONE@douanes.lab')", [AWA]),
        ("proxyAddresses/any(x:startsWith(x,'smtp:yao'))", [YAO]),
        ("mail eq 'x' or userPrincipalName eq 'x' or proxyAddresses/any(x:x eq 'smtp:2@douanes.lab')", [YAO]),
        ("accountEnabled eq false", [YAO]),
        ("accountEnabled eq true and employeeId ne null", None),
        ("(accountEnabled eq true) and (employeeId eq '100000A' or employeeId eq '100002A')", [AWA]),
        ("onPremisesImmutableId eq 'AbC1=='", [ERIC]),
        (f"assignedLicenses/any(x:x/skuId eq {STANDARD})", [AWA]),
        ("employeeId eq null", []),
    ],
)
def test_a_filter_finds_whom_it_means(caller, people, condition, found):
    answer = caller.call("GET", "/users", params={"$filter": condition})
    if found is None:
        assert answer.json()["error"]["code"] == "Request_UnsupportedQuery"
    else:
        assert names(answer) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("accountEnabled ne true", [YAO]),
        ("endsWith(mail,'@douanes.lab') and not(startsWith(mail,'awa'))", [ERIC, YAO]),
        ("assignedLicenses/$count eq 0", [ERIC, YAO]),
        ("onPremisesSamAccountName eq 'x'", []),
    ],
)
def test_advanced_filters_need_the_header_and_the_count(caller, people, condition, found):
    """Advanced query capabilities: both, or 400 Request_UnsupportedQuery."""
    params = {"$filter": condition}
    for options in ({}, {"headers": EVENTUAL}, {"extra": {"$count": "true"}}):
        asked = {**params, **options.get("extra", {})}
        refused = caller.call("GET", "/users", params=asked, headers=options.get("headers"))
        assert error(refused)[:2] == (400, "Request_UnsupportedQuery")
    answer = caller.call("GET", "/users", params={**params, "$count": "true"}, headers=EVENTUAL)
    assert names(answer) == found
    assert answer.json()["@odata.count"] == len(found)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("$filter=contains(displayName,'x')", "Request_UnsupportedQuery"),
        ("$filter=streetAddress eq 'x'", "Request_UnsupportedQuery"),
        ("$filter=employeeId in (" + ",".join(f"'{n}'" for n in range(16)) + ")", "Request_UnsupportedQuery"),
        ("$filter=" + " or ".join(f"employeeId eq '{n}'" for n in range(16)), "Request_UnsupportedQuery"),
        ("$filter=startswith(displayName,'" + "a" * 121 + "')", "Request_UnsupportedQuery"),
        ("$filter=nickname eq 'x'", "BadRequest"),
        ("$filter=employeeId eq 'N'Guessan'", "BadRequest"),
        ("$filter=employeeId eq", "BadRequest"),
        ("$filter=" + "(" * 60 + "employeeId eq '1'" + ")" * 60, "Request_UnsupportedQuery"),
        ("$select=id,nickname", "BadRequest"),
        ("$top=1000", "Request_UnsupportedQuery"),
        ("$top=0", "Request_UnsupportedQuery"),
        ("$skip=5", "Request_UnsupportedQuery"),
        ("$search=x", "Request_UnsupportedQuery"),
        ("$foo=1", "BadRequest"),
        ("$top=1&$top=2", "BadRequest"),
        ("$skiptoken=garbage", "Directory_ExpiredPageToken"),
    ],
)
def test_what_graph_does_not_serve_is_refused(caller, people, query, code):
    assert error(caller.get(f"/users?{query}"))[:2] == (400, code)


def test_sixteen_values_are_too_many_unless_the_query_is_advanced(caller, people):
    """microsoft-graph-docs-contrib issue 1238: the sentence, and the way round."""
    params = {"$filter": "employeeId in (" + ",".join(f"'10000{n}A'" for n in range(16)) + ")"}
    assert error(caller.call("GET", "/users", params=params))[2] == (
        "Too many child clauses specified in search filter expression containing 'OR' operators: 16. Max allowed: 15."
    )
    answer = caller.call("GET", "/users", params={**params, "$count": "true"}, headers=EVENTUAL)
    assert names(answer) == [AWA, ERIC, YAO]


def test_pages_hold_everybody_once_and_keep_the_options(caller, graph):
    for number in range(7):
        graph.control.seed_user(userPrincipalName=f"u{number}@douanes.lab", displayName=f"É {number}")
    url, seen = "/users?$select=userPrincipalName&$top=3&$filter=startswith(displayName,'É')", []
    pages = 0
    while url:
        told = caller.get(url).json()
        assert all(set(row) == {"userPrincipalName"} for row in told["value"])
        seen += [row["userPrincipalName"] for row in told["value"]]
        pages += 1
        link = told.get("@odata.nextLink", "")
        assert link.startswith(caller.endpoint.base_url) or not link
        url = link.removeprefix(caller.endpoint.base_url)
    assert (pages, seen) == (3, [f"u{number}@douanes.lab" for number in range(7)])


def test_a_hundred_are_told_when_nobody_says_how_many(caller, graph):
    for number in range(101):
        graph.control.seed_user(userPrincipalName=f"u{number}@douanes.lab")
    told = caller.get("/users?$select=id").json()
    assert (len(told["value"]), "@odata.nextLink" in told) == (100, True)


def test_a_page_goes_on_when_its_last_one_was_deleted(caller, people, graph):
    told = caller.get("/users?$top=1").json()
    graph.control.delete_user(told["value"][0]["id"], purge=True)
    link = told["@odata.nextLink"].removeprefix(caller.endpoint.base_url)
    assert names(caller.get(link)) == [ERIC]


def test_counting_is_text_and_needs_the_header(caller, people):
    answer = caller.get("/users/$count", **EVENTUAL)
    assert (answer.text, answer.headers["Content-Type"]) == ("3", "text/plain")
    assert caller.get("/users/$count").status_code == 400


def test_groups_and_contacts_are_found_by_address(caller, people):
    for collection, address in (("groups", "caisse@douanes.lab"), ("contacts", "port@paa.ci")):
        condition = f"proxyAddresses/any(x:x eq 'smtp:{address}')"
        found = caller.call("GET", f"/{collection}", params={"$filter": condition}).json()["value"]
        assert [row["mail"] for row in found] == [address]
        assert caller.call("GET", "/users", params={"$filter": condition}).json()["value"] == []


def test_deleted_users_are_found_by_number_and_address(caller, people, graph):
    graph.control.delete_user("awa.kone@douanes.lab")
    for condition in ("employeeId eq '100000A'", "proxyAddresses/any(x:x eq 'smtp:awa.kone@douanes.lab')"):
        params = {"$filter": condition, "$select": "id,employeeId,deletedDateTime"}
        found = caller.call("GET", "/directory/deletedItems/microsoft.graph.user", params=params).json()["value"]
        assert [row["employeeId"] for row in found] == ["100000A"]
        assert found[0]["deletedDateTime"] is not None
        assert caller.call("GET", "/users", params={"$filter": condition}).json()["value"] == []


def test_a_user_is_found_by_an_encoded_name(caller, people):
    answer = caller.get("/users/eric.n%27guessan%40douanes.lab?$select=employeeId")
    assert answer.json()["employeeId"] == "100001A"
    assert answer.json()["@odata.context"].endswith("$metadata#users(employeeId)/$entity")


def test_what_is_not_there_is_said_so(caller):
    assert error(caller.get("/foo")) == (400, "BadRequest", "Resource not found for the segment 'foo'.")
    assert error(caller.get("/users/x/foo"))[2] == "Resource not found for the segment 'foo'."
    assert error(caller.call("DELETE", "/users"))[0] == 405
