"""`make pins`: the versions of this environment as a constraints file, names and versions only."""

import importlib.metadata
import re

OURS = {"dcamsr-lite", "pip", "setuptools", "wheel"}
OLDEST = 10  # Python 3.10 is the oldest that we support


def pins() -> list[str]:
    """One line a package; a marker where a version asks for a newer Python than our oldest."""
    lines = set()
    for found in importlib.metadata.distributions():
        name = found.metadata["Name"].lower().replace("_", "-")
        version = found.version.split("+")[0]  # a local build tag is no part of the version
        asked = re.search(r">=\s*3\.(\d+)", found.metadata.get("Requires-Python") or "")
        newer = asked and int(asked[1]) > OLDEST
        marker = f' ; python_version >= "3.{asked[1]}"' if newer else ""
        if name not in OURS:
            lines.add(f"{name}=={version}{marker}")
    return sorted(lines)


if __name__ == "__main__":
    print("# Exact versions that `make setup` installs (`make pins` writes this file). Below the")
    print("# Python that a version asks for, the lower bounds of pyproject.toml decide.")
    print("\n".join(pins()))
