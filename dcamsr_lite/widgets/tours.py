"""Guided tours: what a page says step by step, and the state that each step sets.

>>> all(isinstance(step["text"], str) for step in (*ATTENTION, *VARIANTS, *ATTRIBUTION))
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
        "text": "Level 4 works on a quarter of the matrix: one query covers 4 x 4 pixels. How far"
        " from uniform? The dots are the heads, the rings the same heads at this query: 1 is uniform, 0"
        " a single token.",
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
    {
        "text": "Does it matter? Each bar is the network run once more, without a part. A branch may"
        " look somewhere and still change little: compare where it looks with what the output loses.",
        "branch": "spatial",
        "level": 1,
    },
]
# For the gallery's page of the variants that were trained alike, on the same head.
VARIANTS = [
    {
        "text": "The network as its authors released it, trained. How far from uniform? All dots of its"
        " spatial attention lie at 1: every query reads the same average of the reference. Move over"
        " an image: the map stands still.",
        "network": "lite-4x-released",
        "branch": "spatial",
        "level": 1,
        "head": None,
        "query": [79, 64],
        "relative": False,
        "side_by_side": False,
    },
    {
        "text": "Minus uniform seems to show a pattern. Read the colour bar and the sentence below it:"
        " the colours magnify next to nothing.",
        "relative": True,
    },
    {
        "text": "Does it matter? To make this attention uniform changes nothing, because it is uniform"
        " already. To cut it off does change the output: the same average was added everywhere.",
        "relative": False,
    },
    {
        "text": "And what a query finds is not written to its own pixel. The merge of heads moves every"
        " value: follow the arrow from the violet frame to the square, then move the pointer.",
        "query": [40, 90],
    },
    {
        "text": "The paper's equations as printed, trained alike. Its channel attention is one-hot at"
        " every level: each feature takes one feature of the reference, whole. At level 1 a head reads"
        " little more than one token, too. Here both branches matter.",
        "network": "lite-4x-paper",
        "query": [79, 64],
        "relative": True,
    },
    {
        "text": "The corrected network, trained alike. Its map follows the pointer, its heads lie below"
        " 1, and every value stays at its pixel. Compare with the released one what is lost without a"
        " part: in both, most of what the reference gives goes through the channel branch.",
        "network": "lite-4x-corrected",
        "relative": True,
        "query": [79, 64],
    },
]
# For the gallery's page of the same head, which keeps these two methods at this patch.
ATTRIBUTION = [
    {
        "text": "A patch of the output, 8 x 8 pixels at the rim of bright fluid. The blur path begins"
        " with both images blurred and sharpens them together; what a pixel adds to the patch's detail"
        " on the way is its attribution. Orange adds, blue takes away.",
        "method": "blur_path",
        "target": "detail",
        "patch": [75, 60, 8, 8],
    },
    {
        "text": "The bar says how much of all attribution lies on the reference, how much on the input."
        " The completeness error says whether the maps add up to the whole change of the patch.",
    },
    {
        "text": "Occlusion asks without a gradient: one window of one image is blurred at a time, and"
        " what the patch loses is the window's. It is coarse and need not add up: pixels act together.",
        "method": "occlusion",
    },
    {
        "text": "Does attention agree? A rank correlation of 1 would say that it points to the same"
        " pixels, 0 that it says nothing about them. The curves put both to the test: blur the"
        " reference in the order of each map, and see which order moves the patch first.",
        "method": "blur_path",
    },
]
