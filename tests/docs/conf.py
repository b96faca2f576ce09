"""How `make docs` makes a site of the texts of this repository; build.py gathers them."""

project = "prs.recovery"
author = copyright = "prs.recovery contributors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "sphinx_rtd_theme"
html_show_sphinx = False
html_title = project
html_static_path, html_css_files = ["static"], ["narrow.css"]
root_doc = "docs/index"
suppress_warnings = ["ref.ref"]  # labels of Ansible's own documentation, which lies elsewhere; MyST tells of ours
exclude_patterns = ["collections/environment_variables.rst"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
highlight_language = "none"
