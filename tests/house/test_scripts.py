#!/usr/bin/env python3
"""tools/readme_command.sh and tools/check_format.sh in small trees of their own."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

README = """\
Do not run cmake --workflow --preset demo from this sentence.

```sh
git clone https://example.com/purser && cd purser
$ ./tools/deps.sh && cmake --workflow --preset demo
```

    cmake --workflow --preset test (not in a block)

```sh
# 2. run the tests
./tools/deps.sh && cmake --workflow --preset test
```
"""


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkdir(os.path.join(self.folder, "tools"))

    def write(self, path, text):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run_script(self, name, *arguments):
        copy = os.path.join(self.folder, "tools", name)
        shutil.copy(os.path.join(ROOT, "tools", name), copy)
        return subprocess.run([copy, *arguments], capture_output=True, text=True)


class ReadmeCommand(Scripts):
    def test_the_commands_stand_in_blocks_of_the_readme(self):
        self.write("README.md", README)
        for preset in ("demo", "test"):
            done = self.run_script("readme_command.sh", preset)
            self.assertEqual(done.stdout, f"./tools/deps.sh && cmake --workflow --preset {preset}\n")

    def test_a_readme_without_the_command_fails(self):
        self.write("README.md", README)
        self.assertEqual(self.run_script("readme_command.sh", "other").returncode, 1)

    def test_the_readme_of_this_tree_has_both(self):
        for preset in ("demo", "test"):
            done = subprocess.run([os.path.join(ROOT, "tools", "readme_command.sh"), preset],
                                  capture_output=True, text=True)
            self.assertIn(f"cmake --workflow --preset {preset}", done.stdout, done.stderr)


@unittest.skipUnless(shutil.which("clang-format"), "clang-format is for developers")
class CheckFormat(Scripts):
    def setUp(self):
        super().setUp()
        shutil.copy(os.path.join(ROOT, ".clang-format"), self.folder)
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        self.write("src/base/good.c", "int f(void)\n{\n    return 1;\n}\n")

    def test_a_formatted_tree_passes(self):
        done = self.run_script("check_format.sh")
        self.assertEqual((done.returncode, done.stdout), (0, "check_format: 1 files, all formatted\n"))

    def test_each_folder_is_checked_and_the_mending_command_is_printed(self):
        for path in ("src/io/x.c", "include/purser/io/x.h", "tests/unit/x.c", "tools/x.c"):
            with self.subTest(path=path):
                self.write(path, "int  g( void );\n")
                done = self.run_script("check_format.sh")
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"    clang-format -i {path}\n", done.stderr)
                os.remove(os.path.join(self.folder, path))

    def test_a_tree_without_files_is_not_taken_for_a_formatted_one(self):
        os.remove(os.path.join(self.folder, "src/base/good.c"))
        self.assertEqual(self.run_script("check_format.sh").returncode, 2)


if __name__ == "__main__":
    unittest.main()
