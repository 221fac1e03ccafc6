"""Takes the dashboard's vendored files from the npm registry, once, and writes their lock.

    python tools/vendor.py

For development alone: what it writes is committed, and nothing is downloaded when Assay runs. A
test recomputes the hashes. axe-core is for tests, and lies with them.
"""

# ruff: noqa: INP001, S603, S607, T201 - a script

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "src/assay/dashboard/static/vendor"
FOR_TESTS = ROOT / "tests/browser/vendor"

# package, version, licence, file in the package, name here
WANTED = {
    SHIPPED: (
        ("htmx.org", "4.0.1", "0BSD", "dist/htmx.min.js", "htmx.min.js"),
        ("@observablehq/plot", "0.6.17", "ISC", "dist/plot.umd.min.js", "plot.min.js"),
        ("d3", "7.9.2", "ISC", "dist/d3.min.js", "d3.min.js"),
    ),
    FOR_TESTS: (("axe-core", "4.14.1", "MPL-2.0", "axe.min.js", "axe.min.js"),),
}
LICENCES = ("LICENSE", "LICENSE.md", "LICENSE-3RD-PARTY.txt")


def main() -> None:
    """Fetch all of them and write the locks."""
    for place, wanted in WANTED.items():
        place.mkdir(parents=True, exist_ok=True)
        lock = [entry for one in wanted for entry in take(place, *one)]
        (place / "vendor.lock.json").write_text(json.dumps(lock, indent=2) + "\n")
        print(f"{place.relative_to(ROOT)}: {', '.join(entry['file'] for entry in lock)}")


def take(
    place: Path, package: str, version: str, licence: str, path: str, name: str
) -> list[dict[str, str]]:
    """Write one package's file and its notices; gives their entries of the lock."""
    members = unpacked(package, version)
    stem = name.split(".", maxsplit=1)[0]
    files = {name: members[f"package/{path}"]}
    for notice in LICENCES:
        if f"package/{notice}" in members:
            ending = "-3rd-party" if notice.startswith("LICENSE-") else ""
            files[f"{stem}.LICENSE{ending}.txt"] = members[f"package/{notice}"]
    entries = []
    for file, data in files.items():
        # A map would be asked for from where it isn't.
        text = data.replace(b"//# sourceMappingURL=" + Path(path).name.encode() + b".map", b"")
        (place / file).write_bytes(text)
        entries.append(
            {
                "name": package,
                "version": version,
                "licence": licence,
                "file": file,
                "sha256": hashlib.sha256(text).hexdigest(),
            }
        )
    return entries


def unpacked(package: str, version: str) -> dict[str, bytes]:
    """The files of a package."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{package}@{version}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        packed = archive.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive_file:
        return {
            member.name: found.read()
            for member in archive_file.getmembers()
            if (found := archive_file.extractfile(member)) is not None
        }


if __name__ == "__main__":
    main()
