#!/usr/bin/env python3
"""Make a site of all texts of this repository and of the modules' documentation, in build/docs.

    build.py [TARGET]

Texts keep their places, so links between them work there as they do in the repository. A link that leads nowhere, and
whatever else Sphinx warns of, fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ("*.md", "docs/**/*.md", "roles/*/README.md", "inventory.example/*.md", "tests/lab/**/*.md")
BESIDE = ("docs/*.png", "LICENSE", "roles/*/meta/argument_specs.yml")
BIN = Path(sys.executable).parent


def main(target: Path) -> None:
    source = ROOT / "build" / "docs-source"
    shutil.rmtree(source, ignore_errors=True)
    for pattern in (*TEXTS, *BESIDE):
        for file in ROOT.glob(pattern):
            copy = source / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    facts = subprocess.run([sys.executable, ROOT / "tests/tools/facts.py"], capture_output=True, text=True, check=True)
    text = f"# Facts about real hosts\n\nWhat the laboratory holds to be true of them.\n\n```\n{facts.stdout}```\n"
    (source / "docs" / "facts.md").write_text(text, encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections")}
    antsibull = (BIN / "antsibull-docs", "collection", "--use-current", "--dest-dir", source, "prs.recovery")
    subprocess.run(antsibull, env=environment, check=True)
    shutil.rmtree(target, ignore_errors=True)
    sphinx = (sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", Path(__file__).parent, source, target)
    subprocess.run(sphinx, check=True)
    print(target / "docs" / "index.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT / "build" / "docs")
