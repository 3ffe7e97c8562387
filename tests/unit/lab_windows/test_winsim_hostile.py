"""Whatever arrives, the simulated workstations answer or refuse; they never break."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from winsim_wire import GET, Bench, R, envelope, fault_of, invoke, query

from dsi_automation.lab.windows.auth.gatekeeper import Gatekeeper, Session
from dsi_automation.lab.windows.auth.ntlm import SIGNATURE, NtlmAcceptor, NtlmRefusedError, Sealer
from dsi_automation.lab.windows.auth.sealing import PROTOCOLS, SealedBodyError, close_body, open_body

SEEDS = [
    query("select Name from Win32_Service where Name = 'x'"),
    invoke("Win32_ComputerSystem", "Rename", {"Name": "DESKTOP-7F3K2Q1"}, Name="NEW"),
    invoke("StdRegProv", "EnumKey", hDefKey="2147483650", sSubKeyName="SOFTWARE"),
    envelope(GET, f"{R}/Win32_Service", selectors={"Name": "Spooler"}),
]
BENCH = Bench()
FIVE_DIGITS = "9" * 5000


@given(st.sampled_from(SEEDS), st.integers(0, 3000), st.integers(0, 40), st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.differing_executors], deadline=None)
def test_an_envelope_changed_anywhere_is_answered_or_refused(seed, at, cut, put):
    answer = BENCH.ask(seed[:at] + put + seed[at + cut :])
    assert answer.status in {200, 500}
    if answer.status == 500:
        assert fault_of(answer.body)["value"] in {"s:Sender", "s:Receiver", "s:MustUnderstand"}


@pytest.mark.parametrize(
    "request_",
    [
        query(f"select * from Win32_LogicalDisk where Size = {FIVE_DIGITS}"),  # noqa: S608  # WQL, no database
        query("select * from Win32_Service where " + "(" * 5000),
        query("select * from Win32_Service where " + "not " * 5000 + "Name = 'x'"),
        query("select * from Win32_Service", MaxEnvelopeSize=f"<w:MaxEnvelopeSize>{FIVE_DIGITS}</w:MaxEnvelopeSize>"),
        query(
            "select * from Win32_Service", OperationTimeout=f"<w:OperationTimeout>PT{FIVE_DIGITS}S</w:OperationTimeout>"
        ),
        invoke("StdRegProv", "EnumKey", hDefKey=FIVE_DIGITS, sSubKeyName="SOFTWARE"),
        query("select * from Win32_Service").replace(b">32000<", b">" + FIVE_DIGITS.encode() + b"<"),
        b"<a>" * 20000,
    ],
)
def test_numbers_and_nesting_without_end_are_refused(request_):
    assert BENCH.ask(request_).status == 500


@given(st.binary(max_size=200))
def test_any_token_is_refused_and_never_believed(noise):
    for token in (noise, SIGNATURE + b"\x01\0\0\0" + noise, SIGNATURE + b"\x03\0\0\0" + noise):
        acceptor = NtlmAcceptor("PC", "pc", lambda _user, _domain: b"\0" * 16)
        with pytest.raises(NtlmRefusedError):
            acceptor.authenticate(token)


@given(st.text(max_size=60), st.booleans())
def test_any_authorization_header_signs_nobody_in(header, secure):
    gatekeeper = Gatekeeper(BENCH.machine, secure=secure)
    for value in (header, f"Negotiate {header}", f"Basic {header}", f"Kerberos {header}"):
        assert gatekeeper.check(Session(), {"Authorization": value}, certificate=False).caller is None


@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 255))
def test_a_sealed_body_opens_unchanged_or_not_at_all(message, at, other):
    key = b"k" * 16
    body, content_type = close_body(message, _Turned(key), PROTOCOLS[0])
    assert PROTOCOLS[0] in content_type
    assert open_body(body, Sealer(key)) == message
    sealed = body[: len(body) - 24]
    place = min(at, len(message) + 19)
    start = len(sealed) - len(message) - 20 + place
    if sealed[start] != other:
        changed = body[:start] + bytes([other]) + body[start + 1 :]
        with pytest.raises(SealedBodyError):
            open_body(changed, Sealer(key))


class _Turned(Sealer):
    """The client's side of the same session: its directions are the other way round."""

    def __init__(self, session_key):
        super().__init__(session_key)
        self._sign_in, self._sign_out = self._sign_out, self._sign_in
        self._stream_in, self._stream_out = self._stream_out, self._stream_in


@given(st.binary(max_size=300))
def test_a_body_that_is_no_sealed_body_is_refused(noise):
    with pytest.raises(SealedBodyError):
        open_body(noise, Sealer(b"k" * 16))
