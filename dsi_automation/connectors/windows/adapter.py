"""requests' adapter for one machine: one connection, nothing repeated, and TLS settings that are read once."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
from urllib3.util.ssl_ import create_urllib3_context

ONCE: Final = Retry(0, read=False)
"""No POST is ever repeated."""
_KEPT: Final = 16
"""Sets of TLS settings kept: a site has one CA, or one and a client certificate."""

type _Stamp = tuple[str, int, int] | None


class MachineAdapter(HTTPAdapter):
    """One connection to one machine.

    requests would have the file of authorities read for every connection: 0.4 ms for a site's CA, 20 ms and more for
    a system's. Machines verified with the same files share one set of TLS settings; connections share nothing else.
    """

    def __init__(self) -> None:
        """Keep room for one connection."""
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=ONCE)
        self._last: Any = None

    def send(self, *arguments: Any, **options: Any) -> Any:
        """Send a request of the greeting; called by requests and by the hooks that authenticate."""
        self._last = super().send(*arguments, **options)
        return self._last

    def close(self) -> None:
        """Close the connection, also where a sign-in failed half way and its last answer still holds it."""
        if self._last is not None:
            self._last.close()
            self._last = None
        super().close()

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        """Return what urllib3 connects with; called by requests for every connection it asks for."""
        host, settings = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] != "https":
            return host, settings
        certificate, key = cert or (None, None)
        context = _context(_stamp(verify if isinstance(verify, str) else None), _stamp(certificate), _stamp(key))
        return host, {"ssl_context": context, "cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the connection's TLS settings as they are: requests would have the files read again."""


@lru_cache(maxsize=_KEPT)
def _context(authorities: _Stamp, certificate: _Stamp, key: _Stamp) -> ssl.SSLContext:
    """Return TLS settings that verify the other side and its name; the same for the same files.

    An OpenSSL context may make connections for several threads at once; nothing changes it after this.
    """
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.check_hostname = True
    if authorities is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=authorities[0])
    if certificate is not None and key is not None:
        context.load_cert_chain(certificate[0], key[0])
    return context


def _stamp(path: str | None) -> _Stamp:
    """Return what tells that a file was replaced: a renewed CA or certificate counts from the next connection on."""
    if path is None:
        return None
    state = Path(path).stat()
    return path, state.st_mtime_ns, state.st_size
