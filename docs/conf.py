"""Sphinx configuration: MyST pages, API from the docstrings, warnings are errors."""

from importlib.metadata import version as version_of

project = "cleo_like"
author = "The cleo_like developers"
copyright = "2026, the cleo_like developers"
version = release = version_of("cleo_like")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_design",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "pydata_sphinx_theme"
html_title = "cleo_like"
html_show_sourcelink = False
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}

# words of array shapes ("n_sweeps") look like references to attributes of that name
suppress_warnings = ["ref.python"]
