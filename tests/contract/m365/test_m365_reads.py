"""What the read half asks of a tenant, over https, and what it makes of the answers."""

import pytest

from dsi_automation.connectors.m365.port import HolderKind


def person(graph, login, number, **more):
    address = f"{login}@douanes.lab"
    return graph.add(userPrincipalName=address, mail=address, employeeId=number, displayName=login, **more)


def test_the_organisation_is_read_once_with_its_default_domain_first(graph, reader):
    tenant = reader.tenant()
    assert reader.tenant() is tenant
    assert tenant.domains == ("douanes.lab", "douaneslab.onmicrosoft.com")
    assert (tenant.initial_domain, tenant.hybrid) == ("douaneslab.onmicrosoft.com", True)
    assert tenant.last_sync.isoformat() == "2026-11-21T19:30:00+00:00"
    assert [path for _, path, *_ in graph.requests] == ["/organization"]


def test_seats_count_those_in_warning_and_not_those_suspended(graph, reader):
    person(graph, "a", "1", assignedLicenses=[{"skuId": "18181a46-0d4e-45cd-891e-60aabd171b4e"}])
    (sku,) = reader.skus()
    assert (sku.total, sku.used, sku.free, sku.has_mailbox) == (302, 1, 301, True)


def test_every_page_of_all_users_is_read(graph, reader):
    graph.page = 7
    ids = {person(graph, f"u{n}", str(n)) for n in range(30)}
    assert {one.id for one in reader.users()} == ids
    assert len(graph.requests) == 5


def test_a_user_that_is_not_there_is_none_and_is_not_waited_for(graph, reader, clock):
    assert reader.user("00000000-0000-0000-0000-000000000000") is None
    assert clock.waits == []


def test_staff_numbers_go_15_to_a_filter_and_all_filters_in_one_batch(graph, reader):
    person(graph, "a", "100001a")
    numbers = [f"1{n:05}A" for n in range(1, 101)]
    found = reader.users_by_staff_number(numbers)
    assert list(found) == numbers
    assert [one.upn for one in found["100001A"]] == ["a@douanes.lab"]
    assert not any(found[number] for number in numbers[1:])
    assert [path for _, path in graph.http] == ["/v1.0/$batch"]
    assert len(graph.requests) == 7


def test_a_search_with_many_results_is_followed_over_its_pages(graph, reader):
    graph.page = 2
    for n in range(5):
        person(graph, f"twin{n}", "100001A")
    assert len(reader.users_by_staff_number(["100001A"])["100001A"]) == 5


@pytest.mark.parametrize("address", ["n'guessan@douanes.lab", "N'Guessan@Douanes.lab"])
def test_an_apostrophe_is_doubled_and_case_does_not_matter(graph, reader, address):
    user_id = person(graph, "n'guessan", "100001A")
    assert [one.id for one in reader.users_by_address([address])[address]] == [user_id]
    assert "n''guessan@douanes.lab" in graph.requests[0][2]["$filter"]


def test_an_address_is_found_as_upn_as_mail_and_as_proxy_address(graph, reader):
    one = graph.add(userPrincipalName="a@douanes.lab")
    two = graph.add(userPrincipalName="x@douanes.lab", mail="B@douanes.lab")
    three = graph.add(userPrincipalName="y@douanes.lab", proxyAddresses=["SMTP:y@douanes.lab", "smtp:c@douanes.lab"])
    found = reader.users_by_address(["a@douanes.lab", "b@douanes.lab", "c@douanes.lab", "d@douanes.lab"])
    assert [[user.id for user in users] for users in found.values()] == [[one], [two], [three], []]


def test_users_are_found_by_immutable_id_whose_case_counts(graph, reader):
    user_id = person(graph, "a", "1", onPremisesImmutableId="AbC+/w==")
    found = reader.users_by_immutable_id(["AbC+/w==", "aBc+/w=="])
    assert [[one.id for one in users] for users in found.values()] == [[user_id], []]


def test_users_groups_contacts_and_deleted_users_hold_addresses(graph, reader):
    user = person(graph, "a", "1", surname="Kone")
    graph.groups.append({"id": "g", "displayName": "Tous", "mail": "b@douanes.lab", "proxyAddresses": []})
    graph.contacts.append({"id": "c", "displayName": "Hors", "proxyAddresses": ["SMTP:C@douanes.lab"]})
    gone = "8f14e45f-0000-4000-8000-000000000000"
    graph.deleted.append({"id": gone, "userPrincipalName": gone.replace("-", "") + "d@douanes.lab", "employeeId": "9"})
    found = reader.holders([f"{letter}@douanes.lab" for letter in "abcde"])
    kinds = [[(one.kind, one.id) for one in holders] for holders in found.values()]
    assert kinds == [
        [(HolderKind.USER, user)],
        [(HolderKind.GROUP, "g")],
        [(HolderKind.CONTACT, "c")],
        [(HolderKind.DELETED_USER, gone)],
        [],
    ]
    assert [path for _, path in graph.http] == ["/v1.0/$batch"]


def test_no_filter_has_more_than_15_clauses(graph, reader):
    reader.holders([f"u{n}@douanes.lab" for n in range(40)])
    clauses = [query["$filter"].count(" eq ") for *_, query, _, _ in graph.requests if "$filter" in query]
    assert clauses
    assert max(clauses) <= 15


def test_nothing_is_asked_for_nothing(graph, reader):
    empty = (reader.users_by_staff_number([]), reader.users_by_address([]), reader.holders([]), reader.mailboxes([]))
    assert empty == ({}, {}, {}, {})
    assert graph.requests == []


def test_mailboxes_answer_or_say_why_not(graph, reader):
    ready, waiting = person(graph, "a", "1", ready=True), person(graph, "b", "2")
    found = reader.mailboxes([ready, waiting])
    assert found[ready].ready
    assert (found[waiting].ready, found[waiting].code) == (False, "MailboxNotEnabledForRESTAPI")


def test_a_search_that_must_be_an_advanced_one_is_asked_again_as_such(graph, reader):
    person(graph, "a", "100001A")
    refusal = {"error": {"code": "Request_UnsupportedQuery", "message": "Unsupported or invalid query filter clause"}}
    graph.fail("GET", "^/users", (400, {}, refusal))
    assert len(reader.users_by_staff_number(["100001A"])["100001A"]) == 1
    *_, (_, _, query, headers, _) = graph.requests
    assert (query["$count"], headers["consistencylevel"]) == ("true", "eventual")


def test_a_link_to_another_server_is_not_followed_with_the_token(graph, reader):
    graph.fail("GET", "^/users", (200, {}, {"value": [], "@odata.nextLink": "https://evil.example/v1.0/users"}))
    assert reader.users() == []
    assert len(graph.http) == 1


def test_every_read_selects_and_bulk_goes_at_low_priority(graph, reader):
    reader.tenant(), reader.users(), reader.holders(["a@douanes.lab", "b@douanes.lab"])
    assert all("$select" in query for method, _, query, *_ in graph.requests if method == "GET")
    bulk = [headers for _, path, _, headers, _ in graph.requests if path != "/organization"]
    assert len(bulk) == 5
    assert all(headers["x-ms-throttle-priority"] == "low" for headers in bulk)


def test_the_roles_and_the_end_of_the_certificate_are_told(graph, reader):
    graph.roles = ("User.Read.All", "Organization.Read.All")
    grant = reader.grant()
    assert grant.roles == {"User.Read.All", "Organization.Read.All"}
    assert grant.certificate_ends is None
    assert graph.tokens == 1
