"""The programs that a unittest of whole processes is given on its command line."""

import argparse
import os
import sys
import unittest

given = argparse.Namespace()


def main(usage, *names):
    """Reads --NAME PATH for each of `names` into `given`, and runs the tests of the caller's module."""
    parser = argparse.ArgumentParser(usage=usage)
    for name in names:
        parser.add_argument(f"--{name}", required=True, type=os.path.abspath)
    _, rest = parser.parse_known_args(namespace=given)
    unittest.main(argv=sys.argv[:1] + rest)
