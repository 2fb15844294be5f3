"""Sphinx configuration: MyST pages, API from the docstrings, warnings are errors."""

import os
from importlib.metadata import version as version_of
from pathlib import Path

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
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "guide/engine_table.md",
    "**.ipynb_checkpoints",
    "gallery",
    "auto_gallery/*.ipynb",
]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
# in a folder of its own: pages write files
nb_execution_in_temp = True
nb_merge_streams = True
# warnings of the machine that builds are not part of a page
nb_output_stderr = "remove"
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True


def bare_figures(_block, variables, settings):
    """Give the gallery figures that were made without pyplot, as all of `cleo_like.report` are."""
    from matplotlib.figure import Figure
    from sphinx_gallery.scrapers import figure_rst

    paths = []
    for value in variables["example_globals"].values():
        if isinstance(value, Figure) and not hasattr(value, "number"):
            path = next(variables["image_path_iterator"])
            value.savefig(path, dpi=110)
            paths.append(path)
    return figure_rst(paths, settings["src_dir"])


sphinx_gallery_conf = {
    "image_scrapers": ("matplotlib", bare_figures),
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"\.py$",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "plot_gallery": os.environ.get("CLEO_LIKE_GALLERY", "True") == "True",
    "abort_on_example_error": True,
    "thumbnail_size": (400, 280),
    "remove_config_comments": True,
    "backreferences_dir": None,
}

html_theme = "pydata_sphinx_theme"
html_title = "cleo_like"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["cleo_like.css"]
html_js_files = ["cleo_like.js"]
html_baseurl = os.environ.get("CLEO_LIKE_DOCS_URL", "")
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 8,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "navbar_persistent": ["search-button"],
    "navbar_end": ["version-switcher", "theme-switcher"],
    "switcher": {"json_url": "_static/switcher.json", "version_match": version},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
# pages without a section of their own have no empty sidebar
html_sidebars = {"index": [], "install": []}

# words of array shapes ("n_sweeps") look like references to attributes of that name
suppress_warnings = ["ref.python", "config.cache", "myst-nb.lexer"]

# pages and examples look alike, and do not draw progress bars into the pages
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))
