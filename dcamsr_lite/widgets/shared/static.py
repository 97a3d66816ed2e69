"""What an explorer leaves behind without a kernel: a page that still answers.

>>> page({"info": {}}, script(), style())[:15]
b'<!doctype html>'
"""

import base64
import html
import json
import struct
from pathlib import Path

import numpy as np

_WIDGETS = Path(__file__).parents[1]
# five letters for four bytes; none of <, = and (, so that data never look like markup or code
DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&.)*+-;,:>?@^_`{|}~"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def script(name: str = "empty") -> str:
    """The JavaScript of an explorer as one module, as ``make bundles`` built it.

    >>> "standalone" in script("attention")
    True

    Without a name, what shows a message.
    """
    return (_WIDGETS / "bundles" / f"{name}.js").read_text(encoding="utf-8")


def style(*names: str) -> str:
    """The shared style sheet and the named files after it.

    >>> style().startswith("/*")
    True
    """
    files = ("shared/ui.css", *names)
    return "\n".join((_WIDGETS / name).read_text(encoding="utf-8") for name in files)


def page(state: dict, module: str, sheet: str, picture: str = "") -> bytes:
    """One HTML file with the explorer's state inside: it asks the network for nothing.

    Where JavaScript does not run it shows ``picture``, a PNG in base64.

    >>> page({"info": {"title": "<b>"}}, script(), style())[:15]
    b'<!doctype html>'
    """
    data = json.dumps(state, default=spell, allow_nan=False)
    title = html.escape(state["info"].get("title", "nothing to show"))
    return (
        (_WIDGETS / "shared" / "page.html")
        .read_text(encoding="utf-8")
        .format(
            policy=POLICY,
            title=title,
            style=sheet,
            picture=f'<img src="data:image/png;base64,{picture}" alt="{title}">' if picture else "",
            state=data.replace("<", "\\u003c"),  # a file name could close the script element
            script=module,
        )
        .encode()
    )


def spell(data: bytes) -> str:
    """Bytes as the text that a page holds: a sixteenth less than base64 would be.

    >>> spell(b"abcde"), len(spell(bytes(4)))
    ('VPa!sWd', 5)

    The letters of a last part of fewer than four bytes are one more than its bytes.
    """
    missing = -len(data) % 4
    numbers = np.frombuffer(data + bytes(missing), ">u4").astype(np.uint32)
    letters = np.empty((len(numbers), 5), np.uint8)
    for place in reversed(range(5)):
        numbers, digit = np.divmod(numbers, np.uint32(85))
        letters[:, place] = np.frombuffer(DIGITS, np.uint8)[digit]
    text = letters.tobytes().decode("ascii")
    return text[: len(text) - missing]


def exported(words: str, picture: str) -> str:
    """HTML that shows a PNG in base64 in one place: before a widget that was exported and is not there.

    >>> png = base64.b64encode(bytes(16) + struct.pack(">2I", 7, 5)).decode()
    >>> 'aria-label="T1 &lt;b&gt;" style="display: none; width: 7px;' in exported("T1 <b>", png)
    True

    Of a notebook with the state of its widgets nbconvert writes nothing but the widgets' places,
    which stay empty until the network fills them. Everywhere else (in a running notebook, where the
    state was not kept, where a reader takes out styles) it takes no room. It runs no script.
    """
    width, height = struct.unpack(">2I", base64.b64decode(picture[:32])[16:])  # as PNG begins
    text = (_WIDGETS / "shared" / "exported.html").read_text(encoding="utf-8")
    words = html.escape(words)
    return text.format(words=words, width=width, height=height, picture=picture)
