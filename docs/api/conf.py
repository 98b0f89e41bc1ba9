"""The API reference, built from the docstrings: ``make docs``."""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # importing the package needs no GPU

import recbole_finest

project = "recbole_finest"
copyright = "recbole_finest contributors"
release = version = recbole_finest.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": release, "page_width": "auto"}
html_copy_source = False

autodoc_default_options = {
    "members": True,
    "show-inheritance": True,
    "ignore-module-all": True,  # a name is described where it is defined
}
autodoc_inherit_docstrings = False  # an overridden method of RecBole's is described there
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autosummary_generate = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # the attributes of a dataclass stand in its own docstring
