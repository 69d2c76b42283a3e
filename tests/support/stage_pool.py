"""Stages of scenarios that work side by side, for proofs that try very many cases."""

import concurrent.futures
import contextlib
import os
import queue
import tempfile

from stage import Stage, Worlds


@contextlib.contextmanager
def scratch_folder(name):
    """A folder that is gone afterwards; in memory where that can be had, as proofs sync a lot."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=place) as folder:
        yield folder


class StagePool:
    def __init__(self, options, folder):
        self.count = options.at_once
        self.free = queue.Queue()
        self.worlds = Worlds(folder)
        for number in range(self.count):
            self.free.put(Stage(options.purser, options.sim, options.shim,
                                os.path.join(folder, str(number)), self.worlds))

    def close(self):
        while not self.free.empty():
            self.free.get().close()

    @contextlib.contextmanager
    def stage(self):
        stage = self.free.get()
        try:
            yield stage
        finally:
            self.free.put(stage)

    def set_disk(self, disk):
        for stage in list(self.free.queue):
            stage.disk = disk

    def each(self, cases, work):
        """work(stage, case) for each case, on all stages. What `work` raises is raised here: a case
        that could not be tried must not pass for one that went well."""
        def one(case):
            with self.stage() as stage:
                work(stage, case)

        with concurrent.futures.ThreadPoolExecutor(self.count) as workers:
            for _ in workers.map(one, cases):
                pass
