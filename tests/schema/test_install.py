#!/usr/bin/env python3
"""What `cmake --install` puts where.

usage: test_install.py CMAKE BUILD_FOLDER
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CMAKE, BUILD = sys.argv[1:3]


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="purser-install-")
        cls.prefix = Path(cls.folder.name)
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", cls.prefix], check=True,
                       stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_program_runs(self):
        run = subprocess.run([self.prefix / "bin" / "purser", "--version"], check=True,
                             capture_output=True)
        self.assertTrue(run.stdout.startswith(b"purser "))

    def test_schema_is_where_editors_are_told_to_look(self):
        self.assertEqual((self.prefix / "share/purser/jobspec-1.schema.json").read_bytes(),
                         (ROOT / "schema" / "jobspec-1.schema.json").read_bytes())

    def test_manual_pages_are_where_man_looks(self):
        for page in ("man1/purser.1", "man5/purser-spec.5"):
            text = (self.prefix / "share/man" / page).read_text(encoding="ascii")
            self.assertTrue(text.startswith(".TH purser"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
