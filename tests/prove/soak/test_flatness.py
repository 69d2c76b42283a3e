#!/usr/bin/env python3
"""The flatness check on made-up samples: what grows is seen, what is flat or short is not accused."""

import os
import random
import socket
import unittest

from sampling import LIVES_MIN, SAMPLES_OF_A_LIFE_MIN, Life, Sampler, judge_flatness


def life(count=60, memory=lambda i: 5000, descriptors=lambda i: 12):
    return Life("run", [memory(i) for i in range(count)], [descriptors(i) for i in range(count)])


def ledger(count=60, of_an_item=lambda i: 900):
    return [(of_an_item(i) * i * 100, i * 100) for i in range(count)]


class Flatness(unittest.TestCase):
    def grown(self, lives, sizes=None):
        return judge_flatness(lives, sizes or ledger()).grown

    def test_what_is_flat_is_not_accused(self):
        chance = random.Random(1)
        lives = [life(memory=lambda i: chance.randint(4500, 5500),
                      descriptors=lambda i: chance.randint(9, 13)) for _ in range(12)]
        result = judge_flatness(lives, ledger())
        self.assertEqual(result.grown, [])
        self.assertEqual(result.untold, [])
        self.assertEqual(len(result.told), 5)

    def test_a_leak_of_memory_in_one_long_process_is_seen(self):
        lives = [life(5) for _ in range(11)] + [life(600, memory=lambda i: 5000 + i * 20)]
        self.assertIn("memory_kib within run", self.grown(lives)[0])

    def test_a_leak_of_a_descriptor_in_one_process_is_seen(self):
        lives = [life(90, descriptors=lambda i: 10 + i)]
        self.assertIn("descriptors within run", self.grown(lives)[0])

    def test_memory_that_grows_from_process_to_process_is_seen(self):
        lives = [life(10, memory=lambda i, more=number: 4000 + more * 300) for number in range(24)]
        self.assertIn("memory_kib across processes", self.grown(lives)[0])

    def test_descriptors_that_grow_from_process_to_process_are_seen(self):
        lives = [life(10, descriptors=lambda i, more=number: 10 + 4 * more) for number in range(24)]
        self.assertIn("descriptors across processes", self.grown(lives)[0])

    def test_a_ledger_that_grows_faster_than_its_items_is_seen(self):
        sizes = ledger(60, lambda i: 900 + i * 20)
        self.assertIn("ledger_bytes_an_item", self.grown([life()] * 12, sizes)[0])

    def test_a_ledger_that_grows_with_its_items_is_flat(self):
        self.assertEqual(self.grown([life()] * 12, ledger(300)), [])

    def test_what_a_ledger_has_without_items_is_no_growth(self):
        for empty in (0, 3_000_000):
            sizes = [(empty + 1900 * items, items) for items in range(0, 15000, 15)]
            self.assertEqual(self.grown([life()] * 12, sizes), [])

    def test_a_ledger_to_which_little_is_added_is_not_told(self):
        for added in (0, 40):
            result = judge_flatness([life()] * 12, [(1000 + i * i, i * added) for i in range(60)])
            self.assertEqual(len(result.untold), 1)

    def test_what_has_too_few_samples_is_not_told(self):
        short = life(SAMPLES_OF_A_LIFE_MIN - 1, memory=lambda i: 5000 * (i + 1))
        result = judge_flatness([short] * (LIVES_MIN - 1), ledger(2))
        self.assertEqual(result.grown, [])
        self.assertEqual(len(result.untold), 5)

    def test_a_process_that_is_not_at_work_is_not_sampled(self):
        sampler = Sampler(seconds=3600)
        sampler.begin(os.getpid(), "this")
        sampler.sample()
        self.assertEqual(sampler.lives[0], Life("this", [], []))
        with socket.socket():
            sampler.sample()
        sampler.stop()
        self.assertEqual(len(sampler.lives[0].memory_kib), 1)
        self.assertGreater(sampler.lives[0].memory_kib[0], 1000)
        self.assertGreater(sampler.lives[0].descriptors[0], 3)


if __name__ == "__main__":
    unittest.main()
