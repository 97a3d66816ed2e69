"""Guided tours: what a page says step by step, and the traits that each step sets; see tours.json.

>>> [step["text"][:18] for step in (ATTENTION[0], VARIANTS[0], ATTRIBUTION[0])]
['A query is one pix', 'The network as its', 'A patch of the out']

A tour is a plain list: ``explorer.tour = [{"text": "Look here.", "query": [3, 5]}, ...]``. All three
are for the head of ``dcamsr demo`` (128 x 128, ``lite``): ATTENTION for its network, VARIANTS for
the gallery's page of the variants that were trained alike, ATTRIBUTION for the page that keeps two
methods at one patch. The query lies in bright fluid behind the thalamus.
"""

import json
from pathlib import Path

_TOURS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
ATTENTION, VARIANTS, ATTRIBUTION = (
    _TOURS[name] for name in ("attention", "variants", "attribution")
)
