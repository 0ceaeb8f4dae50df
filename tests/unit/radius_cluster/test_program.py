"""What the programs of the cluster ask of the system."""

import resource
import subprocess
import sys

CODE = """
import resource
from radius_cluster.program import _open_many_files
_open_many_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_as_many_files_are_open_as_the_system_allows() -> None:
    """Each RadSec connection is one; systems begin with 1,024 and allow many more."""

    def usual() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, min(most, 9_000)))

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = subprocess.run([sys.executable, "-c", CODE], preexec_fn=usual, capture_output=True, text=True, check=True)
    now, at_most = map(int, found.stdout.split())
    assert now == at_most == min(most, 9_000)
