"""A relay in front of the lab's domain controller, which can be cut in the middle of an exchange."""

import contextlib
import socket
import threading

import pytest


class Relay:
    """Stands between the connector and the controller, and can be cut, deafened or taken away."""

    def __init__(self, address):
        self.upstream, self.links, self.opened, self.is_deaf = (address, 636), [], 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.opened += 1
            server = socket.create_connection(self.upstream, 10)
            self.links += [client, server]
            for source, sink, answers in ((client, server, False), (server, client, True)):
                thread = threading.Thread(target=self._pump, args=(source, sink, answers))
                self.threads.append(thread)
                thread.start()

    def _pump(self, source, sink, answers):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if answers and self.is_deaf:
                    # The controller has done it; its answer never arrives.
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        for link in self.links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        for thread in self.threads:
            thread.join(10)
        for link in self.links:
            link.close()


@pytest.fixture
def relay(lab):
    """A relay to the lab's domain controller."""
    relay = Relay(lab.layout.dc_address)
    yield relay
    relay.stop()
