"""README's moving picture: the live page as it is, a pointer that moves, a reference that is shifted.

    .venv/bin/python scripts/figures/moving_picture.py     # after `make site`

The pixel moves and the map follows; the reference shifts, the network in the page finds it. It writes
assets/figures/live.webp.
"""

import io
import sys
from math import cos, pi, sin
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from chromium import chromium, file_server  # noqa: E402
from links import LIVE  # noqa: E402

OUT = ROOT / "assets" / "figures" / "live.webp"
WIDTH = 1000  # pixels of the window
ROUND = 18  # steps of the pointer's way about the middle of the brain
SHIFTS = (1, 2, 3)  # pixels to the right
TIMES = {"move": 160, "answer": 900}  # ms that a picture stays


def main() -> None:
    frames, times = [], []
    with chromium() as browser, file_server(ROOT / "site") as address:
        page = browser.new_page(viewport={"width": WIDTH, "height": 800})
        page.goto(f"{address}/{LIVE}")
        page.wait_for_function("window.live && live.lab().answers > 0")
        look = page.locator(".lv-look")

        def take(kind: str) -> None:
            frames.append(Image.open(io.BytesIO(look.screenshot())).convert("RGB"))
            times.append(TIMES[kind])

        def shift(right: float) -> None:
            page.evaluate("x => live.lab().set({ shift: [0, x] })", right)
            page.wait_for_function("!live.lab().waiting()")
            take("answer")

        def walk() -> None:
            for step in range(ROUND):
                angle = 2 * pi * step / ROUND
                place = [round(60 + 26 * sin(angle)), round(64 + 20 * cos(angle))]
                page.evaluate("place => live.look.look(...place)", place)
                take("move")

        shift(0)
        walk()
        for right in SHIFTS:
            shift(right)
        walk()
        shift(0)
        page.close()
    height = max(frame.height for frame in frames)
    padded = []
    for frame in frames:  # sentences differ in length
        whole = Image.new("RGB", (frame.width, height), frame.getpixel((4, 4)))
        whole.paste(frame)
        padded.append(whole)
    options = {"save_all": True, "append_images": padded[1:], "duration": times, "loop": 0}
    padded[0].save(OUT, quality=70, method=5, **options)
    print(
        f"wrote {OUT.relative_to(ROOT)}: {len(frames)} pictures, {OUT.stat().st_size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()
