"""`make site`: pages, reference, course, gallery and the live laboratory, in one folder.

    .venv/bin/python scripts/make_site.py [site]

Any file server shows it, under any path. The pages are built by Sphinx with MyST-NB: the docstrings are
in its own markup, pages and notebooks are Markdown; what it makes needs no server and no other host.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from site_parts import explorers, live, pages

from dcamsr_lite.extras import load_extra

LIMIT = 30e6  # bytes of the whole site


def main(out: Path) -> None:
    load_extra("sphinx", "site")
    load_extra("myst_nb", "site")
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        source, made = Path(work) / "source", Path(work) / "made" / "html"
        source.mkdir()
        pages.collect_pages(source)
        command = ["-m", "sphinx", "-q", "-b", "html", "-d", source / "_build", source, made]
        subprocess.run([sys.executable, *command], check=True, cwd=pages.ROOT)
        shutil.copytree(made, out)  # MyST-NB leaves notebooks beside what it makes
    for name in ("_sources", "objects.inv", ".buildinfo"):
        path = out / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (out / ".nojekyll").touch()  # or GitHub's pages leave out what begins with _
    explorers.save_explorers(out / explorers.FOLDER)
    shrink_pictures(out)
    live.main(out / "live")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if size > LIMIT:
        raise SystemExit(f"{out}: {size / 1e6:.1f} MB, expected at most {LIMIT / 1e6:.0f}")
    print(f"wrote {out}: {size / 1e6:.1f} MB. Look at it with `make serve`.")


def shrink_pictures(out: Path) -> None:
    """The pages' pictures as WebP, a third of their bytes; the pages' links follow."""
    for path in [*(out / "_images").glob("*.png"), *(out / "gallery-pages").glob("*.png")]:
        Image.open(path).convert("RGB").save(path.with_suffix(".webp"), quality=88, method=5)
        path.unlink()
    pictured = re.compile(r"((?:_images|gallery-pages)/[\w.-]+|(?<=src=\")[a-z]+)\.png")
    for page in [*out.glob("*.html"), out / "gallery-pages" / "index.html"]:
        text = page.read_text(encoding="utf-8")
        page.write_text(pictured.sub(r"\1.webp", text), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
