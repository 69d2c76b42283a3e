#!/usr/bin/env python3
"""Proves that a backup of the ledger, put in the place of a newer one, does nothing twice.

usage: restored.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--planted PROGRAM]

A first run writes some rows; the state directory is copied aside; a second run writes the others, and
rows that were added meanwhile. Then the copy is put back, in each way that a person has, and `run` must
refuse it. A person adopts it as restored, and all is run once more: within the window of the idempotency
keys, and beyond it (13 hours later), and with writes that have no key. The judge holds what purser reports
against what the simulator has done: nothing twice, no success without its effect, nothing left out. Items
in doubt are then resolved by what was really done, and the last run must end well; a row that is added
after that is sent as ever. A person's word is taken once, and counts for nothing in a backup.

--planted: a purser that sends after a restore as if nothing had been lost. It must be found out.
"""

import argparse
import os
import shutil
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import judge  # noqa: E402
from scenarios import CHANGE, CREATE, HEAD, RUN, Scenario  # noqa: E402
from stage import Stage, Wrong  # noqa: E402

HOURS_LATER = 13
LOST_ANSWER = "sim:close"  # it is done
REFUSED_ONCE = ("sim:400*1", "sim:job-450*1")  # names that rutter-sim refuses, on sight and as a job
EXIT_SOME_FAILED, EXIT_IN_DOUBT, EXIT_UNFINISHED = 3, 7, 75
OLD = [f"A-{number}" for number in range(6)]
ADDED = [f"B-{number}" for number in range(3)]
ADOPT = ("adopt", "spec.yaml", "--as")
FIRST_FIVE = (*RUN, "--limit", "5")  # so that what was lost is not known yet when it ends


def text_of(keys):
    return "sku,name\n" + "".join(f"{key},item {key}\n" for key in keys)


KEYED = Scenario("restored", HEAD + CREATE, text_of(OLD))
UNKEYED = Scenario("restored-at-most-once", HEAD + CHANGE, text_of(OLD))


def state_of(stage):
    return os.path.join(stage.folder, "state", "purser", "world")


def new_directory(stage, aside):
    """Removed, and copied back: other files, wherever they lie."""
    shutil.rmtree(state_of(stage))
    shutil.copytree(aside, state_of(stage))


def data_file(stage, aside):
    """The data file alone, in the place of the newer one."""
    os.unlink(os.path.join(state_of(stage), "data.mdb"))
    shutil.copy(os.path.join(aside, "data.mdb"), state_of(stage))


def data_file_in_place(stage, aside):
    """Its bytes alone: for the file system it is the same file."""
    shutil.copyfile(os.path.join(aside, "data.mdb"), os.path.join(state_of(stage), "data.mdb"))


def all_in_place(stage, aside):
    """As `cp` or a backup program that overwrites: no file is another one."""
    for name in os.listdir(aside):
        shutil.copyfile(os.path.join(aside, name), os.path.join(state_of(stage), name))


WAYS = [new_directory, data_file, data_file_in_place, all_in_place]


class Proof:
    def __init__(self, options, folder):
        self.stage = Stage(options.purser, options.sim, options.shim, folder)
        self.aside = os.path.join(self.stage.place, "aside")
        self.checks = 0

    def must(self, holds, text):
        self.checks += 1
        if not holds:
            raise Wrong(text)

    def purser(self, words, statuses):
        status, out, talk = self.stage.purser(words, SHOW_FILES="1")
        self.must(status in statuses, f"{' '.join(words)} ended with {status}:\n{talk}")
        return out, talk

    def items(self):
        out, _ = self.purser(("items", "spec.yaml", "--output", "ndjson"), (0,))
        return judge.items_from(out)

    def lines(self):
        return self.stage.simulator.ledger()

    def requests(self):
        return len(judge.sends_of(self.lines()))

    def judge(self, wanted):
        verdicts = judge.judge(self.lines(), self.items(), wanted=wanted, restored=True)
        self.must(not verdicts, judge.shown(verdicts))

    def each_once(self, keys, **others):
        effects = {**{key: 1 for key in keys}, **others}
        verdicts = judge.judge(self.lines(), self.items(), wanted=keys, effects=effects)
        self.must(not verdicts, judge.shown(verdicts))

    def back_up(self):
        shutil.rmtree(self.aside, ignore_errors=True)
        shutil.copytree(state_of(self.stage), self.aside)

    def restore(self, scenario, way):
        stage = self.stage
        stage.begin(scenario)
        self.purser((*RUN, "--limit", "2"), (75,))
        self.back_up()
        stage.write("items.csv", text_of(OLD + ADDED))
        self.purser(RUN, (0,))
        way(stage, self.aside)

    def refuse(self):
        before = self.requests()
        _, talk = self.purser(RUN, (2,))
        self.must("backup" in talk and "--as restored" in talk, f"it does not say why: {talk}")
        self.must(self.requests() == before, "something was sent from an older ledger")

    def later(self):
        with open(self.stage.file("clock"), "r+b") as file:
            now_ns = struct.unpack("q", file.read(8))[0]
            file.seek(0)
            file.write(struct.pack("q", now_ns + HOURS_LATER * 3600 * 10**9))

    def resolve(self):
        """A person looks what was done."""
        done = {effect["sku"] or effect["path"].rsplit("/", 1)[-1]
                for effect in judge.effects_of(self.lines())}
        for item in self.items():
            if item["state"] == "in_doubt":
                word = "done" if item["key"] in done else "not-done"
                self.purser(("resolve", "spec.yaml", f"{item['job']}/{item['key']}", "--as", word),
                            (0,))

    def play(self, scenario, way, is_late):
        self.restore(scenario, way)
        self.refuse()
        self.purser((*ADOPT, "restored"), (0,))
        if is_late:
            self.later()
        self.stage.write("items.csv", text_of(OLD + ADDED + ["C-1"]))  # it was never sent
        is_doubtful = is_late or scenario is UNKEYED
        _, talk = self.purser(RUN, (0, 7))
        self.judge(OLD + ADDED + ["C-1"])
        doubts = {item["key"]: item["reason"] for item in self.items() if item["state"] == "in_doubt"}
        wanted = {key: "restored_state" for key in OLD[2:] + ADDED + ["C-1"]} if is_doubtful else {}
        self.must(doubts == wanted, f"in doubt is {doubts}, and not {wanted}")
        self.must("restored backup" in talk, f"run does not say what it works on: {talk}")
        self.resolve()
        self.stage.write("items.csv", text_of(OLD + ADDED + ["C-1", "D-1"]))
        _, talk = self.purser(RUN, (0,))
        self.must("restored backup" not in talk, f"it never ends: {talk}")
        self.each_once(OLD + ADDED + ["C-1", "D-1"])

    def play_retried(self, scenario, refusal, is_late):
        """What had failed when the backup was made was tried again since, and is so once more."""
        stage = self.stage
        stage.begin(scenario)
        stage.write("items.csv", text_of(OLD).replace("item A-5", refusal))
        self.purser(RUN, (EXIT_SOME_FAILED,))
        self.back_up()
        self.purser(("retry", "spec.yaml"), (0,))
        self.purser(RUN, (0,))
        new_directory(stage, self.aside)
        self.purser((*ADOPT, "restored"), (0,))
        if is_late:
            self.later()
        self.purser(RUN, (EXIT_SOME_FAILED,))
        self.purser(("retry", "spec.yaml"), (0,))
        self.purser(RUN, (EXIT_IN_DOUBT if is_late or scenario is UNKEYED else 0,))
        self.judge(OLD)
        self.resolve()
        self.purser(RUN, (0,))
        self.each_once(OLD)

    def play_word(self):
        """A word that was said before a second backup says nothing of what was lost after it."""
        stage = self.stage
        self.restore(UNKEYED, new_directory)
        self.purser((*ADOPT, "restored"), (0,))
        stage.write("items.csv", text_of(OLD + ["C-1"] + ADDED))  # it was never sent
        self.purser(FIRST_FIVE, (EXIT_UNFINISHED,))
        self.resolve()
        self.back_up()
        self.purser(RUN, (EXIT_IN_DOUBT,))
        new_directory(stage, self.aside)
        self.purser((*ADOPT, "restored"), (0,))
        self.purser(RUN, (EXIT_IN_DOUBT,))
        self.resolve()
        self.purser(RUN, (0,))
        self.each_once(OLD + ADDED + ["C-1"])

    def play_other_doubt(self):
        """A word is taken once, whatever the doubt was."""
        stage = self.stage
        self.restore(KEYED, new_directory)
        self.purser((*ADOPT, "restored"), (0,))
        stage.write("items.csv", text_of(OLD + ["C-1"] + ADDED).replace("item C-1", REFUSED_ONCE[0]))
        self.purser(FIRST_FIVE, (EXIT_UNFINISHED,))
        self.must([item["reason"] for item in self.items() if item["state"] == "in_doubt"]
                  == ["refused_after_unknown"], "a refusal proves something")
        self.resolve()
        self.later()
        self.purser(RUN, (EXIT_IN_DOUBT,))
        self.must({item["key"] for item in self.items() if item["state"] == "in_doubt"}
                  == set(ADDED), "the word was not taken")
        self.resolve()
        self.purser(RUN, (0,))
        self.each_once(OLD + ADDED + ["C-1"])

    def play_changed(self):
        """A row that changed in the lost history waits for the end of its item; the loss is known until then."""
        stage = self.stage
        stage.begin(UNKEYED)
        stage.write("items.csv", text_of(OLD).replace("item A-2", LOST_ANSWER))
        self.purser(RUN, (EXIT_IN_DOUBT,))
        self.back_up()
        self.resolve()
        stage.write("items.csv", text_of(OLD).replace("item A-2", "another item A-2"))
        self.purser(RUN, (0,))
        new_directory(stage, self.aside)
        self.purser((*ADOPT, "restored"), (0,))
        self.purser(RUN, (EXIT_IN_DOUBT,))
        self.resolve()
        self.purser(RUN, (EXIT_IN_DOUBT,))
        self.resolve()
        self.purser(RUN, (0,))
        self.each_once(OLD, **{"A-2": 2})

    def run(self):
        for refusal in REFUSED_ONCE:
            self.play_retried(UNKEYED, refusal, False)
            self.play_retried(KEYED, refusal, False)
            self.play_retried(KEYED, refusal, True)
        for way in WAYS:
            self.play(UNKEYED, way, False)
            self.play(KEYED, way, False)
            self.play(KEYED, way, True)
        self.play_word()
        self.play_other_doubt()
        self.play_changed()


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("purser", "sim", "shim"):
        parser.add_argument(f"--{name}", required=True, type=os.path.abspath)
    parser.add_argument("--planted", type=os.path.abspath)
    return parser.parse_args()


def attempt(options, folder):
    proof = Proof(options, folder)
    try:
        proof.run()
    except Wrong as error:
        return proof.checks, str(error)
    finally:
        proof.stage.close()
    return proof.checks, None


def main():
    options = read_options()
    with tempfile.TemporaryDirectory(prefix="purser-restored-") as folder:
        checks, wrong = attempt(options, os.path.join(folder, "sound"))
        found = None
        if options.planted:
            planted = argparse.Namespace(**{**vars(options), "purser": options.planted})
            found = attempt(planted, os.path.join(folder, "planted"))[1] or ""
            found = next((line for line in found.splitlines() if "twice" in line.lower()), None)
    if wrong:
        print(wrong)
    print(f"prove-damage: restored backups: {len(WAYS)} ways of putting one back, {checks} checks, "
          f"{'1' if wrong else '0'} wrong"
          + ("" if not options.planted else f"; planted: {found or 'NOT found'}"))
    return 1 if wrong or options.planted and not found else 0


if __name__ == "__main__":
    sys.exit(main())
