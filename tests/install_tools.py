"""Install what the tests with real clients need from the system: a browser with Chinese fonts, and RADIUS clients.

Only as root and only what is missing; otherwise it says which tests will be skipped. Standard library only.
"""

import os
import shutil
import subprocess
import sys

_SHELL = "chromium-headless-shell"
# Program that must be found, Debian package, what is skipped without it. Where there is no Chromium without windows of
# its own (the same engine for a third of the work), the whole browser serves.
TOOLS = (
    (_SHELL, _SHELL, "the tests in a browser"),
    ("radclient", "freeradius-utils", "the tests with radclient"),
    ("eapol_test", "eapoltest", "the tests with eapol_test"),
    ("radsecproxy", "radsecproxy", "the tests with radsecproxy"),
    ("openvpn", "openvpn", "the test with OpenVPN"),
    ("/usr/lib/openvpn/radiusplugin.so", "openvpn-auth-radius", "the test with OpenVPN"),
)
_SERVICES = {"radsecproxy", "openvpn"}  # the tests start their own; the package's would take our ports
_FONT_PACKAGE = "fonts-noto-cjk"  # without it Chinese text is boxes in screenshots


def main() -> int:
    """Install or report; never fails, because the tests skip what they cannot do."""
    missing = [tool for tool in TOOLS if not _is_there(tool[0])]
    if not missing:
        return 0
    packages = [package for _program, package, _tests in missing]
    if any(package.startswith("chromium") for package in packages):
        packages.append(_FONT_PACKAGE)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write(f"Installing {' '.join(packages)} for the tests.\n")
        _apt("update")
        # One by one: a package that a distribution lacks must not keep the others away.
        for package in packages:
            _apt("install", "--yes", "--no-install-recommends", package)
            if package == _SHELL and not _is_there(_SHELL) and not _is_there("chromium"):
                _apt("install", "--yes", "--no-install-recommends", "chromium")
            if package in _SERVICES and shutil.which("systemctl"):
                _quietly(["systemctl", "disable", "--now", package])
    for program, package, tests in TOOLS:
        if not _is_there(program) and not (program == _SHELL and _is_there("chromium")):
            sys.stdout.write(f"{program} is missing: {tests} are skipped (on Debian: apt-get install {package}).\n")
    return 0


def _is_there(program: str) -> bool:
    """A program of the path, or a file by its whole name (a plug-in is no program)."""
    return shutil.which(program) is not None or os.path.exists(program)


def _apt(*arguments: str) -> None:
    _quietly(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *arguments])


def _quietly(command: list[str]) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
