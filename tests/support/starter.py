"""Starts a program many times without loading it each time (starter.c)."""

import contextlib
import os
import queue
import signal
import socket
import struct
import subprocess


class Ended(Exception):
    """The starter itself is gone."""


class Starter:
    """One program with one preloaded library that has starter.c in it; one start at a time."""

    def __init__(self, program, library, folder, environment=None):
        """`folder`: for the files of standard output and error."""
        os.makedirs(folder, exist_ok=True)
        self.out, self.talk = os.path.join(folder, "out"), os.path.join(folder, "talk")
        self.program = program
        self.channel, theirs = socket.socketpair()
        self.child = None
        with theirs:
            self.process = subprocess.Popen(
                [program], stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                env={**(environment or {}), "LD_PRELOAD": library,
                     "PURSER_STARTER": str(theirs.fileno())})

    def close(self):
        if self.child is not None:
            self.kill()
        self.channel.close()
        self.process.wait()

    def _number(self, seconds=None):
        self.channel.settimeout(seconds)
        bytes_ = self.channel.recv(4, socket.MSG_WAITALL)
        if len(bytes_) != 4:
            raise Ended("the starter has ended")
        return struct.unpack("i", bytes_)[0]

    def start(self, words, environment, folder, out=None):
        """Begins a process; its id. It goes on beside this one until `wait`."""
        texts = [folder, out or self.out, self.talk, self.program, *words, "",
                 *(f"{name}={value}" for name, value in environment.items())]
        request = b"".join(os.fsencode(text) + b"\0" for text in texts)
        self.channel.sendall(struct.pack("I", len(request)) + request)
        self.child = self._number()
        return self.child

    def wait(self, seconds=None):
        """The exit status as subprocess gives it. TimeoutError: it goes on."""
        status = self._number(seconds)
        self.child = None
        return os.waitstatus_to_exitcode(status)

    def kill(self):
        os.kill(self.child, signal.SIGKILL)
        return self.wait()

    def run(self, words, environment, folder, seconds):
        """Exit status, stdout and stderr as bytes. TimeoutError: it was killed after that time."""
        self.start(words, environment, folder)
        try:
            status = self.wait(seconds)
        except TimeoutError:
            self.kill()
            raise
        return status, read(self.out), read(self.talk)


class Starters:
    """Several that work side by side."""

    def __init__(self, program, library, folder, count):
        self.free, self.count = queue.Queue(), count
        for number in range(count):
            self.free.put(Starter(program, library, os.path.join(folder, str(number))))

    def close(self):
        for _ in range(self.count):
            self.free.get().close()

    def run(self, words, environment, folder, seconds):
        """As Starter.run, on one that is free."""
        with contextlib.ExitStack() as stack:
            starter = self.free.get()
            stack.callback(self.free.put, starter)
            return starter.run(words, environment, folder, seconds)


def read(path):
    with open(path, "rb") as file:
        return file.read()
