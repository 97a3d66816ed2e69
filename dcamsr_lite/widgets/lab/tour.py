"""The intervention lab's guided tour: a text and an intervention for each step.

>>> all(isinstance(step["text"], str) for step in TOUR)
True
"""

TOUR = [
    {
        "text": "The network as it was trained: a blurred T2 image, sharpened with the help of the"
        " reference. Its PSNR is the one that every change is measured against.",
        "intervention": {},
    },
    {
        "text": "A blank reference. Where the change is blue or orange, the output had taken"
        " something from the reference. What does the PSNR fall by?",
        "intervention": {"reference": "blank"},
    },
    {
        "text": "The reference of another head. Does it hurt more, or less, than none at all?",
        "intervention": {"reference": "other"},
    },
    {
        "text": "The own reference again, but two pixels to the right: this is what a patient's"
        " motion between the two scans does.",
        "intervention": {"shift": [0, 2]},
    },
    {
        "text": "Every pixel now reads the same average of the reference: spatial attention is"
        " uniform. Compare with the blank reference.",
        "intervention": {"cuts": [{"branch": "spatial", "state": "uniform"}]},
    },
    {
        "text": "The spatial branch cut off altogether, its bias included.",
        "intervention": {"cuts": [{"branch": "spatial", "state": "off"}]},
    },
    {
        "text": "The channel branch cut off instead. Which branch does this network live on? Now it is"
        " your turn: switch single heads, paint a lesion into the reference only.",
        "intervention": {"cuts": [{"branch": "channel", "state": "off"}]},
    },
]
