"""How Sphinx builds the site's pages; scripts/make_site.py puts them together and calls it."""

import dcamsr_lite

project = "DCAMSR-lite"
author = "the DCAMSR-lite contributors"
copyright = "MIT licence. Not for clinical use"
version = release = dcamsr_lite.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc"]
templates_path: list[str] = []
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "DCAMSR-lite"
html_static_path = ["_static"]
html_favicon = "_static/icon.svg"
html_css_files = ["pages.css"]
html_js_files = [("frames.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
nb_execution_mode = "off"  # the notebooks are committed as they ran
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
# links between the repository's own files, which are no pages here
suppress_warnings = [
    "myst.xref_missing",
    "myst.header",
    "mystnb.unknown_mime_type",
    "image.not_readable",
]
