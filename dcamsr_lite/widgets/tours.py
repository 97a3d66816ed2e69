"""Guided tours: what a page says step by step, and the state that each step sets.

>>> all(isinstance(step["text"], str) for step in ATTENTION)
True

A tour is a plain list: ``explorer.tour = [{"text": "Look here.", "query": [3, 5]}, ...]``.
"""

# For the demo's head (128 x 128, network lite): the query lies in bright fluid behind the thalamus.
ATTENTION = [
    {
        "text": "A query is one pixel of the blurred input that asks the reference for help. This one"
        " lies in bright fluid; the square marks the same place in every image. The coloured map is the"
        " answer: what each reference pixel weighs for this query, the lifted attention.",
        "branch": "spatial",
        "query": [79, 64],
        "level": 1,
        "head": None,
        "side_by_side": False,
        "relative": False,
    },
    {
        "text": "Now minus uniform: the part that every query shares is taken away. Orange pixels weigh"
        " more than they would if the query looked everywhere alike, blue ones less. Move over an"
        " image and watch the map follow.",
        "relative": True,
    },
    {
        "text": "The network cannot afford a weight per pixel. It sums the reference into 64 tokens,"
        " and the bars are what this query gives to each. A token's footprint says which pixels are"
        " in it. Point at a bar; the map is all 64 footprints, weighted.",
        "head": None,
    },
    {
        "text": "Eight heads ask eight questions. All are on one colour scale; in the mean, heads that"
        " disagree cancel. Choose one: the bars then show its tokens, an orange dot its entropy.",
        "side_by_side": True,
    },
    {
        "text": "Level 4 works on a quarter of the matrix: one query covers 4 x 4 pixels. The ring in"
        " the entropy card is this query, the dots are the heads: 1 is uniform, 0 is a single token.",
        "level": 4,
        "side_by_side": False,
    },
    {
        "text": "The channel branch asks what to take, not where. Each square is a head: a row is a"
        " feature of the input, a column one of the reference. Below a cell lie the maps it compares"
        " (query, key) and the map it takes a share of (value). Choose another cell.",
        "branch": "channel",
        "level": 1,
        "cell": [1, 1, 2],
    },
]
