"""Fetch the third-party front-end files anew: ``python -m portals.shared.refresh_static`` (the only need for npm).

The results are committed, so that installing, running and testing never need npm. To use another icon, add its name
(https://tabler.io/icons, outline) to ``static/icons.txt`` and run this.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STATIC = Path(__file__).parent / "static"
AXE = Path(__file__).parents[2] / "tests" / "fixtures" / "vendor"
PACKAGES = {
    "@tabler/core": "1.6.1",
    "@tabler/icons": "3.51.0",
    "htmx.org": "2.0.11",
    "echarts": "6.1.0",
    "axe-core": "4.14.1",
}
FILES = {
    "@tabler/core/dist/css/tabler.min.css": STATIC / "vendor" / "tabler.min.css",
    "htmx.org/dist/htmx.min.js": STATIC / "vendor" / "htmx.min.js",
    "echarts/dist/echarts.common.min.js": STATIC / "vendor" / "echarts.common.min.js",
    "axe-core/axe.min.js": AXE / "axe.min.js",
}
# A source map that is not served would cost every developer a 404 and a console line.
SOURCE_MAP = re.compile(r"\n?(//#|/\*#) sourceMappingURL=\S+( \*/)?\s*$")
BLANK = re.compile(r'<path\s+stroke="none"\s+d="M0 0h24v24H0z"\s+fill="none"\s*/>')


def sprite(icons: Path, names: list[str]) -> str:
    """One SVG with a ``<symbol>`` per name; raises ``FileNotFoundError`` for a name that Tabler does not have."""
    symbols = []
    for name in names:
        svg = (icons / f"{name}.svg").read_text()
        inner = BLANK.sub("", svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")])
        inner = re.sub(r"\s*\n\s*", "", inner).strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def main() -> int:
    """Download the pinned packages into a temporary folder and copy what is served. Exit code 1 without npm."""
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("npm is needed to refresh the front-end files; install Node.js.\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
        command = [npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", *wanted]
        subprocess.run(command, check=True)
        modules = Path(folder) / "node_modules"
        for source, target in FILES.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(SOURCE_MAP.sub("\n", (modules / source).read_text()))
        names = (STATIC / "icons.txt").read_text().split()
        (STATIC / "icons.svg").write_text(
            sprite(modules / "@tabler" / "icons" / "icons" / "outline", sorted(set(names)))
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
