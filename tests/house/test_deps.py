#!/usr/bin/env python3
"""tools/deps.sh against a made-up package manager: what it would install, and when it asks whom."""

import os
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "tools", "deps.sh")


class Machine(unittest.TestCase):
    """A PATH of its own, in which each program writes down how it was called."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.calls_path = os.path.join(self.folder, "calls")
        open(self.calls_path, "w").close()
        for tool in ("sh", "cat", "sed", "env"):
            real = next(p for p in (f"/bin/{tool}", f"/usr/bin/{tool}") if os.path.exists(p))
            os.symlink(real, os.path.join(self.folder, tool))
        self.program("id", "echo 0")

    def program(self, name, script):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho {name} \"$@\" >>{self.calls_path}\n{script}\n")
        os.chmod(path, 0o755)

    def debian(self, missing=(), apt=""):
        names = "|".join(missing) or "nothing"
        self.program("dpkg-query", f'case "$4" in {names}) exit 1 ;; esac; echo "installed "')
        self.program("apt-get", apt)

    def run_script(self, *arguments):
        done = subprocess.run(["/bin/sh", SCRIPT, *arguments], env={"PATH": self.folder},
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        with open(self.calls_path, encoding="utf-8") as file:
            calls = [line for line in file.read().split("\n") if line]
        self.apt_calls = [c for c in calls if c.startswith(("apt-get", "sudo"))]
        return done

    def test_nothing_missing_means_nothing_done(self):
        self.debian()
        done = self.run_script("--ci")
        self.assertEqual((done.returncode, self.apt_calls), (0, []), done.stderr)

    def test_only_what_is_missing_is_installed_and_the_lists_are_left_alone(self):
        self.debian(missing=["libcsv-dev"])
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("apt-get update", " ".join(self.apt_calls))
        self.assertTrue(self.apt_calls[-1].endswith("--no-install-recommends libcsv-dev"))

    def test_without_package_lists_they_are_fetched_first(self):
        self.debian(missing=["gcc"], apt='case "$2" in --simulate) exit 100 ;; esac')
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([c.split()[1] for c in self.apt_calls], ["install", "update", "install"])

    def test_a_failed_installation_is_tried_again_with_fresh_lists_then_reported(self):
        self.debian(missing=["gcc"], apt='case "$1$2" in install-y) exit 100 ;; esac')
        done = self.run_script()
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not install gcc", done.stderr)
        self.assertEqual([c.split()[1] for c in self.apt_calls],
                         ["install", "install", "update", "install"])

    def test_without_root_it_uses_sudo(self):
        self.debian(missing=["gcc"])
        self.program("id", "echo 1000")
        self.program("sudo", '"$@"')
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y",
                      " ".join(self.apt_calls))

    def test_without_root_and_sudo_it_says_what_to_run(self):
        self.debian(missing=["gcc"])
        self.program("id", "echo 1000")
        done = self.run_script()
        self.assertEqual((done.returncode, self.apt_calls), (1, []))
        self.assertIn("apt-get install gcc", done.stderr)

    def test_the_checkers_are_installed_for_ci_alone(self):
        self.debian(missing=["clang-tidy"])
        self.assertEqual(self.run_script("--list").stdout, "")
        self.assertEqual(self.run_script("--ci", "--list").stdout, "clang-tidy\n")
        self.assertEqual(self.apt_calls, [])

    def test_another_distribution_gets_the_names_of_the_libraries(self):
        done = self.run_script()
        self.assertEqual(done.returncode, 1)
        for library in ("libcurl", "LMDB", "msgpack", "libyaml", "json-c", "libcsv", "xxHash",
                        "OpenSSL", "cmocka"):
            self.assertIn(library, done.stderr)

    def test_an_unknown_option_prints_the_usage(self):
        done = self.run_script("--bogus")
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: tools/deps.sh", done.stderr)


if __name__ == "__main__":
    unittest.main()
