"""The network between purser and the simulator: a proxy on loopback that can be cut.

Its address stays while the simulator behind it comes and goes. What it does with a connection:

  up      carries the bytes
  refuse  resets every connection, old and new
  silent  takes connections and bytes, and carries nothing; later it goes on where it stopped
  deaf    carries what purser says and drops what the simulator answers; later it resets
"""

import selectors
import socket
import struct
import threading

UP, REFUSE, SILENT, DEAF = "up", "refuse", "silent", "deaf"
CHUNK = 1 << 16
BACKLOG = 128
TURN_SECONDS = 0.05  # so late may a change of the state be seen
HELD_BYTES_MAX = 1 << 20  # of one direction, before its sender has to wait


def reset(link):
    """Closes with RST, as a peer that is gone."""
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    link.close()


class End:
    """One socket of a pair, and what is still to be written to it."""

    def __init__(self, link, is_purser):
        self.link, self.is_purser = link, is_purser
        self.other = None
        self.held = bytearray()
        self.is_over = False  # it will say nothing more
        self.is_told = False  # that the other one will say nothing more


class Network(threading.Thread):
    """Begins when it is made; `base` is for the spec."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.listener.setblocking(False)
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}/versioned"
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.ends = set()
        self.state = UP
        self.server_port = None
        self.must_reset = False
        self.is_stopping = False
        self.broken = 0  # connections that were cut
        self.start()

    def set(self, state):
        """From now on, for old and new connections."""
        if self.state == DEAF and state == UP:
            self.must_reset = True
        self.state = state

    def cut(self):
        """Resets what is connected now."""
        self.must_reset = True

    def stop(self):
        self.is_stopping = True
        self.join()

    def run(self):
        while not self.is_stopping:
            for key, _ in self.selector.select(TURN_SECONDS):
                if key.data is None:
                    self.accept()
                elif key.data in self.ends:
                    self.turn(key.data)
            if self.must_reset or self.state == REFUSE:
                self.must_reset = False
                self.drop_all()
            for end in list(self.ends):
                if end in self.ends:
                    self.watch(end)
        self.drop_all()
        self.listener.close()

    def accept(self):
        try:
            link, _ = self.listener.accept()
        except OSError:
            return
        server = None
        if self.state != REFUSE and self.server_port is not None:
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                server = None
        if server is None:
            self.broken += 1
            reset(link)
            return
        ends = [End(link, True), End(server, False)]
        for end, other in zip(ends, reversed(ends)):
            end.other = other
            end.link.setblocking(False)
            end.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.ends.add(end)
            self.watch(end)

    def wanted(self, end):
        """The events that an end now waits for."""
        if self.state == SILENT:
            return 0
        is_read = not end.is_over and len(end.other.held) < HELD_BYTES_MAX
        return (selectors.EVENT_READ if is_read else 0) | (selectors.EVENT_WRITE if end.held else 0)

    def watch(self, end):
        wanted = self.wanted(end)
        known = self.selector.get_map().get(end.link)
        if known is None and wanted:
            self.selector.register(end.link, wanted, end)
        elif known is not None and not wanted:
            self.selector.unregister(end.link)
        elif known is not None and known.events != wanted:
            self.selector.modify(end.link, wanted, end)

    def turn(self, end):
        if self.state == SILENT:
            return
        try:
            self.write(end)
            self.read(end)
        except BlockingIOError:
            pass
        except OSError:
            self.drop(end)

    def write(self, end):
        if end.held:
            del end.held[:end.link.send(end.held)]
        if end.other.is_over and not end.held:
            self.say_end(end)

    def say_end(self, end):
        """All that its peer has said was written to it."""
        if end.is_over and not end.other.held:
            self.drop(end, with_reset=False)
        elif not end.is_told:
            end.is_told = True
            end.link.shutdown(socket.SHUT_WR)

    def read(self, end):
        if end not in self.ends or end.is_over or len(end.other.held) >= HELD_BYTES_MAX:
            return
        read = end.link.recv(CHUNK)
        if not read:
            end.is_over = True
            self.write(end.other)
            return
        if self.state != DEAF or end.is_purser:
            end.other.held += read
            self.write(end.other)

    def drop(self, end, with_reset=True):
        for one in (end, end.other):
            self.ends.discard(one)
            if self.selector.get_map().get(one.link) is not None:
                self.selector.unregister(one.link)
            if with_reset:
                reset(one.link)
            else:
                one.link.close()

    def drop_all(self):
        for end in list(self.ends):
            if end in self.ends:
                self.broken += 1
                self.drop(end)
