# SPDX-License-Identifier: GPL-2.0
"""Sphinx configuration; see the Makefile beside it."""

project = "xen-duct"
author = "the xen-duct authors"
version = release = "0.1"
copyright = author
master_doc = "index"
language = "en"

extensions = ["sphinx.ext.graphviz"]
graphviz_output_format = "svg"

# "tree" is a link to the sources, for literalinclude; "generated" is included.
exclude_patterns = ["tree", "generated"]

highlight_language = "none"
primary_domain = "c"
pygments_style = "default"

# Types of the kernel's own headers that signatures use and nobody defines here.
nitpicky = False

html_theme = "alabaster"
html_theme_options = {
    "description": "One link between two Xen domains, one bus for drivers",
    "page_width": "1100px",
    "sidebar_width": "240px",
    "fixed_sidebar": True,
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_copy_source = False
html_show_sphinx = False
