"""How fast the network is, against the released code's way of computing it, on this machine.

``plain`` is that way, ``measure`` times and counts, ``networks`` makes the rows of ``dcamsr bench``,
``page`` the results page. Nothing of it is needed to run or train a network.
"""
