"""How the documentation is built (`make docs`), without any network access."""

import sys
from pathlib import Path

from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (its links)

import skhash
from skhash.documentation import ROOT

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "skhash"
author = "skhash developers"
copyright = f"2026, {author}"
version = release = skhash.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",  # formulas without a network
    "myst_parser",
    "architecture",
    "loss_pages",
    "loss_table",
    "results_table",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "py:obj"
nitpicky = False
toc_object_entries_show_parents = "hide"

# Types stand in the docstrings, with shapes, where they can be read.
autodoc_typehints = "none"
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "backreferences_dir": "api/backreferences",
    "doc_module": ("skhash",),
    "reference_url": {"skhash": None},
    "abort_on_example_error": True,
    "show_memory": False,
    "write_computation_times": False,  # that page loads scripts from other hosts
    "remove_config_comments": True,
    "within_subsection_order": "gallery_order.TeachingOrder",
}

mathjax3_config = {"chtml": {"scale": 0.9}}

html_baseurl = ROOT
html_theme = "pydata_sphinx_theme"
html_title = "skhash"
html_static_path = ["_static"]
html_css_files = ["skhash.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skhash"},
    "show_prev_next": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {
    page: []
    for page in ("index", "install", "papers", "changes", "glossary", "developing")
}


def skip_member(app, what, name, obj, skip, options):
    """Leave out what scikit-learn, torch and skorch bring to every class."""
    home = getattr(obj, "__module__", None) or "skhash"
    plumbing = name.startswith("set_") and name.endswith("_request")
    return True if plumbing or home.split(".")[0] != "skhash" else None


def setup(app):
    app.connect("autodoc-skip-member", skip_member)
