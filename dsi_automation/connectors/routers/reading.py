"""What a router's terminal says, byte for byte, and the answers in it: echo, answer, prompt, question. Pure.

A router prints messages of its own into any session, at any moment (Cisco: "System Message Logging"): they are
taken out before an answer is looked for, so that none is taken for an answer and none hides a prompt.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_LINE: Final = 254
"""Characters of one command that IOS takes: "Cisco IOS Configuration Fundamentals", command-line interface."""
_TAIL: Final = 4096

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\^_=>])|[\x00\x07\x08]")
_ENDS: Final = re.compile(r"\r+\n|\n\r+")
_INTERRUPTIONS: Final = re.compile(
    # System messages: seq no: timestamp: %FACILITY-SEVERITY-MNEMONIC: description; some without what is between.
    r"^(?:\d+: )?(?:[*.]?[A-Z][a-z]{2} +\d+ (?:\d{4} )?\d\d:\d\d:\d\d[\d.]*(?: [A-Z]{2,5})?: "
    r"|%[A-Z][A-Z0-9_-]*-[0-7]-[A-Z0-9_]+: ).*\n"
    # The rollback timer, right behind the prompt that stands there.
    r"|Rollback Confirmed Change: Rollback will begin in .*\n(?:Enter .configure confirm..*\n(?:configured\s*\n)?)?"
    r"|Rollback Confirmed Change: rolling to:.*\n(?:.*\n)*?"
    r"(?:Rollback Done|Rollback aborted.*|.*failed to apply.*)\s*\n"
    # Announcements of a reload, to all terminals.
    r"|^\*{3}\n\*{3} --- .* ---\n\*{3}\n",
    re.MULTILINE,
)
_FIRST_PROMPT: Final = re.compile(r"(?:\A|\n)[A-Za-z0-9][\w.:/-]{0,62}(?:\([^()\s]+\))?[#>] ?(?P<rest>\s*)\Z")
_QUESTION: Final = re.compile(r"(?:\[[^\[\]\n]*\] ?[?:]?|\?|\([yY](?:es)?/[nN]o?\) ?:?|[Pp]assword:) ?\Z")


def plain(raw: bytes) -> str:
    """Return what a terminal would show: no escape sequences, one newline for each end of line."""
    text = _ENDS.sub("\n", _ESCAPES.sub("", raw.decode(errors="replace")))
    return text.replace("\r", "")


def uninterrupted(text: str) -> str:
    """Return what was printed without what the router printed into it on its own account."""
    return _INTERRUPTIONS.sub("", text)


def greeted(raw: bytes) -> bool:
    """Tell whether the router has said its greetings and seems to wait for a command."""
    said = plain(raw)
    heard = uninterrupted(said)
    found = _FIRST_PROMPT.search(heard)
    # The end of a line after it makes it a part of some greeting, unless it is that of a message.
    return found is not None and (not found["rest"] or heard != said)


class Reading:
    """The answer to one command while it comes in.

    Attributes:
        command: what was typed; what comes before its echo belongs to an earlier answer.
        name: how each prompt starts; None takes the name from the prompt that stands before the echo.
        prompted: the last mode that was seen since the command or the last reply; None before.
    """

    def __init__(self, command: str, name: str | None) -> None:
        """Expect the echo of `command`, then its answer, then a prompt."""
        self.command = command
        self.name = name
        self.prompted: str | None = None
        # A message may break into the echo at any character.
        echo = r"\n?".join(re.escape(character) for character in command)
        before = r"([A-Za-z0-9][\w.:/-]{0,62})(?:\([^()\s]+\))?[#>] ?" if name is None else r"(?:\A\s*|[#>]\s*)"
        self._echo = re.compile(f"{before}{echo}[ \t]*\n")
        self._prompt = None if name is None else _prompt(name)
        self._raw = bytearray()
        self._echoed = False
        self._asked = 0

    def add(self, chunk: bytes) -> None:
        """Take what came."""
        self._raw += chunk

    @property
    def mode(self) -> str | None:
        """Return where the prompt at the end stands: `` for EXEC, `(config-if)`; None without a prompt at the end."""
        if not self._has_echo() or self._prompt is None:
            return None
        found = self._prompt.search(self._tail())
        if found is None:
            return None
        self.prompted = (found["mode"] or "") + (">" if found["end"] == ">" else "")
        return self.prompted

    def settled(self) -> bool:
        """Tell whether a prompt came, and behind it something else; only worth asking once nothing more comes."""
        if self.prompted is None and self._has_echo() and self.name is not None:
            text = "\n" + self._after_echo(uninterrupted(plain(bytes(self._raw))))
            found = list(re.finditer(rf"\n{_start(self.name)}(?P<mode>\([^()\s]+\))?(?P<end>[#>])", text))
            if found:
                self.prompted = (found[-1]["mode"] or "") + (">" if found[-1]["end"] == ">" else "")
        return self.prompted is not None

    def asks(self, question: str) -> bool:
        """Tell whether it waits for an answer to `question`, a regular expression."""
        return self._has_echo() and re.search(f"(?:{question})\\s*\\Z", self._since()) is not None

    def replied(self) -> None:
        """Remember that what was asked so far is answered."""
        self._asked = len(self._raw)
        self.prompted = None

    @property
    def question(self) -> str | None:
        """Return the line at the end when it looks like a question; only worth asking once nothing more comes."""
        line = self._since().rpartition("\n")[2]
        return line.strip() if _QUESTION.search(line) else None

    def answer(self, *, whole: bool = False) -> str:
        """Return what came between echo and prompt; `whole` keeps what the router said on its own account."""
        text = plain(bytes(self._raw))
        if not whole:
            text = uninterrupted(text)
        text = self._after_echo(text)
        if self.name is None:
            return text
        # A message of the router has it print its prompt again.
        text = re.sub(rf"(?:(?:\A|\n){_start(self.name)}(?:\([^()\s]+\))?[#>]\s*)+\Z", "\n", text)
        return text if text.strip() else ""

    def _after_echo(self, text: str) -> str:
        found = self._echo.search(text)
        return text[found.end() :] if found else text

    def _has_echo(self) -> bool:
        if not self._echoed:
            found = self._echo.search(uninterrupted(plain(bytes(self._raw))))
            if found is not None:
                self._echoed = True
                if self.name is None:
                    self.name = found[1]
                    self._prompt = _prompt(self.name)
        return self._echoed

    def _tail(self) -> str:
        cut = bytes(self._raw[-_TAIL:])
        return uninterrupted(plain(cut))

    def _since(self) -> str:
        return uninterrupted(plain(bytes(self._raw[max(self._asked, len(self._raw) - _TAIL) :])))


def _start(name: str) -> str:
    # In configuration mode IOS cuts the name short: to 20 characters, older releases to fewer.
    return re.escape(name[:16]) + r"[\w.:/-]*"


def _prompt(name: str) -> re.Pattern[str]:
    return re.compile(rf"\n{_start(name)}(?P<mode>\([^()\s]+\))?(?P<end>[#>])\s*\Z")
